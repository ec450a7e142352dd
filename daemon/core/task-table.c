#include "daemon/core/task-table.h"

#include "common/cleanup.h"

/* A key in use. Few tasks have one, so it is not in each. */
typedef struct UniqueKey {
    Task *task;        /* not owned; its request holds the text */
    UT_hash_handle hh; /* by spec->unique */
} UniqueKey;

static int compare_ids(const Task *a, const Task *b) {
    return a->id < b->id ? -1 : a->id > b->id;
}

RB_GENERATE_INTERNAL(TaskTree, Task, by_id, compare_ids, _unused_ static)

void task_table_init(TaskTable *t) {
    *t = (TaskTable){};
    RB_INIT(&t->by_id);
    TAILQ_INIT(&t->ended);
}

void task_table_done(TaskTable *t) {
    for (Task *task; (task = RB_ROOT(&t->by_id));) {
        task_table_take(t, task);
        task_free(task);
    }
}

static void add_ended(TaskTable *t, Task *task) {
    TAILQ_INSERT_TAIL(&t->ended, task, ended);
    t->n_ended++;
    t->ended_bytes += task->request_bytes;
}

static UniqueKey *find_key(const TaskTable *t, const char *key) {
    UniqueKey *found;

    HASH_FIND(hh, t->by_unique, key, strlen(key), found);
    return found;
}

/* Where memory is short the key is not kept: the next task with it is another one. */
static void add_unique(TaskTable *t, Task *task) {
    const char *key = task->spec->unique;
    UniqueKey *u = isempty(key) ? NULL : calloc(1, sizeof(UniqueKey));

    if (!u)
        return;
    u->task = task;
    HASH_ADD_KEYPTR(hh, t->by_unique, key, strlen(key), u);
}

static void forget_unique(TaskTable *t, const Task *task) {
    const char *key = task->spec->unique;
    UniqueKey *u = isempty(key) ? NULL : find_key(t, key);

    if (!u || u->task != task)
        return;
    HASH_DELETE(hh, t->by_unique, u);
    free(u);
}

void task_table_add(TaskTable *t, Task *task) {
    RB_INSERT(TaskTree, &t->by_id, task);
    if (task_is_final(task)) {
        task->request_bytes = task_spec_size(task->spec);
        add_ended(t, task);
    } else
        add_unique(t, task);
}

Task *task_table_find(const TaskTable *t, uint64_t id) {
    Task *task = RB_ROOT(&t->by_id);

    while (task && task->id != id)
        task = id < task->id ? RB_LEFT(task, by_id) : RB_RIGHT(task, by_id);
    return task;
}

Task *task_table_find_unique(const TaskTable *t, const char *key) {
    const UniqueKey *u = find_key(t, key);

    return u ? u->task : NULL;
}

void task_table_take(TaskTable *t, Task *task) {
    forget_unique(t, task);
    if (task_is_final(task)) {
        TAILQ_REMOVE(&t->ended, task, ended);
        t->n_ended--;
        t->ended_bytes -= task->request_bytes;
    }
    RB_REMOVE(TaskTree, &t->by_id, task);
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
    return newest_first ? RB_MAX(TaskTree, (struct TaskTree *)&t->by_id)
                        : RB_MIN(TaskTree, (struct TaskTree *)&t->by_id);
}

Task *task_table_next(const TaskTable *t, const Task *task, bool newest_first) {
    return newest_first ? RB_PREV(TaskTree, &t->by_id, (Task *)task)
                        : RB_NEXT(TaskTree, &t->by_id, (Task *)task);
}

Task *task_table_begin_at(const TaskTable *t, uint64_t id, bool newest_first) {
    Task *best = NULL;

    for (Task *task = RB_ROOT(&t->by_id); task;) {
        bool behind = newest_first ? task->id <= id : task->id >= id;
        if (behind)
            best = task;
        task = behind == newest_first ? RB_RIGHT(task, by_id) : RB_LEFT(task, by_id);
    }
    return best;
}
