#pragma once

#include "daemon/core/error.h"
#include "daemon/core/lane.h"

/* A group of tasks: a queue with limits of its own, and defaults for what is started in it. Named,
 * and kept on disk. */

#define GROUP_NAME_MAX 64
#define GROUPS_MAX 1000

typedef struct Group {
    char *name;

    /* ---- as it was configured ---- */
    unsigned max_parallel; /* tasks that run at a time; 0 = no limit but the one of all */
    unsigned max_queued;   /* tasks that are not started yet; 0 = no limit but the one of all */
    bool paused;           /* nothing is started */
    bool draining;         /* nothing is taken in */
    TaskSpec *defaults;    /* of options with TASK_OPTION_DEFAULT: those in defaults->given; NULL =
                              none */

    /* ---- what of it is kept on disk besides ---- */
    uint64_t turn;              /* a higher one was served later: whose turn it is */
    unsigned succeeded, failed; /* ends since it was last without active tasks */

    /* ---- now ---- */
    unsigned active; /* all that have not ended, but for series */
    unsigned running, queued, waiting;

    /* ---- the scheduler's ---- */
    struct TaskQueue pending; /* tasks that are queued or waiting */
    struct TaskQueue at_work; /* tasks that have a slot */
    Lane plain;               /* of those that want no tokens */
    Lane *lanes;              /* the others, by what they want; none is empty */
    unsigned n_laned;         /* tasks in lanes */
    unsigned n_wanting;       /* lanes whose first wants tokens */
    TAILQ_ENTRY(Group) ring;  /* while it has tasks in lanes */
    bool in_ring;
    Task *next;        /* scratch: who is next of it, see scheduler-next.c */
    unsigned coming;   /* scratch: of scheduler_check_room() */
    UT_hash_handle hh; /* by name */

    TAILQ_ENTRY(Group) changed; /* the commit queue's: its row is to be written */
    bool is_listed;
} Group;

TAILQ_HEAD(GroupRing, Group);

/* 0, or -EREMOTE when this cannot be the name of a group or of a resource: letters, digits and
 * "-_.", with a letter among them. */
int group_name_check(const char *what, const char *name, Error *error);

Group *group_new(const char *name); /* NULL when memory is short */
Group *group_free(Group *g);        /* NULL-safe, gives NULL */

/* No task of it is left, no series either, but for some whose end is not told yet. */
static inline bool group_is_empty(const Group *g) {
    return g->active == 0 && g->running + g->queued + g->waiting == 0;
}

/* As many of it run as may. */
static inline bool group_is_full(const Group *g) {
    return g->max_parallel > 0 && g->running >= g->max_parallel;
}

/* A task of the group has come, or was never there after all. */
void group_task_added(Group *g, const Task *t);
void group_task_withdrawn(Group *g, const Task *t);

/* A task of the group has ended. True when it was the last active one: then the counts since the
 * last time are given, and begin again at 0. failed: all that did not succeed. */
bool group_task_ended(Group *g, const Task *t, unsigned *ret_succeeded, unsigned *ret_failed);
