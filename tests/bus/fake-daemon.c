#include "tests/bus/fake-daemon.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/strv.h"
#include "daemon/core/env-table.h"

typedef enum JobType {
    JOB_RECALL,
    JOB_LIST,
    JOB_COUNT,
    JOB_PRUNE,
    JOB_RETRY,
    JOB_COMMIT,
    JOB_END,
    JOB_CALENDARS,
} JobType;

struct FakeJob {
    JobType type;
    union {
        void (*plain)(void *arg, int error);
        void (*list)(void *arg, int error, Task *const *tasks, size_t n, uint64_t next);
        void (*count)(void *arg, int error, const uint32_t counts[_TASK_STATE_MAX]);
        void (*prune)(void *arg, int error, uint32_t removed);
        void (*retry)(void *arg, int result, const uint64_t *ids, size_t n, const Error *error);
        void (*calendars)(void *arg, const Error *error);
    } func;
    void *arg;
    uint64_t *ids;
    size_t n;
    bool never;
    TaskFilter filter;
    char *texts[4];
    TAILQ_ENTRY(FakeJob) link;
};

/* ---- the disk ---- */

/* A copy as it is read from the disk. */
static Task *read_task(FakeDaemon *f, const Task *on_disk) {
    TaskSpec *spec = task_spec_new(on_disk->spec->kind, &(TaskDefaults){.cwd = "/"});
    Task *t = task_new(on_disk->id, spec, on_disk->created_at);

    ck_assert_ptr_nonnull(t);
    t->state = on_disk->state;
    t->exit_code = on_disk->exit_code;
    if (on_disk->work)
        task_work_make(t)->usage = on_disk->work->usage;
    t->attempt = on_disk->attempt;
    t->stored = true;
    if (on_disk->spec->env)
        spec->env = env_table_intern(f->envs, env_block_strings(on_disk->spec->env));
    return t;
}

static void forget(FakeDaemon *f, uint64_t id) {
    Task *t = task_table_find(&f->memory, id);

    if (!t || !task_is_final(t) || !task_table_find(&f->disk, id))
        return;
    task_table_take(&f->memory, t);
    task_free(t);
}

static void run_recall(FakeDaemon *f, FakeJob *j) {
    for (size_t i = 0; f->disk_error == 0 && i < j->n; i++) {
        const Task *on_disk = task_table_find(&f->disk, j->ids[i]);
        if (!on_disk || task_table_find(&f->memory, j->ids[i]))
            continue;
        task_table_add(&f->memory, read_task(f, on_disk));
    }
    j->func.plain(j->arg, f->disk_error);
    if (f->evictions == 0)
        return;
    f->evictions--;
    for (size_t i = 0; i < j->n; i++)
        forget(f, j->ids[i]);
}

static void run_list(FakeDaemon *f, FakeJob *j) {
    Task **found = calloc(j->filter.limit + 1, sizeof(Task *));
    uint64_t cursor = j->filter.cursor, next = 0;
    size_t n = 0;

    for (Task *t = task_table_begin(&f->disk, j->filter.newest_first); t;
         t = task_table_next(&f->disk, t, j->filter.newest_first)) {
        bool before = j->filter.newest_first ? t->id > cursor : t->id < cursor;
        if ((cursor > 0 && before) || !task_filter_matches(&j->filter, t))
            continue;
        if (n == j->filter.limit) {
            next = t->id;
            break;
        }
        found[n++] = t;
    }
    j->func.list(j->arg, f->disk_error, found, f->disk_error < 0 ? 0 : n, next);
    free(found);
}

static void run_count(FakeDaemon *f, FakeJob *j) {
    uint32_t counts[_TASK_STATE_MAX] = {};

    for (Task *t = task_table_begin(&f->disk, false); t; t = task_table_next(&f->disk, t, false))
        counts[t->state] += task_filter_matches(&j->filter, t);
    j->func.count(j->arg, f->disk_error, counts);
}

static void remove_everywhere(FakeDaemon *f, uint64_t id) {
    Task *t = task_table_find(&f->disk, id);

    forget(f, id);
    if (t) {
        task_table_take(&f->disk, t);
        task_free(t);
    }
}

