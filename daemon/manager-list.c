#include <errno.h>
#include <stdlib.h>

#include "daemon/manager-private.h"

/* Lists and counts of all tasks, those in memory and those on the disk. */

/* ---- filters that are kept ---- */

void manager_filter_done(TaskFilter *f) {
    free((char *)f->group);
    free((char *)f->kind);
    free((char *)f->label);
}

static int copy_text(const char **text) {
    if (!*text)
        return 0;
    *text = strdup(*text);
    return *text ? 0 : -ENOMEM;
}

int manager_filter_keep(TaskFilter *ret, const TaskFilter *f) {
    *ret = *f;
    int r = copy_text(&ret->group), s = copy_text(&ret->kind), t = copy_text(&ret->label);

    if (r >= 0 && s >= 0 && t >= 0)
        return 0;
    manager_filter_done(ret);
    return -ENOMEM;
}

/* ---- lists ---- */

typedef struct ListCall {
    Manager *manager;
    TaskFilter filter;
    void (*func)(void *arg, int error, Task *const *tasks, size_t n, uint64_t next);
    void *arg;
} ListCall;

static int compare_ids(const void *a, const void *b, void *arg) {
    uint64_t x = (*(Task *const *)a)->id, y = (*(Task *const *)b)->id;
    int order = x < y ? -1 : x > y;

    return ((const TaskFilter *)arg)->newest_first ? -order : order;
}

static bool before_cursor(const TaskFilter *f, uint64_t id) {
    if (f->cursor == 0)
        return false;
    return f->newest_first ? id > f->cursor : id < f->cursor;
}

/* Those in memory, behind those from the disk, which has older news of them. */
static size_t collect(ListCall *c, Task **stored, size_t n_stored, Task **all) {
    const TaskTable *table = &c->manager->tasks;
    size_t n = 0;

    for (size_t i = 0; i < n_stored; i++)
        if (!task_table_find(table, stored[i]->id) && !manager_is_gone(c->manager, stored[i]->id))
            all[n++] = stored[i];
    for (Task *t = task_table_begin(table, false); t; t = task_table_next(table, t, false))
        if (!before_cursor(&c->filter, t->id) && task_filter_matches(&c->filter, t))
            all[n++] = t;
    qsort_r(all, n, sizeof(Task *), compare_ids, &c->filter);
    return n;
}

static bool is_before(const ListCall *c, uint64_t a, uint64_t b) {
    return c->filter.newest_first ? a > b : a < b;
}

static void on_listed(void *userdata, int error, Task **tasks, size_t n, uint64_t next) {
    ListCall *c = userdata;
    Manager *m = c->manager;
    _cleanup_free_ Task **all = calloc(n + HASH_COUNT(m->tasks.by_id) + 1, sizeof(Task *));

    if (error >= 0 && !all)
        error = -ENOMEM;
    size_t found = error < 0 ? 0 : collect(c, tasks, n, all), limit = c->filter.limit;
    /* Behind the page of the disk there are others to come before these. */
    while (next > 0 && found > 0 && !is_before(c, all[found - 1]->id, next))
        found--;
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
