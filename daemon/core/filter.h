#pragma once

#include "daemon/core/task.h"

/* Which tasks a request means. An empty filter means all. */
typedef struct TaskFilter {
    unsigned states;                  /* bits 1 << TaskState; 0 = any */
    const char *group, *kind, *label; /* not owned; NULL = any; label: a part of it */
    const char *search;               /* a part of the label, whatever the case of A to Z */
    uint64_t since, until;            /* created at or after, and before; 0 = any */
    uint64_t parent;                  /* 0 = any */
    uint64_t cursor;                  /* id to begin at; 0 = the first */
    uint32_t limit;
    bool newest_first;
    bool not_retried; /* of ended tasks on disk: those of which there is no repetition */
} TaskFilter;

#define TASK_FILTER_LIMIT_DEFAULT 100
#define TASK_FILTER_LIMIT_MAX 1000

bool task_filter_matches(const TaskFilter *f, const Task *t);
