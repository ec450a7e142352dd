#pragma once

#include "daemon/core/task.h"

/* A part of a group's queue: tasks that want the same tokens, in their order. Only the first of
 * them can be next, so that to decide means to look at lanes, not at tasks. */

RB_HEAD(TaskPlan, Task);

typedef struct Lane {
    struct Group *group; /* not owned */
    struct TaskPlan tasks;
    Task *first;
    uint64_t digest;        /* of the tokens */
    unsigned started;       /* of its tasks, since scheduler_claim() was called last */
    TAILQ_ENTRY(Lane) busy; /* with such tasks */
    RB_ENTRY(Lane) order;   /* among those of all groups whose first wants tokens */
    bool in_order;
    UT_hash_handle hh; /* of the group's, by digest */
} Lane;

TAILQ_HEAD(LaneList, Lane);

/* The order of tasks: the higher priority, then the lower id. Below 0 when a comes before b. */
int task_compare(const Task *a, const Task *b);

void lane_link(Lane *l, Task *t);
void lane_unlink(Lane *l, Task *t);
Task *lane_next(const Lane *l, const Task *t); /* the one behind it; NULL = the first, or the end */

/* A number for a set of tokens; 0 for the empty one. */
uint64_t lane_digest(const TokenList *wanted);
