#include "daemon/commit.h"

#include <errno.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "daemon/commit-extras.h"
#include "daemon/commit-teller.h"

#define RETRY_MIN_USEC (100 * USEC_PER_MSEC)
#define RETRY_MAX_USEC (5 * USEC_PER_SEC)

/* How long what is in no hurry waits for company. */
#define LATER_USEC (50 * USEC_PER_MSEC)

TAILQ_HEAD(ChangedTasks, Task);
TAILQ_HEAD(ChangedGroups, Group);

struct CommitQueue {
    Store *store; /* not owned */
    const CommitEvents *events;
    void *userdata;
    sd_event_source *begin; /* enabled: a commit is to begin */
    sd_event_source *later; /* enabled: one is to begin when its time is over */
    sd_event_source *retry;
    uint64_t retry_usec; /* the pause before the next try */
    int error;
    CommitTeller *teller;

    /* What the next commit will have. */
    bool urgent; /* something of it is in a hurry */
    struct ChangedTasks changed;
    struct ChangedGroups changed_groups;
    struct CommitExtras extras;
    CommitCalls waiting;

    /* The one under way. */
    StoreBatch *batch;
    Task **tasks;
    size_t n_tasks;
    Group **groups; /* NULL in it: removed meanwhile */
    size_t n_groups;
    struct CommitExtras saving_extras;
    CommitCalls saving_waiting;
};

/* ---- the end of a commit ---- */

static void want_commit(CommitQueue *q) {
    q->urgent = true;
    /* After a failure the timer says when: until then nothing is tried. */
    if (q->batch || sd_event_source_get_enabled(q->retry, NULL) > 0)
        return;
    (void)sd_event_source_set_enabled(q->begin, SD_EVENT_ONESHOT);
}

static void want_later(CommitQueue *q) {
    if (q->urgent || q->batch || sd_event_source_get_enabled(q->retry, NULL) > 0 ||
        sd_event_source_get_enabled(q->later, NULL) > 0)
        return;
    if (sd_event_source_set_time_relative(q->later, LATER_USEC) < 0 ||
        sd_event_source_set_enabled(q->later, SD_EVENT_ONESHOT) < 0)
        want_commit(q);
}

static void relist(CommitQueue *q, Task *t) {
    if (t->is_listed)
        return;
    t->is_listed = true;
    TAILQ_INSERT_TAIL(&q->changed, t, changed);
}

static void relist_group(CommitQueue *q, Group *g) {
    if (g->is_listed)
        return;
    g->is_listed = true;
    TAILQ_INSERT_TAIL(&q->changed_groups, g, changed);
}

static void relist_groups(CommitQueue *q, Group *const *groups, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (groups[i])
            relist_group(q, groups[i]);
}

/* Also those that have asked meanwhile: what they asked for may rest on what is refused now. */
static void keep_for_retry(CommitQueue *q, CommitCalls *failed, int error) {
    CommitCalls meanwhile = q->waiting, kept = {};

    q->waiting = (CommitCalls){};
    commit_calls_refuse(failed, &kept, error);
    commit_calls_refuse(&meanwhile, &kept, error);
    commit_calls_refuse(&q->waiting, &kept, error); /* of those that were told */
    q->waiting = kept;
}

static void plan_retry(CommitQueue *q) {
    int r = sd_event_source_set_time_relative(q->retry, q->retry_usec);

    if (r >= 0)
        r = sd_event_source_set_enabled(q->retry, SD_EVENT_ONESHOT);
    if (r < 0)
        log_warning_errno(r, "Cannot set the timer for the next try to write the state");
    q->retry_usec = MIN(q->retry_usec * 2, RETRY_MAX_USEC);
}

static void failed(CommitQueue *q, Task **tasks, size_t n, CommitCalls *waiting, int error) {
    if (q->error != error)
        log_error("Cannot write the state: %s. What is running goes on, nothing new is started; "
                  "trying again until it can be written",
                  strerror(-error));
    q->error = error;
    for (size_t i = 0; i < n; i++)
        if (tasks[i])
            relist(q, tasks[i]);
    STAILQ_CONCAT(&q->saving_extras, &q->extras);
    STAILQ_CONCAT(&q->extras, &q->saving_extras);
    plan_retry(q);
    /* From here on tasks may go: those that were withdrawn are freed. */
    q->events->committed(q->userdata, tasks, n, error);
    keep_for_retry(q, waiting, error);
}