static void run_prune(FakeDaemon *f, FakeJob *j) {
    uint32_t removed = 0;

    for (Task *t = task_table_begin(&f->disk, false), *next; t && f->disk_error == 0; t = next) {
        next = task_table_next(&f->disk, t, false);
        if (task_filter_matches(&j->filter, t)) {
            remove_everywhere(f, t->id);
            removed++;
        }
    }
    j->func.prune(j->arg, f->disk_error, removed);
}

/* They are all there is: the bus does not look at them. */
static void run_retry(FakeDaemon *f, FakeJob *j) {
    _cleanup_error_ Error error = {};
    uint64_t ids[64];
    size_t n = 0;

    for (Task *t = task_table_begin(&f->disk, false); t && n < ELEMENTSOF(ids);
         t = task_table_next(&f->disk, t, false))
        if (task_filter_matches(&j->filter, t))
            ids[n++] = t->id;
    if (f->refusal)
        error_set(&error, ERROR_QUEUE_FULL, "%s", f->refusal);
    j->func.retry(j->arg, f->refusal ? -EREMOTE : f->disk_error, ids, n, &error);
}

static void run_end(FakeDaemon *f, FakeJob *j) {
    Task *t = j->arg;

    bus_publisher_task_finished(f->bus->publisher, t);
    bus_waits_task_ended(f->bus->waits, t);
}

static void run_calendars(const FakeJob *j) {
    _cleanup_error_ Error error = {};

    if (j->never)
        error_set(&error, ERROR_INVALID_OPTION, "calendar \"never\" never elapses");
    j->func.calendars(j->arg, j->never ? &error : NULL);
}

static void job_free(FakeDaemon *f, FakeJob *j) {
    TAILQ_REMOVE(&f->jobs, j, link);
    free(j->ids);
    for (size_t i = 0; i < ELEMENTSOF(j->texts); i++)
        free(j->texts[i]);
    free(j);
}

static bool is_stopped(const FakeDaemon *f, const FakeJob *j) {
    return j->type == JOB_COMMIT || j->type == JOB_END ? f->commits_stopped : f->disk_stopped;
}

static void run_job(FakeDaemon *f, FakeJob *j) {
    switch (j->type) {
    case JOB_RECALL:
        return run_recall(f, j);
    case JOB_LIST:
        return run_list(f, j);
    case JOB_COUNT:
        return run_count(f, j);
    case JOB_PRUNE:
        return run_prune(f, j);
    case JOB_RETRY:
        return run_retry(f, j);
    case JOB_COMMIT:
        return j->func.plain(j->arg, f->commit_error);
    case JOB_END:
        return run_end(f, j);
    case JOB_CALENDARS:
        return run_calendars(j);
    }
}

void fake_daemon_run(FakeDaemon *f) {
    FakeJob *last = TAILQ_LAST(&f->jobs, FakeJobs);

    /* What those that are called ask for waits for the next turn. */
    for (FakeJob *j = TAILQ_FIRST(&f->jobs), *next; j; j = j == last ? NULL : next) {
        next = TAILQ_NEXT(j, link);
        if (!is_stopped(f, j)) {
            run_job(f, j);
            job_free(f, j);
        }
    }
}

static int on_turn(sd_event_source *s, void *userdata) {
    fake_daemon_run(userdata);
    return 0;
}

static FakeJob *add_job(FakeDaemon *f, JobType type, void *arg) {
    FakeJob *j = calloc(1, sizeof(FakeJob));

    ck_assert_ptr_nonnull(j);
    j->type = type;
    j->arg = arg;
    TAILQ_INSERT_TAIL(&f->jobs, j, link);
    ck_assert_int_ge(sd_event_source_set_enabled(f->source, SD_EVENT_ONESHOT), 0);
    return j;
}

static FakeJob *add_filter_job(FakeDaemon *f, JobType type, const TaskFilter *filter, void *arg) {
    FakeJob *j = add_job(f, type, arg);
    const char **texts[] = {&j->filter.group, &j->filter.kind, &j->filter.label, &j->filter.search};

    f->filter = j->filter = *filter;
    for (size_t i = 0; i < ELEMENTSOF(texts); i++)
        if (*texts[i])
            *texts[i] = j->texts[i] = strdup(*texts[i]);
    return j;
}

/* ---- what the bus asks ---- */

/* Each is made at the time that is its id. */
static Task *new_task(FakeDaemon *f, TaskSpec *spec) {
    f->last_id++;
    return task_new(f->last_id, spec, f->last_id);
}

