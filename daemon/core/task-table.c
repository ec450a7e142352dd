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

static void add_ended(TaskTable *t, Task *task) {
    TAILQ_INSERT_TAIL(&t->ended, task, ahead);
    t->n_ended++;
    t->ended_bytes += task->request_bytes;
}

void task_table_add(TaskTable *t, Task *task) {
    HASH_ADD(hh, t->by_id, id, sizeof(task->id), task);
    if (task_is_final(task)) {
        task->request_bytes = task_spec_size(task->spec);
        add_ended(t, task);
    } else if (!isempty(task->spec->unique))
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
        TAILQ_REMOVE(&t->ended, task, ahead);
        t->n_ended--;
        t->ended_bytes -= task->request_bytes;
    }
    HASH_DELETE(hh, t->by_id, task);
}

void task_table_ended(TaskTable *t, Task *task) {
    forget_unique(t, task);
    add_ended(t, task);
}

void task_table_evict(TaskTable *t, bool all) {
    for (Task *task; (task = TAILQ_FIRST(&t->ended));) {
        bool above =
            t->n_ended > TASK_TABLE_ENDED_MAX || t->ended_bytes > TASK_TABLE_ENDED_BYTES_MAX;
        if (!(all || above) || !task->told || task->is_changed)
            return;
        task_table_take(t, task);
        task_free(task);
    }
}

Task *task_table_begin(const TaskTable *t, bool newest_first) {
    if (!t->by_id)
        return NULL;
    return newest_first ? ELMT_FROM_HH(t->by_id->hh.tbl, t->by_id->hh.tbl->tail) : t->by_id;
}

Task *task_table_next(const TaskTable *t, const Task *task, bool newest_first) {
    return newest_first ? task->hh.prev : task->hh.next;
}
