#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/remove-tree.h"
#include "daemon/logs/task-log.h"
#include "daemon/manager-private.h"

/* Tasks that have ended: they leave memory, are read from the disk when somebody asks for them, and
 * are removed at last. While anything is being read nothing leaves memory, so that a task is always
 * found in the one or the other. */

/* What ended in the meantime shares one look at what is to go. */
#define RETENTION_PAUSE_USEC (1 * USEC_PER_SEC)
#define RETENTION_AGE_USEC (10 * USEC_PER_MINUTE)

/* So many times in a row it is put off. */
#define RETENTION_PUT_OFF_MAX 10

/* ---- removed tasks ---- */

/* A read that began before the removal may still bring the task; it must not come back. */
typedef struct Gone {
    uint64_t id;
    bool committed;
    UT_hash_handle hh;
} Gone;

bool manager_is_gone(const Manager *m, uint64_t id) {
    Gone *g;

    HASH_FIND(hh, m->gone, &id, sizeof(id), g);
    return g;
}

static void forget_gone(Manager *m, bool all) {
    Gone *g, *next;

    HASH_ITER (hh, m->gone, g, next) {
        if (!all && !g->committed)
            return; /* they are committed in the order in which they came */
        HASH_DEL(m->gone, g);
        free(g);
    }
}

static int on_settle(sd_event_source *s, void *userdata) {
    Manager *m = userdata;

    if (store_reads(m->store) > 0)
        return 0; /* it is called again when they are over */
    forget_gone(m, false);
    task_table_evict(&m->tasks, env_table_size(m->envs) > MANAGER_ENDED_ENVIRONMENTS_MAX);
    return 0;
}

/* In a turn of the loop of its own: others who are called about the same commit may still have to
 * do with the tasks. */
void manager_settle(Manager *m) {
    (void)sd_event_source_set_enabled(m->settling, SD_EVENT_ONESHOT);
}

/* Its result lay there before it was in the store. */
static void remove_runtime(const Manager *m, uint64_t id) {
    _cleanup_free_ char *dir = state_dir_task_runtime(&m->dirs, id);

    if (dir && rmdir(dir) < 0 && errno != ENOENT)
        remove_tree(dir, NULL);
}

static void on_row_removed(void *userdata, void *arg, int error) {
    task_free(arg);
}

static void on_removed(void *userdata, void *arg, int error) {
    Manager *m = userdata;
    Gone *g = arg;

    task_log_remove(m->dirs.logs, g->id);
    remove_runtime(m, g->id);
    bus_publisher_task_removed(m->bus->publisher, g->id);
    g->committed = true;
    manager_settle(m);
}

int manager_remove_id(Manager *m, uint64_t id) {
    Task *t = task_table_find(&m->tasks, id);
    Gone *g;
    int r;

    if (manager_is_gone(m, id))
        return 0;
    g = calloc(1, sizeof(Gone));
    r = g ? commit_queue_remove(m->commits, id) : -ENOMEM;
    if (r < 0) {
        free(g);
        return r;
    }
    g->id = id;
    HASH_ADD(hh, m->gone, id, sizeof(g->id), g);
    if (t) {
        commit_queue_withdraw(m->commits, t);
        task_table_take(&m->tasks, t);
        commit_queue_call(m->commits, on_row_removed, m, t);
    }
    commit_queue_call(m->commits, on_removed, m, g);
    return 1;
}

void manager_remove_task(void *userdata, Task *t) {
    uint64_t id = t->id;

    if (manager_remove_id(userdata, id) < 0)
        log_full(LOG_WARNING, id, "Cannot be removed: out of memory");
}

/* ---- what is to be kept ---- */

static void look_what_is_to_go(Manager *m);

static void look_in(Manager *m, uint64_t usec) {
    (void)sd_event_source_set_time_relative(m->retention, usec);
    (void)sd_event_source_set_enabled(m->retention, SD_EVENT_ONESHOT);
}

static void look_soon(Manager *m) {
    m->retention_soon = true;
    look_in(m, RETENTION_PAUSE_USEC);
}

/* While tasks wait they come first, but not for ever. */
static bool put_off_retention(Manager *m) {
    if (m->scheduler.queued == 0 || m->retention_put_off == RETENTION_PUT_OFF_MAX)
        return false;
    m->retention_put_off++;
    look_soon(m);
    return true;
}

static void on_excess(void *userdata, int error, const uint64_t *ids, size_t n) {
    Manager *m = userdata;

    m->retention_under_way = false;
    if (error < 0)
        log_warning_errno(error, "Cannot tell which ended tasks are to be removed, ignoring");
    for (size_t i = 0; i < n; i++)
        (void)manager_remove_id(m, ids[i]);
    manager_settle(m);
    if (n < STORE_IDS_MAX)
        m->retention_put_off = 0;
    else if (!put_off_retention(m))
        look_what_is_to_go(m);
}