static int check(void *userdata, TaskSpec **spec, Error *error) {
    int r = task_spec_check(*spec, error);

    return r < 0 ? r : task_spec_pack(spec);
}

static int check_calendars(void *userdata, TaskSpec *const *specs, size_t n,
                           void (*func)(void *arg, const Error *error), void *arg, Error *error) {
    FakeDaemon *f = userdata;
    FakeJob *j;

    f->checks++;
    if (f->calendars_are_known)
        return 0;
    j = add_job(f, JOB_CALENDARS, arg);
    j->func.calendars = func;
    for (size_t i = 0; i < n; i++)
        j->never = j->never || streq(specs[i]->calendar, "never");
    return 1;
}

static int start(void *userdata, TaskSpec **specs, size_t n, uint64_t *ret_ids, Error *error) {
    FakeDaemon *f = userdata;

    for (size_t i = 0; i < n; i++) {
        Task *t = new_task(f, specs[i]);
        specs[i] = NULL;
        ret_ids[i] = t->id;
        task_table_add(&f->memory, t);
    }
    return 0;
}

static void cancel(void *userdata, Task *t) {
    t->cancel_requested = true;
}

static int pause_task(void *userdata, Task *t, bool pause, Error *error) {
    if (t->state == TASK_QUEUED)
        return error_set(error, ERROR_NOT_RUNNING, "Task has no processes");
    t->state = pause ? TASK_PAUSED : TASK_RUNNING;
    return 0;
}

static void set_label(void *userdata, Task *t, char *label) {
    task_spec_set_label(t->spec, label);
}

static void remove_task(void *userdata, Task *t) {
    remove_everywhere(userdata, t->id);
}

static TaskSpec *new_spec(void *userdata, const char *kind) {
    return task_spec_new(kind, &(TaskDefaults){.cwd = "/", .log_max = 1000, .result_max = 100});
}

static EnvBlock *intern_env(void *userdata, char *const *env) {
    return env_table_intern(((FakeDaemon *)userdata)->envs, env);
}

static TaskTable *tasks(void *userdata) {
    return &((FakeDaemon *)userdata)->memory;
}

static int recall(void *userdata, const uint64_t *ids, size_t n, void (*func)(void *arg, int error),
                  void *arg) {
    FakeDaemon *f = userdata;
    FakeJob *j = add_job(f, JOB_RECALL, arg);

    j->func.plain = func;
    j->ids = calloc(n, sizeof(uint64_t));
    memcpy(j->ids, ids, n * sizeof(uint64_t));
    j->n = n;
    f->recalls++;
    f->recalled += n;
    f->largest_recall = MAX(f->largest_recall, n);
    return 0;
}

static int list(void *userdata, const TaskFilter *filter,
                void (*func)(void *arg, int error, Task *const *tasks, size_t n, uint64_t next),
                void *arg) {
    add_filter_job(userdata, JOB_LIST, filter, arg)->func.list = func;
    return 0;
}

static int count(void *userdata, const TaskFilter *filter,
                 void (*func)(void *arg, int error, const uint32_t counts[_TASK_STATE_MAX]),
                 void *arg) {
    add_filter_job(userdata, JOB_COUNT, filter, arg)->func.count = func;
    return 0;
}

static int prune(void *userdata, const TaskFilter *filter,
                 void (*func)(void *arg, int error, uint32_t removed), void *arg) {
    add_filter_job(userdata, JOB_PRUNE, filter, arg)->func.prune = func;
    return 0;
}

static void set_priority(void *userdata, Task *t, int32_t priority) {
    t->spec->priority = priority;
}

static int retry(void *userdata, const Task *task, uint64_t *ret_id, Error *error) {
    FakeDaemon *f = userdata;
    Task *t = new_task(f, task_spec_copy(task->spec, 0));

    if (f->refusal) {
        task_free(t);
        return error_set(error, ERROR_QUEUE_FULL, "%s", f->refusal);
    }
    t->retry_of = task->id;
    task_table_add(&f->memory, t);
    *ret_id = t->id;
    return 0;
}

static int retry_all(void *userdata, const TaskFilter *filter,
                     void (*func)(void *arg, int result, const uint64_t *ids, size_t n,
                                  const Error *error),
                     void *arg) {
    add_filter_job(userdata, JOB_RETRY, filter, arg)->func.retry = func;
    return 0;
}

