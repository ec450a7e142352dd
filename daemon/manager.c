#include "daemon/manager.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/journal-lines.h"
#include "common/log.h"
#include "daemon/bus/bus-emit.h"
#include "daemon/logout.h"
#include "daemon/logs/task-log.h"
#include "daemon/manager-private.h"

/* ---- what the bus asks ---- */

TaskSpec *manager_new_spec(void *userdata, const char *kind) {
    const Manager *m = userdata;
    TaskDefaults defaults = {
        .cwd = m->home,
        .stop_timeout_usec = m->config.stop_timeout_usec,
        .log_max = m->config.log_max,
        .result_max = m->config.result_max,
    };

    return task_spec_new(kind, &defaults);
}

static EnvBlock *intern_env(void *userdata, char *const *env) {
    return env_table_intern(((Manager *)userdata)->envs, env);
}

static TaskTable *tasks(void *userdata) {
    return &((Manager *)userdata)->tasks;
}

static const BusKind *kinds(void *userdata) {
    return ((Manager *)userdata)->kinds;
}

static unsigned running(void *userdata) {
    return ((Manager *)userdata)->scheduler.running;
}

static unsigned queued(void *userdata) {
    return ((Manager *)userdata)->scheduler.queued;
}

static unsigned max_parallel(void *userdata) {
    return ((Manager *)userdata)->scheduler.max_parallel;
}

static void set_max_parallel(void *userdata, unsigned number) {
    Manager *m = userdata;

    manager_take_back_ahead(m);
    m->scheduler.max_parallel = number;
    manager_schedule(m);
}

static const char *isolation(void *userdata) {
    return shim_executor_isolation(((Manager *)userdata)->shims);
}

static bool low_disk(void *userdata) {
    return ((Manager *)userdata)->low_disk;
}

static bool ends_at_logout(void *userdata) {
    return logout_ends_us();
}

static int reload(void *userdata, Error *error) {
    return manager_reload(userdata, error);
}

/* A reply that waits for a commit. */
typedef struct Continuation {
    void (*func)(void *arg, int error);
    void *arg;
} Continuation;

static void on_continue(void *userdata, void *arg, int error) {
    Continuation *c = arg;

    c->func(c->arg, error);
    free(c);
}

static int when_committed(void *userdata, void (*func)(void *arg, int error), void *arg) {
    Manager *m = userdata;
    Continuation *c = malloc(sizeof(Continuation));
    int r;

    if (!c)
        return -ENOMEM;
    *c = (Continuation){.func = func, .arg = arg};
    r = commit_queue_add(m->commits, on_continue, m, c);
    if (r < 0)
        free(c);
    return r;
}

static const BusApi bus_api = {
    .check = manager_check_spec,
    .check_calendars = manager_check_calendars,
    .start = manager_start_tasks,
    .cancel = manager_cancel_task,
    .kill = manager_kill_task,
    .set_label = manager_set_label,
    .set_priority = manager_set_priority,
    .retry = manager_retry,
    .retry_all = manager_retry_all,
    .pause = manager_pause_task,
    .write_stdin = manager_write_stdin,
    .drop_stdin = manager_drop_stdin,
    .send = manager_send,
    .send_to_children = manager_send_to_children,
    .remove = manager_remove_task,
    .open_log = manager_open_log,
    .open_log_index = manager_open_log_index,
    .log_path = manager_log_path,
    .read_log = manager_read_log,
    .take_result = manager_take_result,
    .reload = reload,
    .new_spec = manager_new_spec,
    .intern_env = intern_env,
    .tasks = tasks,
    .kinds = kinds,
    .running = running,
    .queued = queued,
    .max_parallel = max_parallel,
    .set_max_parallel = set_max_parallel,
    .when_committed = when_committed,
    .new_log_lines = manager_new_log_lines,
    .recall = manager_recall,
    .list = manager_list,
    .count = manager_count,
    .prune = manager_prune,
    .isolation = isolation,
    .low_disk = low_disk,
    .ends_at_logout = ends_at_logout,
    .usage = manager_usage,
    .reason = manager_reason,
    .configure_group = manager_configure_group,
    .remove_group = manager_remove_group,
    .order_group = manager_order_group,
    .next_group = manager_next_group,
    .configure_resource = manager_configure_resource,
    .next_resource = manager_next_resource,
    .backends = &manager_backend_api,
};

/* ---- configuration ---- */

static unsigned configured_parallel(const Manager *m) {
    return m->has_max_parallel ? m->max_parallel : m->config.max_parallel;
}

/* What tasks print is in their logs in any case. */
static void check_journal(const Manager *m) {
    if (m->config.journal && access(JOURNAL_SOCKET, W_OK) < 0)
        log_warning("Journal=yes, but there is no journal at " JOURNAL_SOCKET ", ignoring: %s",
                    strerror(errno));
}

