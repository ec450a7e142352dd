#pragma once

#include "daemon/core/task.h"

/* All tasks that are known, by id and in the order of their ids. Owns them. Those that have ended
 * are kept up to a number, those that ended first go first. */
typedef struct TaskTable {
    Task *by_id;
    Task *by_unique;
    struct TaskQueue ended; /* by the time of their ends */
    unsigned n_ended;
    size_t ended_bytes; /* of their requests */
} TaskTable;

void task_table_init(TaskTable *t);
void task_table_done(TaskTable *t);

void task_table_add(TaskTable *t, Task *task); /* takes it; ids must rise */
Task *task_table_find(const TaskTable *t, uint64_t id);
/* The active task with the unique key, or NULL. */
Task *task_table_find_unique(const TaskTable *t, const char *key);
/* Gives the task to the caller. */
void task_table_take(TaskTable *t, Task *task);
/* The task has reached a final state, and left the scheduler: its unique key is free again. */
void task_table_ended(TaskTable *t, Task *task);
/* Memory that the requests of ended tasks may take, whatever their number. */
#define TASK_TABLE_ENDED_BYTES_MAX (64 * MIB)

/* The task that ended first, when more than max have ended or their requests take too much memory;
 * else NULL. */
Task *task_table_ended_above(const TaskTable *t, unsigned max);

/* Walk by id: the first or last task (newest), and the one behind. */
Task *task_table_begin(const TaskTable *t, uint64_t cursor, bool newest_first);
Task *task_table_next(const TaskTable *t, const Task *task, bool newest_first);