static int when_committed(void *userdata, void (*func)(void *arg, int error), void *arg) {
    add_job(userdata, JOB_COMMIT, arg)->func.plain = func;
    return 0;
}

static const char *isolation(void *userdata) {
    return ((FakeDaemon *)userdata)->isolation_now;
}

static bool low_disk(void *userdata) {
    return ((FakeDaemon *)userdata)->is_low_disk;
}

static bool ends_at_logout(void *userdata) {
    return true;
}

static char *reason(void *userdata, const Task *t) {
    return strdup(strempty(task_work(t)->reason));
}

static char *log_path(void *userdata, const Task *t) {
    return strdup(t->log_size > 0 ? "/logs/task.log" : "");
}

static TaskUsage usage(void *userdata, const Task *task) {
    return ((FakeDaemon *)userdata)->used;
}

static const BusKind *kinds(void *userdata) {
    static const BusKind none = {};

    return &none;
}

static unsigned zero(void *userdata) {
    return 0;
}

static int new_log_lines(void *userdata, Task *task, bool final, LogLines *ret) {
    return 0;
}

/* ---- tests' side ---- */

void fake_daemon_init(FakeDaemon *f, sd_event *event) {
    *f = (FakeDaemon){.isolation_now = ""};
    f->api = (BusApi){
        .check = check,
        .check_calendars = check_calendars,
        .start = start,
        .cancel = cancel,
        .pause = pause_task,
        .set_label = set_label,
        .set_priority = set_priority,
        .retry = retry,
        .retry_all = retry_all,
        .remove = remove_task,
        .new_spec = new_spec,
        .intern_env = intern_env,
        .tasks = tasks,
        .recall = recall,
        .list = list,
        .count = count,
        .prune = prune,
        .isolation = isolation,
        .low_disk = low_disk,
        .ends_at_logout = ends_at_logout,
        .usage = usage,
        .reason = reason,
        .log_path = log_path,
        .kinds = kinds,
        .running = zero,
        .queued = zero,
        .max_parallel = zero,
        .when_committed = when_committed,
        .new_log_lines = new_log_lines,
    };
    fake_groups_init(f);
    fake_backends_init(f);
    TAILQ_INIT(&f->jobs);
    task_table_init(&f->memory);
    task_table_init(&f->disk);
    f->envs = env_table_new();
    ck_assert_int_ge(sd_event_add_defer(event, &f->source, on_turn, f), 0);
    ck_assert_int_ge(sd_event_source_set_enabled(f->source, SD_EVENT_OFF), 0);
}

void fake_daemon_done(FakeDaemon *f) {
    for (FakeJob *j; (j = TAILQ_FIRST(&f->jobs));)
        job_free(f, j);
    sd_event_source_disable_unref(f->source);
    fake_groups_done(f);
    fake_backends_done(f);
    task_table_done(&f->memory);
    task_table_done(&f->disk);
    env_table_free(f->envs);
}

static Task *make_task(FakeDaemon *f) {
    TaskSpec *spec = task_spec_new("noop", &(TaskDefaults){.cwd = "/"});
    Task *t = new_task(f, spec);

    ck_assert_ptr_nonnull(t);
    t->attempt = 1;
    return t;
}

Task *fake_daemon_add_ended(FakeDaemon *f, TaskState state) {
    Task *t = make_task(f);

    t->state = state;
    task_table_add(&f->disk, t);
    return t;
}

uint64_t fake_daemon_add_many(FakeDaemon *f, size_t n) {
    uint64_t first = f->last_id + 1;

    for (size_t i = 0; i < n; i++)
        fake_daemon_add_ended(f, TASK_SUCCEEDED);
    return first;
}

Task *fake_daemon_add_running(FakeDaemon *f) {
    Task *t = make_task(f);

    t->state = TASK_RUNNING;
    task_table_add(&f->memory, t);
    return t;
}

void fake_daemon_end(FakeDaemon *f, Task *t, TaskState state) {
    ck_assert_int_ge(task_set_state(t, state, 1), 0);
    t->exit_code = state == TASK_SUCCEEDED ? 0 : 1;
    task_table_ended(&f->memory, t);
    add_job(f, JOB_END, t);
}

void fake_daemon_go_on(FakeDaemon *f) {
    f->disk_stopped = f->commits_stopped = false;
    ck_assert_int_ge(sd_event_source_set_enabled(f->source, SD_EVENT_ONESHOT), 0);
}
