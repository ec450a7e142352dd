#pragma once

#include "daemon/core/task-table.h"

/* Ids of tasks that a call names and that are not in memory: to be recalled from disk before it
 * goes on. All zero is an empty one. */
typedef struct AbsentIds {
    uint64_t *ids;
    size_t n, allocated;
} AbsentIds;

/* Adds those that are not in the table. 0 or -ENOMEM. */
int absent_ids_add(AbsentIds *a, const TaskTable *table, const uint64_t *ids, size_t n);
/* Leaves one of each, sorted. */
void absent_ids_sort(AbsentIds *a);
void absent_ids_done(AbsentIds *a);
#define _cleanup_absent_ids_ _cleanup_(absent_ids_done)