int manager_reload(Manager *m, Error *error) {
    unsigned before = configured_parallel(m);
    Config config, old = m->config;
    int r = config_load(m->config_path, m->config_required, &config, error);

    if (r < 0)
        return r;
    m->config = config;
    m->scheduler.max_queued = m->config.max_queued;
    /* What was set over the bus holds until the file says something new. */
    if (configured_parallel(m) != before) {
        set_max_parallel(m, configured_parallel(m));
        bus_emit_manager_property(m->bus->bus, "MaxParallel");
    }
    manager_follow_config_resources(m, &old.resources);
    manager_follow_config_backends(m);
    config_done(&old);
    check_journal(m);
    manager_forget_ended(m); /* the limits may be lower */
    log_info("Read the configuration again");
    return 0;
}

static char *default_config_path(void) {
    const char *dir = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char *path;
    int n = dir && dir[0] == '/' ? asprintf(&path, "%s/longrun/longrun.conf", dir)
                                 : asprintf(&path, "%s/.config/longrun/longrun.conf", home ?: "");
    return n < 0 ? NULL : path;
}

/* ---- life ---- */

static int make_kinds(Manager *m) {
    const Kind *const *all = kind_all();
    size_t n = 0;

    while (all[n])
        n++;
    m->kinds = calloc(n + 1, sizeof(BusKind));
    if (!m->kinds)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        m->kinds[i] = (BusKind){.name = all[i]->name, .description = all[i]->description};
    return 0;
}

/* ---- commits ---- */

static void on_prepare(void *userdata) {
    manager_claim(userdata);
}

/* The database was moved aside, and a new one begun: what is in memory goes there. */
static void store_anew(Manager *m) {
    log_full(
        LOG_CRIT, 0,
        "The database was found damaged. It lies, whole, in %s now; what could be read of it was "
        "copied into a new one, and nothing that runs is touched",
        strempty(store_damaged_path(m->store)));
    for (Task *t = task_table_begin(&m->tasks, false); t; t = task_table_next(&m->tasks, t, false))
        if (!task_is_final(t) || t->is_changed) {
            t->stored = false;
            commit_queue_put(m->commits, t);
        }
    manager_put_groups(m);
    manager_put_resources(m);
    manager_put_backends(m);
    manager_put_operations(m);
}

static void on_committed(void *userdata, Task *const *tasks, size_t n, int error) {
    Manager *m = userdata;

    for (size_t i = 0; i < n; i++)
        if (tasks[i]->claim == TASK_CLAIM_PENDING)
            tasks[i]->claim = error < 0 ? TASK_CLAIM_NONE : TASK_CLAIM_SAFE;
    manager_disk_error(m, error);
    manager_trim_after(m, n);
    if (error == -EBADMSG)
        store_anew(m);
    if (error < 0)
        manager_exit_unwritten(m);
    manager_schedule(m);
}

/* Who stops waits for nobody. */
static bool is_bus_busy(void *userdata) {
    const Manager *m = userdata;

    return !m->stopping && m->bus && bus_publisher_is_busy(m->bus->publisher);
}

static const CommitEvents commit_events = {
    .prepare = on_prepare,
    .committed = on_committed,
    .is_busy = is_bus_busy,
};

/* ---- the keeper of the shims ---- */

static void on_unit(void *userdata, bool usable, const char *reason) {
    Manager *m = userdata;

    shim_executor_use_unit(m->shims, usable, reason);
}

static void on_keeper_needed(void *userdata) {
    Manager *m = userdata;

    if (m->unit)
        tasks_unit_ask(m->unit);
}

static void on_isolation(void *userdata) {
    Manager *m = userdata;

    if (m->bus)
        bus_emit_manager_property(m->bus->bus, "Isolation");
}

static const ShimExecutorEvents shim_events = {
    .need_keeper = on_keeper_needed,
    .isolation = on_isolation,
};

static int open_trace(Manager *m) {
    int r = start_trace_open(&m->trace, m->dirs.runtime);

    if (r < 0)
        log_warning_errno(r,
                          "Cannot make a file in %s: tasks on threads begin when the disk has "
                          "them, which takes longer",
                          m->dirs.runtime);
    return 0;
}

static int make_parts(Manager *m) {
    int r = make_kinds(m);

    if (r >= 0)
        r = commit_queue_new(&m->commits, m->event, m->store, &commit_events, m);
    if (r >= 0)
        r = manager_init_scheduling(m);
    if (r >= 0)
        r = manager_init_claims(m);
    if (r >= 0)
        r = manager_init_guards(m);
    if (r >= 0)
        r = manager_init_due(m);
    if (r >= 0)
        r = manager_init_disk(m);
    if (r >= 0)
        r = manager_init_history(m);
    if (r >= 0)
        r = manager_init_memory(m);
    if (r >= 0)
        r = manager_init_state_news(m);
    if (r >= 0)
        r = manager_load_groups(m);
    if (r >= 0)
        r = manager_load_resources(m);
    if (r >= 0)
        r = manager_init_backends(m);
    if (r >= 0)
        r = shim_executor_new(&m->shims, m->event, m->libexec_dir, m->dirs.runtime);
    if (r >= 0)
        shim_executor_set_events(m->shims, &shim_events, m);
    if (r >= 0)
        r = thread_executor_new(&m->threads, m->event);
    if (r >= 0)
        r = open_trace(m);
    if (r >= 0)
        r = service_status_init(&m->status, m->event);
    return r;
}

