#pragma once

#include "common/task-state.h"

/* Counts the tasks of a group, to tell when it has run dry. */
typedef struct Group {
    unsigned active;
    unsigned succeeded, failed; /* since it was last without active tasks */
} Group;

static inline void group_task_added(Group *g) {
    g->active++;
}

static inline void group_task_withdrawn(Group *g) {
    g->active--;
}

/* A task of the group has ended. True when it was the last active one: then the counts since the
 * last time are given, and begin again at 0. */
static inline bool group_task_ended(Group *g, TaskState state, unsigned *ret_succeeded,
                                    unsigned *ret_failed) {
    if (state == TASK_SUCCEEDED)
        g->succeeded++;
    else
        g->failed++;
    if (--g->active > 0)
        return false;
    *ret_succeeded = g->succeeded;
    *ret_failed = g->failed;
    *g = (Group){};
    return true;
}
