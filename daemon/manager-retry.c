#include <errno.h>
#include <inttypes.h>

#include "daemon/core/task-options.h"
#include "daemon/manager-private.h"

/* Tasks that have ended are started again: a new task each, with the same request. */

/* ---- one ---- */

/* The request without what spoke of its first start, and without a parent that is gone, or that is
 * a series: that starts its runs itself, one at a time. */
static TaskSpec *copy_request(const Manager *m, const TaskSpec *spec) {
    TaskSpec *copy = task_spec_copy(spec, TASK_OPTION_FIRST | TASK_OPTION_CALL);
    const Task *parent = spec->parent > 0 ? task_table_find(&m->tasks, spec->parent) : NULL;

    if (copy && (!parent || task_is_final(parent) || task_spec_is_series(parent->spec)))
        copy->parent = 0;
    return copy;
}

/* The defaults of its group were filled in then. */
static int make_request(Manager *m, const Task *t, TaskSpec **ret, Error *error) {
    _cleanup_(task_spec_freep) TaskSpec *copy = copy_request(m, t->spec);
    int r = copy ? manager_check_again(m, &copy, error) : -ENOMEM;

    if (r < 0) {
        error_prefix(error, "task %" PRIu64 " cannot be started again: ", t->id);
        return r;
    }
    *ret = TAKE_PTR(copy);
    return 0;
}

int manager_retry(void *userdata, const Task *t, uint64_t *ret_id, Error *error) {
    Manager *m = userdata;
    _cleanup_(task_spec_freep) TaskSpec *spec = NULL;
    int r = make_request(m, t, &spec, error);

    return r < 0 ? r : manager_start_again(m, &spec, &t->id, 1, ret_id, error);
}

/* ---- all that match ---- */

/* So many are read from disk at a time. */
#define READ_MAX 256

/* More than can be started need not be looked at. */
#define ROOM_SLACK 10000

typedef struct RetryCall {
    Manager *manager;
    TaskFilter filter;
    uint64_t *ids; /* that match; from here on, of the tasks in specs */
    size_t n_ids, allocated;
    size_t n_read; /* of the ids */
    TaskSpec **specs;
    size_t n_specs;
    size_t bytes; /* of the specs */
    void (*func)(void *arg, int result, const uint64_t *ids, size_t n, const Error *error);
    void *arg;
} RetryCall;

static RetryCall *retry_call_free(RetryCall *c) {
    for (size_t i = 0; i < c->n_specs; i++)
        task_spec_free(c->specs[i]);
    free(c->specs);
    free(c->ids);
    manager_filter_done(&c->filter);
    free(c);
    return NULL;
}

static void retry_end(RetryCall *c, int r, const uint64_t *ids, Error *error) {
    Manager *m = c->manager;

    c->func(c->arg, r, ids, r < 0 ? 0 : c->n_specs, error);
    retry_call_free(c);
    manager_settle(m);
}

static void start_all(RetryCall *c) {
    _cleanup_free_ uint64_t *started = calloc(c->n_specs + 1, sizeof(uint64_t));
    _cleanup_error_ Error error = {};
    int r = started ? 0 : -ENOMEM;

    if (r >= 0 && c->n_specs > 0)
        r = manager_start_again(c->manager, c->specs, c->ids, c->n_specs, started, &error);
    if (r < 0)
        error_prefix(&error, "%zu tasks match: ", c->n_specs);
    retry_end(c, r, started, &error);
}

/* ---- their requests ---- */

static int add_request(RetryCall *c, const Task *t, Error *error) {
    TaskSpec *spec;
    int r = make_request(c->manager, t, &spec, error);

    if (r < 0)
        return r;
    c->ids[c->n_specs] = t->id; /* of one that was read, whose place is not before */
    c->specs[c->n_specs++] = spec;
    c->bytes += task_spec_size(spec);
    if (c->bytes > SCHEDULER_QUEUED_BYTES_MAX)
        return error_set(error, ERROR_QUEUE_FULL,
                         "the requests of the %zu tasks that match would take more memory than "
                         "the queue has: name fewer",
                         c->n_ids);
    return 0;
}

static void read_next(RetryCall *c);

