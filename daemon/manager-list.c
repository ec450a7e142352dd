#include <errno.h>
#include <stdlib.h>

#include "daemon/manager-private.h"

/* Lists and counts of all tasks, those in memory and those on the disk. */

/* ---- filters that are kept ---- */

void manager_filter_done(TaskFilter *f) {
    free((char *)f->group);
    free((char *)f->kind);
    free((char *)f->label);
    free((char *)f->search);
}

static int copy_text(const char **text) {
    if (!*text)
        return 0;
    *text = strdup(*text);
    return *text ? 0 : -ENOMEM;
}

int manager_filter_keep(TaskFilter *ret, const TaskFilter *f) {
    *ret = *f;
    const char **texts[] = {&ret->group, &ret->kind, &ret->label, &ret->search};
    int r = 0;

    /* All of them, also after one that failed: the others are the caller's until then. */
    for (size_t i = 0; i < ELEMENTSOF(texts); i++)
        if (copy_text(texts[i]) < 0)
            r = -ENOMEM;
    if (r < 0)
        manager_filter_done(ret);
    return r;
}

/* ---- lists ---- */

typedef struct ListCall {
    Manager *manager;
    TaskFilter filter;
    void (*func)(void *arg, int error, Task *const *tasks, size_t n, uint64_t next);
    void *arg;
} ListCall;

static bool is_before(const ListCall *c, uint64_t a, uint64_t b) {
    return c->filter.newest_first ? a > b : a < b;
}

/* Those from the disk that are not in memory too: there is newer news of them. */
static size_t pick_stored(const ListCall *c, Task **stored, size_t n, Task **ret) {
    size_t picked = 0;

    for (size_t i = 0; i < n; i++)
        if (!task_table_find(&c->manager->tasks, stored[i]->id) &&
            !manager_is_gone(c->manager, stored[i]->id))
            ret[picked++] = stored[i];
    return picked;
}

/* Those in memory, from the cursor on: at most `room`, and those alone that come before `next`, the
 * first that the page of the disk leaves out (0: none). Of 100,000 that wait, a page looks at a
 * hundred. */
static size_t pick_in_memory(const ListCall *c, uint64_t next, Task **ret, size_t room) {
    const TaskTable *table = &c->manager->tasks;
    const TaskFilter *f = &c->filter;
    Task *t = f->cursor > 0 ? task_table_begin_at(table, f->cursor, f->newest_first)
                            : task_table_begin(table, f->newest_first);
    size_t n = 0;

    for (; t && n < room && (next == 0 || is_before(c, t->id, next));
         t = task_table_next(table, t, f->newest_first))
        if (task_filter_matches(f, t))
            ret[n++] = t;
    return n;
}

/* Puts two lists in order into one. */
static size_t merge(const ListCall *c, Task *const *a, size_t n_a, Task *const *b, size_t n_b,
                    Task **ret) {
    size_t i = 0, j = 0;

    while (i < n_a || j < n_b)
        if (j == n_b || (i < n_a && is_before(c, a[i]->id, b[j]->id))) {
            ret[i + j] = a[i];
            i++;
        } else {
            ret[i + j] = b[j];
            j++;
        }
    return i + j;
}

static void on_listed(void *userdata, int error, Task **tasks, size_t n, uint64_t next) {
    ListCall *c = userdata;
    Manager *m = c->manager;
    size_t limit = c->filter.limit, found = 0;
    _cleanup_free_ Task **all = calloc(2 * (n + limit + 1), sizeof(Task *));

    if (error >= 0 && !all)
        error = -ENOMEM;
    if (error >= 0) {
        /* The second half is scratch. */
        Task **stored = all + n + limit + 1, **active = stored + n;
        size_t n_stored = pick_stored(c, tasks, n, stored);
        size_t n_active = pick_in_memory(c, next, active, limit + 1);
        found = merge(c, stored, n_stored, active, n_active, all);
    }
    if (found > limit) {
        next = all[limit]->id;
        found = limit;
    }
    c->func(c->arg, error, all, found, next);
    manager_filter_done(&c->filter);
    free(c);
    manager_settle(m);
}

int manager_list(void *userdata, const TaskFilter *filter,
                 void (*func)(void *arg, int error, Task *const *tasks, size_t n, uint64_t next),
                 void *arg) {
    ListCall *c = calloc(1, sizeof(ListCall));
    int r;

    if (!c)
        return -ENOMEM;
    *c = (ListCall){.manager = userdata, .func = func, .arg = arg};
    r = manager_filter_keep(&c->filter, filter);
    if (r >= 0) {
        r = store_list(c->manager->store, &c->filter, on_listed, c);
        if (r < 0)
            manager_filter_done(&c->filter);
    }
    if (r < 0)
        free(c);
    return r;
}

/* ---- counts ---- */

typedef struct CountCall {
    Manager *manager;
    TaskFilter filter;
    void (*func)(void *arg, int error, const uint32_t counts[_TASK_STATE_MAX]);
    void *arg;
} CountCall;

static void on_counted(void *userdata, int error, const uint32_t stored[_TASK_STATE_MAX]) {
    CountCall *c = userdata;
    Manager *m = c->manager;
    uint32_t counts[_TASK_STATE_MAX] = {};

    for (size_t i = 0; error >= 0 && i < _TASK_STATE_MAX; i++)
        counts[i] = stored[i];
    for (Task *t = task_table_begin(&m->tasks, false); t; t = task_table_next(&m->tasks, t, false))
        if ((!task_is_final(t) || t->is_changed) && task_filter_matches(&c->filter, t))
            counts[task_shown_state(t)]++;
    c->func(c->arg, error, counts);
    manager_filter_done(&c->filter);
    free(c);
    manager_settle(m);
}

int manager_count(void *userdata, const TaskFilter *filter,
                  void (*func)(void *arg, int error, const uint32_t counts[_TASK_STATE_MAX]),
                  void *arg) {
    CountCall *c = calloc(1, sizeof(CountCall));
    int r;

    if (!c)
        return -ENOMEM;
    *c = (CountCall){.manager = userdata, .func = func, .arg = arg};
    r = manager_filter_keep(&c->filter, filter);
    if (r >= 0) {
        r = store_count(c->manager->store, &c->filter, on_counted, c);
        if (r < 0)
            manager_filter_done(&c->filter);
    }
    if (r < 0)
        free(c);
    return r;
}