static void on_time_to_look(void *userdata, void *arg, int error) {
    Manager *m = userdata;
    uint64_t age = m->config.history_max_age_usec, now = clock_usec(CLOCK_REALTIME);
    StoreLimits limits = {
        .tasks = m->config.history_max,
        .log_bytes = m->config.logs_max,
        .ended_since = age > 0 && age < now ? now - age : 0,
    };

    if (store_excess_ids(m->store, &limits, on_excess, m) < 0)
        m->retention_under_way = false;
}

/* Behind the removals that are under way: they count as there until then. */
static void look_what_is_to_go(Manager *m) {
    if (m->retention_under_way || m->stopping)
        return;
    m->retention_under_way = true;
    commit_queue_call(m->commits, on_time_to_look, m, NULL);
}

static int on_retention(sd_event_source *s, uint64_t usec, void *userdata) {
    Manager *m = userdata;

    m->retention_soon = false;
    if (put_off_retention(m))
        return 0;
    look_what_is_to_go(m);
    if (m->config.history_max_age_usec > 0)
        look_in(m, RETENTION_AGE_USEC); /* they grow old though none ends */
    return 0;
}

void manager_forget_ended(Manager *m) {
    manager_settle(m);
    if (!m->retention_soon)
        look_soon(m);
}

int manager_init_history(Manager *m) {
    int r = sd_event_add_time(m->event, &m->retention, CLOCK_MONOTONIC, 0, 0, on_retention, m);

    if (r >= 0)
        r = sd_event_source_set_enabled(m->retention, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_defer(m->event, &m->settling, on_settle, m);
    return r < 0 ? r : sd_event_source_set_enabled(m->settling, SD_EVENT_OFF);
}

void manager_done_history(Manager *m) {
    sd_event_source_disable_unref(m->settling);
    sd_event_source_disable_unref(m->retention);
    forget_gone(m, true);
}

/* ---- recall ---- */

typedef struct RecallCall {
    Manager *manager;
    void (*func)(void *arg, int error);
    void *arg;
} RecallCall;

static void on_recalled(void *userdata, int error, Task **tasks, size_t n, uint64_t next) {
    _cleanup_free_ RecallCall *c = userdata;
    Manager *m = c->manager;

    for (size_t i = 0; i < n; i++) {
        Task *t = tasks[i];
        if (!t || !task_is_final(t) || manager_is_gone(m, t->id) ||
            task_table_find(&m->tasks, t->id))
            continue;
        t->told = true;
        task_table_add(&m->tasks, t);
        tasks[i] = NULL;
    }
    c->func(c->arg, error);
    manager_settle(m);
}

int manager_recall(void *userdata, const uint64_t *ids, size_t n,
                   void (*func)(void *arg, int error), void *arg) {
    Manager *m = userdata;
    RecallCall *c = malloc(sizeof(RecallCall));
    int r;

    if (!c)
        return -ENOMEM;
    *c = (RecallCall){.manager = m, .func = func, .arg = arg};
    r = store_read_tasks(m->store, m->envs, ids, n, on_recalled, c);
    if (r < 0)
        free(c);
    return r;
}

/* ---- prune ---- */

typedef struct PruneCall {
    Manager *manager;
    TaskFilter filter;
    uint32_t removed;
    void (*func)(void *arg, int error, uint32_t removed);
    void *arg;
} PruneCall;

static void prune_end(PruneCall *c, int error) {
    c->func(c->arg, error, c->removed);
    manager_filter_done(&c->filter);
    free(c);
}

static void prune_next(void *userdata, void *arg, int error);

static void on_matched(void *userdata, int error, const uint64_t *ids, size_t n) {
    PruneCall *c = userdata;
    Manager *m = c->manager;
    int r = error;

    for (size_t i = 0; r >= 0 && i < n; i++) {
        r = manager_remove_id(m, ids[i]);
        c->removed += r > 0;
    }
    if (r >= 0 && n > 0)
        r = commit_queue_add(m->commits, prune_next, m, c);
    if (r < 0 || n == 0)
        prune_end(c, r);
    manager_settle(m);
}

/* What was found is gone from the disk. */
static void prune_next(void *userdata, void *arg, int error) {
    PruneCall *c = arg;
    int r = error;

    if (r >= 0)
        r = store_match_ids(c->manager->store, &c->filter, on_matched, c);
    if (r < 0)
        prune_end(c, r);
}

int manager_prune(void *userdata, const TaskFilter *filter,
                  void (*func)(void *arg, int error, uint32_t removed), void *arg) {
    Manager *m = userdata;
    PruneCall *c = calloc(1, sizeof(PruneCall));
    int r;

    if (!c)
        return -ENOMEM;
    *c = (PruneCall){.manager = m, .func = func, .arg = arg};
    r = manager_filter_keep(&c->filter, filter);
    if (r >= 0) {
        /* Behind the ends that are on their way to the disk. */
        r = commit_queue_add(m->commits, prune_next, m, c);
        if (r < 0)
            manager_filter_done(&c->filter);
    }
    if (r < 0)
        free(c);
    return r;
}
