#pragma once

#include "daemon/core/task.h"

RB_HEAD(TaskTree, Task);

/* The tasks in memory, by id: all that are active, and of those that have ended some that somebody
 * may ask for next; the others are in the store. Owns them. */
typedef struct TaskTable {
    struct TaskTree by_id;
    struct UniqueKey *by_unique; /* of the active ones that have a key */
    struct TaskQueue ended;      /* in the order in which they came */
    unsigned n_ended;
    size_t ended_bytes; /* of their requests */
} TaskTable;

/* What ended tasks may take. */
#define TASK_TABLE_ENDED_MAX 1000
#define TASK_TABLE_ENDED_BYTES_MAX (8 * MIB)

void task_table_init(TaskTable *t);
void task_table_done(TaskTable *t);

void task_table_add(TaskTable *t, Task *task); /* takes it: a new one, or one that has ended */
Task *task_table_find(const TaskTable *t, uint64_t id);
/* The active task with the unique key, or NULL. */
Task *task_table_find_unique(const TaskTable *t, const char *key);
/* Gives the task to the caller. */
void task_table_take(TaskTable *t, Task *task);
/* The task has reached a final state, and left the scheduler: its unique key is free again. */
void task_table_ended(TaskTable *t, Task *task);
/* Frees the ended tasks that came first, when there are too many; all: as many as may be freed. One
 * whose end has not been told stays, with those behind it. */
void task_table_evict(TaskTable *t, bool all);

/* Walk, in the order of the ids: the first or last task, and the one behind. */
Task *task_table_begin(const TaskTable *t, bool newest_first);
Task *task_table_next(const TaskTable *t, const Task *task, bool newest_first);
/* Begins at a cursor: the task with this id, or the first that lies behind it. */
Task *task_table_begin_at(const TaskTable *t, uint64_t id, bool newest_first);