static int open_store(Manager *m, Error *error) {
    _cleanup_free_ char *damaged = NULL;
    int r = store_open(&m->store, m->event, m->dirs.state, &damaged, error);

    if (r < 0)
        return r;
    if (damaged)
        log_full(LOG_CRIT, 0,
                 "The database %s/" STORE_FILE
                 " was damaged. It lies, whole, in %s now; what could be "
                 "read of it was copied into a new one",
                 m->dirs.state, damaged);
    /* Where the database has been lost, logs still bear the numbers of its tasks. */
    m->next_id = store_next_id(m->store);
    if (m->next_id == 1)
        m->next_id = task_log_highest_id(m->dirs.logs) + 1;
    return 0;
}

/* Commands go on: their shims hear no more of us. */
static void manager_free_runs(Manager *m, bool on_loop) {
    for (Task *t = task_table_begin(&m->tasks, false); t; t = task_table_next(&m->tasks, t, false))
        if (t->run && t->run->is_loop == on_loop)
            manager_drop_run(t->run);
}

/* Each goes before what it makes use of: operations, what calls wait for, their bus, the rest. */
static void manager_free_faces(Manager *m) {
    manager_free_runs(m, true);
    if (m->bus)
        bus_quiet(m->bus);
    manager_done_backends(m);
    bus_free(m->bus);
    manager_free_runs(m, false);
}

int manager_new(Manager **ret, sd_event *event, const ManagerOptions *options, Error *error) {
    Manager *m = calloc(1, sizeof(Manager));
    const char *home = getenv("HOME");
    int r;

    if (!m)
        return -ENOMEM;
    m->event = event;
    m->dirs = (StateDir){.state_lock = -EBADF, .runtime_lock = -EBADF};
    task_table_init(&m->tasks);
    TAILQ_INIT(&m->state_news);
    manager_init_plan(m);
    m->config_required = options->config_path;
    m->config_path = options->config_path ? strdup(options->config_path) : default_config_path();
    m->libexec_dir = strdup(options->libexec_dir);
    m->home = strdup(home && home[0] == '/' ? home : "/");
    m->envs = env_table_new();
    m->nofile = options->nofile;
    m->has_max_parallel = options->has_max_parallel;
    m->max_parallel = options->max_parallel;
    r = m->config_path && m->libexec_dir && m->home && m->envs ? 0 : -ENOMEM;
    if (r >= 0)
        r = config_load(m->config_path, m->config_required, &m->config, error);
    if (r >= 0)
        r = state_dir_open(&m->dirs, options->state_dir, error);
    if (r >= 0)
        r = open_store(m, error);
    if (r >= 0)
        r = make_parts(m);
    if (r < 0) {
        manager_free(m);
        return r;
    }
    m->scheduler.max_parallel = configured_parallel(m);
    m->scheduler.max_queued = m->config.max_queued;
    check_journal(m);
    *ret = m;
    return 0;
}

Manager *manager_free(Manager *m) {
    if (!m)
        return NULL;
    tasks_unit_free(m->unit);
    manager_free_faces(m);
    thread_executor_free(m->threads);
    shim_executor_free(m->shims);
    commit_queue_free(m->commits);
    manager_done_operations(m);
    store_free(m->store);
    start_trace_close(m->trace);
    sd_event_source_disable_unref(m->trimming);
    manager_done_history(m);
    manager_done_state_news(m);
    sd_event_source_disable_unref(m->claim_timer);
    sd_event_source_disable_unref(m->queue_timer);
    sd_event_source_disable_unref(m->disk_timer);
    sd_event_source_disable_unref(m->stop_timer);
    sd_event_source_disable_unref(m->scheduling);
    clock_watch_free(m->clock);
    manager_done_series(m);
    manager_done_groups(m);
    manager_done_calendars(m);
    calendar_free(m->calendar);
    service_status_done(&m->status);
    task_table_done(&m->tasks);
    scheduler_done(&m->scheduler);
    resource_table_done(&m->kept_resources);
    config_done(&m->config);
    env_table_free(m->envs);
    state_dir_done(&m->dirs);
    free(m->blocked);
    free(m->kinds);
    free(m->config_path);
    free(m->libexec_dir);
    free(m->home);
    free(m);
    return NULL;
}

int manager_attach_bus(Manager *m, sd_bus *bus, Error *error) {
    int r = bus_new(&m->bus, bus, m->event, &bus_api, m);

    if (r >= 0)
        r = tasks_unit_new(&m->unit, bus, m->event, m->dirs.runtime, on_unit, m);
    return r < 0 ? r : manager_recover(m, error);
}
