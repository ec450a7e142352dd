#include "daemon/core/task-table.h"

#include "common/cleanup.h"

void task_table_init(TaskTable *t) {
    *t = (TaskTable){};
    TAILQ_INIT(&t->ended);
}

void task_table_done(TaskTable *t) {
    for (Task *task; (task = t->by_id);) {
        task_table_take(t, task);
        task_free(task);
    }
}

void task_table_add(TaskTable *t, Task *task) {
    HASH_ADD(hh, t->by_id, id, sizeof(task->id), task);
    if (!isempty(task->spec->unique))
        HASH_ADD_KEYPTR(hh_unique, t->by_unique, task->spec->unique, strlen(task->spec->unique),
                        task);
}

Task *task_table_find(const TaskTable *t, uint64_t id) {
    Task *task;

    HASH_FIND(hh, t->by_id, &id, sizeof(id), task);
    return task;
}

Task *task_table_find_unique(const TaskTable *t, const char *key) {
    Task *task;

    HASH_FIND(hh_unique, t->by_unique, key, strlen(key), task);
    return task;
}

static void forget_unique(TaskTable *t, Task *task) {
    if (!isempty(task->spec->unique) && task_table_find_unique(t, task->spec->unique) == task)
        HASH_DELETE(hh_unique, t->by_unique, task);
}

void task_table_take(TaskTable *t, Task *task) {
    forget_unique(t, task);
    if (task_is_final(task)) {
        TAILQ_REMOVE(&t->ended, task, queue);
        t->n_ended--;
        t->ended_bytes -= task->request_bytes;
    }
    HASH_DELETE(hh, t->by_id, task);
}

void task_table_ended(TaskTable *t, Task *task) {
    forget_unique(t, task);
    TAILQ_INSERT_TAIL(&t->ended, task, queue);
    t->n_ended++;
    t->ended_bytes += task->request_bytes;
}

Task *task_table_ended_above(const TaskTable *t, unsigned max) {
    bool above = t->n_ended > max || t->ended_bytes > TASK_TABLE_ENDED_BYTES_MAX;

    return above ? TAILQ_FIRST(&t->ended) : NULL;
}

Task *task_table_begin(const TaskTable *t, uint64_t cursor, bool newest_first) {
    Task *task;

    if (!t->by_id)
        return NULL;
    if (cursor == 0)
        return newest_first ? ELMT_FROM_HH(t->by_id->hh.tbl, t->by_id->hh.tbl->tail) : t->by_id;
    task = task_table_find(t, cursor);
    if (task)
        return task;
    /* The task at which the page was to begin has been removed meanwhile. */
    for (task = task_table_begin(t, 0, newest_first); task;
         task = task_table_next(t, task, newest_first))
        if (newest_first ? task->id <= cursor : task->id >= cursor)
            return task;
    return NULL;
}

Task *task_table_next(const TaskTable *t, const Task *task, bool newest_first) {
    return newest_first ? task->hh.prev : task->hh.next;
}