static void succeeded(CommitQueue *q, Task **tasks, size_t n, CommitCalls *waiting) {
    if (q->error < 0)
        log_notice("The state can be written again");
    q->error = 0;
    q->retry_usec = RETRY_MIN_USEC;
    commit_extras_clear(&q->saving_extras);
    for (size_t i = 0; i < n; i++) {
        tasks[i]->stored = true;
        tasks[i]->is_changed = tasks[i]->is_listed;
    }
    q->events->committed(q->userdata, tasks, n, 0);
    commit_teller_tell(q->teller, waiting);
}

static void begin_next(CommitQueue *q) {
    if (q->urgent)
        want_commit(q);
    else if (!TAILQ_EMPTY(&q->changed) || !TAILQ_EMPTY(&q->changed_groups) || q->waiting.count > 0)
        want_later(q);
}

static void forget_batch(CommitQueue *q) {
    q->batch = store_batch_free(q->batch);
    free(TAKE_PTR(q->tasks));
    free(TAKE_PTR(q->groups));
    q->n_tasks = q->n_groups = 0;
}

static void on_committed(void *userdata, int error) {
    CommitQueue *q = userdata;
    _cleanup_free_ Task **tasks = TAKE_PTR(q->tasks);
    CommitCalls waiting = q->saving_waiting;
    size_t n = q->n_tasks;

    q->saving_waiting = (CommitCalls){};
    if (error < 0)
        relist_groups(q, q->groups, q->n_groups);
    forget_batch(q);
    if (error < 0)
        failed(q, tasks, n, &waiting, error);
    else
        succeeded(q, tasks, n, &waiting);
    begin_next(q);
}

/* There is nothing to write, which says nothing about the disk. */
static void end_empty(CommitQueue *q) {
    CommitCalls waiting = q->saving_waiting;

    forget_batch(q);
    q->saving_waiting = (CommitCalls){};
    commit_teller_tell(q->teller, &waiting);
    begin_next(q);
}

/* ---- its beginning ---- */

static int put_tasks(CommitQueue *q) {
    size_t n = 0;
    Task *t;

    TAILQ_FOREACH (t, &q->changed, changed)
        n++;
    q->tasks = calloc(n + 1, sizeof(Task *));
    if (!q->tasks)
        return -ENOMEM;
    TAILQ_FOREACH (t, &q->changed, changed) {
        int r = store_batch_put_task(q->batch, t, t->claim != TASK_CLAIM_NONE);
        if (r < 0)
            return r;
        q->tasks[q->n_tasks++] = t;
    }
    return 0;
}

static int put_groups(CommitQueue *q) {
    size_t n = 0;
    Group *g;

    TAILQ_FOREACH (g, &q->changed_groups, changed)
        n++;
    q->groups = calloc(n + 1, sizeof(Group *));
    if (!q->groups)
        return -ENOMEM;
    TAILQ_FOREACH (g, &q->changed_groups, changed) {
        int r = store_batch_put_group(q->batch, g);
        if (r < 0)
            return r;
        q->groups[q->n_groups++] = g;
    }
    return 0;
}

/* Groups come after removals: one that is removed is not in the list, and what has the same name is
 * another one. */
static int make_batch(CommitQueue *q) {
    q->batch = store_batch_new();
    if (!q->batch)
        return -ENOMEM;
    int r = put_tasks(q);
    if (r >= 0)
        r = commit_extras_put(&q->extras, q->batch);
    return r < 0 ? r : put_groups(q);
}

static void take_all(CommitQueue *q) {
    q->urgent = false;
    (void)sd_event_source_set_enabled(q->later, SD_EVENT_OFF);
    for (size_t i = 0; i < q->n_tasks; i++)
        q->tasks[i]->is_listed = false;
    for (size_t i = 0; i < q->n_groups; i++)
        q->groups[i]->is_listed = false;
    TAILQ_INIT(&q->changed);
    TAILQ_INIT(&q->changed_groups);
    STAILQ_INIT(&q->saving_extras);
    STAILQ_CONCAT(&q->saving_extras, &q->extras);
    q->saving_waiting = q->waiting;
    q->waiting = (CommitCalls){};
}

