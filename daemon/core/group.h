#pragma once

#include "daemon/core/error.h"
#include "daemon/core/task.h"

/* A group of tasks: a queue with limits of its own, and defaults for what is started in it. Named,
 * and kept on disk. */

#define GROUP_NAME_MAX 64
#define GROUPS_MAX 1000

/* Tasks that want the same tokens: only the first of them can be next. */
typedef struct Lane Lane;

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
    LIST_HEAD(, Lane) lanes; /* those with tasks in them */
    TAILQ_ENTRY(Group) ring; /* while it has tasks in lanes */
    bool in_ring;
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

/* A task of the group has come, or was never there after all. */
void group_task_added(Group *g, const Task *t);
void group_task_withdrawn(Group *g, const Task *t);

/* A task of the group has ended. True when it was the last active one: then the counts since the
 * last time are given, and begin again at 0. failed: all that did not succeed. */
bool group_task_ended(Group *g, const Task *t, unsigned *ret_succeeded, unsigned *ret_failed);