static void on_read(void *userdata, int result, Task **tasks, size_t n, uint64_t next) {
    _cleanup_error_ Error error = {};
    RetryCall *c = userdata;
    int r = result;

    /* Those that have been removed meanwhile are left out. */
    for (size_t i = 0; r >= 0 && i < n; i++)
        if (tasks[i] && task_is_final(tasks[i]) && !manager_is_gone(c->manager, tasks[i]->id))
            r = add_request(c, tasks[i], &error);
    if (r < 0)
        retry_end(c, r, NULL, &error);
    else
        read_next(c);
}

static void read_next(RetryCall *c) {
    size_t n = MIN(c->n_ids - c->n_read, (size_t)READ_MAX);

    if (n == 0) {
        start_all(c);
        return;
    }
    const uint64_t *ids = c->ids + c->n_read;
    c->n_read += n;
    int r = store_read_tasks(c->manager->store, c->manager->envs, ids, n, on_read, c);
    if (r < 0)
        retry_end(c, r, NULL, NULL);
}

static void read_all(RetryCall *c) {
    c->specs = calloc(c->n_ids + 1, sizeof(TaskSpec *));
    if (c->specs)
        read_next(c);
    else
        retry_end(c, -ENOMEM, NULL, NULL);
}

/* ---- which they are ---- */

static void on_counted(void *userdata, int result, const uint32_t counts[_TASK_STATE_MAX]) {
    _cleanup_error_ Error error = {};
    RetryCall *c = userdata;
    uint64_t n = 0;

    if (result < 0) {
        retry_end(c, result, NULL, NULL);
        return;
    }
    for (size_t i = 0; i < _TASK_STATE_MAX; i++)
        n += counts[i];
    error_set(&error, ERROR_QUEUE_FULL,
              "%" PRIu64 " tasks match, %u wait already and the queue takes %u: name fewer (group, "
              "kind, label, since), or raise MaxQueued= in longrun.conf",
              n, c->manager->scheduler.queued, c->manager->scheduler.max_queued);
    retry_end(c, -EREMOTE, NULL, &error);
}

static void refuse_many(RetryCall *c) {
    int r = store_count(c->manager->store, &c->filter, on_counted, c);

    if (r < 0)
        retry_end(c, r, NULL, NULL);
}

static int add_ids(RetryCall *c, const uint64_t *ids, size_t n) {
    if (c->n_ids + n > c->allocated) {
        size_t grown_to = MAX(c->allocated * 2, c->n_ids + n);
        uint64_t *grown = realloc(c->ids, grown_to * sizeof(uint64_t));
        if (!grown)
            return -ENOMEM;
        c->ids = grown;
        c->allocated = grown_to;
    }
    for (size_t i = 0; i < n; i++)
        c->ids[c->n_ids++] = ids[i];
    return 0;
}

static void match_next(RetryCall *c);

static void on_matched(void *userdata, int result, const uint64_t *ids, size_t n) {
    RetryCall *c = userdata;
    int r = result < 0 ? result : add_ids(c, ids, n);

    if (r < 0)
        retry_end(c, r, NULL, NULL);
    else if (c->n_ids > (size_t)c->manager->scheduler.max_queued + ROOM_SLACK)
        refuse_many(c);
    else if (n == STORE_IDS_MAX) {
        c->filter.cursor = ids[n - 1] + 1;
        match_next(c);
    } else
        read_all(c);
}

static void match_next(RetryCall *c) {
    int r = store_match_ids(c->manager->store, &c->filter, on_matched, c);

    if (r < 0)
        retry_end(c, r, NULL, NULL);
}

static void on_ends_committed(void *userdata, void *arg, int error) {
    RetryCall *c = arg;

    if (error < 0)
        retry_end(c, error, NULL, NULL);
    else
        match_next(c);
}

int manager_retry_all(void *userdata, const TaskFilter *filter,
                      void (*func)(void *arg, int result, const uint64_t *ids, size_t n,
                                   const Error *error),
                      void *arg) {
    Manager *m = userdata;
    RetryCall *c = calloc(1, sizeof(RetryCall));
    int r;

    if (!c)
        return -ENOMEM;
    *c = (RetryCall){.manager = m, .func = func, .arg = arg};
    r = manager_filter_keep(&c->filter, filter);
    if (r < 0) {
        free(c);
        return r;
    }
    c->filter.not_retried = true;
    /* Behind the ends, and the starts, that are on their way to the disk. */
    r = commit_queue_add(m->commits, on_ends_committed, m, c);
    if (r < 0)
        retry_call_free(c);
    return r;
}