static int on_begin(sd_event_source *s, void *userdata) {
    CommitQueue *q = userdata;
    int r;

    if (q->batch)
        return 0;
    q->events->prepare(q->userdata);
    r = make_batch(q);
    if (r >= 0 && !store_batch_is_empty(q->batch))
        r = store_commit(q->store, q->batch, on_committed, q);
    if (r < 0) {
        log_warning_errno(r, "Cannot begin to write the state, trying again");
        forget_batch(q);
        plan_retry(q);
        return 0;
    }
    take_all(q);
    if (store_batch_is_empty(q->batch))
        end_empty(q);
    return 0;
}

static int on_retry(sd_event_source *s, uint64_t usec, void *userdata) {
    (void)sd_event_source_set_enabled(((CommitQueue *)userdata)->begin, SD_EVENT_ONESHOT);
    return 0;
}

static int on_later(sd_event_source *s, uint64_t usec, void *userdata) {
    want_commit(userdata);
    return 0;
}

/* ---- the face ---- */

int commit_queue_new(CommitQueue **ret, sd_event *event, Store *store, const CommitEvents *events,
                     void *userdata) {
    CommitQueue *q = calloc(1, sizeof(CommitQueue));
    int r;

    if (!q)
        return -ENOMEM;
    *q = (CommitQueue){
        .store = store, .events = events, .userdata = userdata, .retry_usec = RETRY_MIN_USEC};
    TAILQ_INIT(&q->changed);
    TAILQ_INIT(&q->changed_groups);
    STAILQ_INIT(&q->extras);
    STAILQ_INIT(&q->saving_extras);
    r = commit_teller_new(&q->teller, event, events->is_busy, userdata);
    if (r >= 0)
        r = sd_event_add_defer(event, &q->begin, on_begin, q);
    if (r >= 0)
        r = sd_event_source_set_enabled(q->begin, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_time(event, &q->retry, CLOCK_MONOTONIC, 0, 0, on_retry, q);
    if (r >= 0)
        r = sd_event_source_set_enabled(q->retry, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_time(event, &q->later, CLOCK_MONOTONIC, 0, 0, on_later, q);
    if (r >= 0)
        r = sd_event_source_set_enabled(q->later, SD_EVENT_OFF);
    if (r < 0) {
        commit_queue_free(q);
        return r;
    }
    (void)sd_event_source_set_description(q->begin, "commit");
    *ret = q;
    return 0;
}

CommitQueue *commit_queue_free(CommitQueue *q) {
    if (!q)
        return NULL;
    sd_event_source_disable_unref(q->begin);
    sd_event_source_disable_unref(q->retry);
    sd_event_source_disable_unref(q->later);
    commit_extras_clear(&q->extras);
    commit_extras_clear(&q->saving_extras);
    commit_calls_free(&q->waiting);
    commit_calls_free(&q->saving_waiting);
    commit_teller_free(q->teller);
    forget_batch(q);
    free(q);
    return NULL;
}

void commit_queue_put(CommitQueue *q, Task *t) {
    t->is_changed = true;
    relist(q, t);
    want_commit(q);
}

void commit_queue_put_later(CommitQueue *q, Task *t) {
    t->is_changed = true;
    relist(q, t);
    want_later(q);
}

void commit_queue_withdraw(CommitQueue *q, Task *t) {
    if (t->is_listed)
        TAILQ_REMOVE(&q->changed, t, changed);
    t->is_listed = t->is_changed = false;
}

int commit_queue_remove(CommitQueue *q, uint64_t id) {
    if (!commit_extras_add(&q->extras, COMMIT_REMOVE_TASK, id, NULL))
        return -ENOMEM;
    want_commit(q);
    return 0;
}

int commit_queue_put_result(CommitQueue *q, uint64_t id, char *json) {
    if (!commit_extras_add(&q->extras, COMMIT_PUT_RESULT, id, json)) {
        free(json);
        return -ENOMEM;
    }
    want_commit(q);
    return 0;
}

int commit_queue_put_attempt(CommitQueue *q, uint64_t id, const TaskAttempt *attempt) {
    int r = commit_extras_add_attempt(&q->extras, id, attempt);

    if (r >= 0)
        want_commit(q);
    return r;
}

void commit_queue_put_group(CommitQueue *q, Group *g, bool later) {
    relist_group(q, g);
    if (later)
        want_later(q);
    else
        want_commit(q);
}

/* The one under way may have it, too: should that fail, it is not to be put in again. */
static void forget_group(CommitQueue *q, Group *g) {
    if (g->is_listed)
        TAILQ_REMOVE(&q->changed_groups, g, changed);
    g->is_listed = false;
    for (size_t i = 0; i < q->n_groups; i++)
        if (q->groups[i] == g)
            q->groups[i] = NULL;
}

int commit_queue_remove_group(CommitQueue *q, Group *g) {
    _cleanup_free_ char *name = strdup(g->name);

    if (!name || !commit_extras_add(&q->extras, COMMIT_REMOVE_GROUP, 0, name))
        return -ENOMEM;
    TAKE_PTR(name);
    forget_group(q, g);
    want_commit(q);
    return 0;
}

int commit_queue_put_resource(CommitQueue *q, const char *name, uint32_t capacity) {
    _cleanup_free_ char *copy = strdup(name);
    CommitExtra *e = copy ? commit_extras_add(&q->extras, COMMIT_PUT_RESOURCE, 0, copy) : NULL;

    if (!e)
        return -ENOMEM;
    TAKE_PTR(copy);
    e->capacity = capacity;
    want_commit(q);
    return 0;
}

int commit_queue_put_backend(CommitQueue *q, const char *name, const char *settings, bool polling) {
    int r = commit_extras_add_backend(&q->extras, name, settings, polling);

    if (r >= 0)
        want_commit(q);
    return r;
}

int commit_queue_remove_backend(CommitQueue *q, const char *name) {
    _cleanup_free_ char *copy = strdup(name);

    if (!copy || !commit_extras_add(&q->extras, COMMIT_REMOVE_BACKEND, 0, copy))
        return -ENOMEM;
    TAKE_PTR(copy);
    want_commit(q);
    return 0;
}

int commit_queue_put_operation(CommitQueue *q, uint64_t id, const char *json) {
    _cleanup_free_ char *copy = json ? strdup(json) : NULL;

    if ((json && !copy) || !commit_extras_add(&q->extras, COMMIT_PUT_OPERATION, id, copy))
        return -ENOMEM;
    TAKE_PTR(copy);
    want_commit(q);
    return 0;
}

int commit_queue_add(CommitQueue *q, CommitFunc func, void *userdata, void *arg) {
    int r =
        commit_calls_add(&q->waiting, (CommitCall){.func = func, .userdata = userdata, .arg = arg});

    if (r >= 0)
        want_commit(q);
    return r;
}

static bool add_call(CommitQueue *q, CommitFunc func, void *userdata, void *arg) {
    CommitCall call = {.func = func, .userdata = userdata, .arg = arg, .must = true};
    int r = commit_calls_add(&q->waiting, call);

    if (r < 0) {
        log_warning_errno(r, "Cannot wait for a commit, going on without");
        func(userdata, arg, 0);
    }
    return r >= 0;
}

void commit_queue_call(CommitQueue *q, CommitFunc func, void *userdata, void *arg) {
    if (add_call(q, func, userdata, arg))
        want_commit(q);
}

void commit_queue_call_later(CommitQueue *q, CommitFunc func, void *userdata, void *arg) {
    if (add_call(q, func, userdata, arg))
        want_later(q);
}

void commit_queue_hurry(CommitQueue *q) {
    if (sd_event_source_get_enabled(q->retry, NULL) <= 0)
        return;
    (void)sd_event_source_set_enabled(q->retry, SD_EVENT_OFF);
    want_commit(q);
}

bool commit_queue_is_empty(const CommitQueue *q) {
    return !q->batch && TAILQ_EMPTY(&q->changed) && TAILQ_EMPTY(&q->changed_groups) &&
           STAILQ_EMPTY(&q->extras) && q->waiting.count == 0 && commit_teller_is_empty(q->teller);
}

void commit_queue_flush(CommitQueue *q) {
    commit_teller_flush(q->teller);
}

void commit_queue_begin(CommitQueue *q) {
    want_commit(q);
}

int commit_queue_error(const CommitQueue *q) {
    return q->error;
}
