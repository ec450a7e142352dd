#include "tests/unit/commit-rig.h"

#include <stdio.h>

sd_event *rig_event;
Store *rig_store;
CommitQueue *rig_queue;
EnvTable *rig_envs;
size_t rig_calls[RIG_CALLS_MAX], rig_n_calls;
unsigned rig_prepared, rig_commits, rig_failures;
bool rig_busy;
Task *rig_tasks[RIG_TASKS_MAX];

/* ---- life ---- */

static void on_prepare(void *userdata) {
    MUST(userdata == rig_calls);
    rig_prepared++;
}

static void on_committed(void *userdata, Task *const *in_it, size_t n, int error) {
    MUST(userdata == rig_calls);
    rig_commits += error == 0;
    rig_failures += error < 0;
    for (size_t i = 0; i < n; i++)
        MUST(in_it[i] == rig_tasks[in_it[i]->id - 1]);
}

static bool is_busy(void *userdata) {
    MUST(userdata == rig_calls);
    return rig_busy;
}

static const CommitEvents events = {
    .prepare = on_prepare, .committed = on_committed, .is_busy = is_busy};

static void open_store(void) {
    _cleanup_error_ Error e = {};
    char *damaged = NULL;
    int r = store_open(&rig_store, rig_event, unit_path("."), &damaged, &e);

    ck_assert_msg(r == 0, "%s", strempty(e.message));
    ck_assert_ptr_null(damaged);
}

void rig_setup(void) {
    MUST(sd_event_new(&rig_event) >= 0);
    rig_envs = env_table_new();
    open_store();
    MUST(commit_queue_new(&rig_queue, rig_event, rig_store, &events, rig_calls) == 0);
    for (uint64_t i = 0; i < RIG_TASKS_MAX; i++)
        rig_tasks[i] = unit_task_new(i + 1);
}

void rig_teardown(void) {
    rig_queue = commit_queue_free(rig_queue);
    rig_store = store_free(rig_store);
    rig_envs = env_table_free(rig_envs);
    rig_event = sd_event_unref(rig_event);
    for (size_t i = 0; i < RIG_TASKS_MAX; i++)
        rig_tasks[i] = task_free(rig_tasks[i]);
}

/* ---- the loop ---- */

void rig_until_empty(void) {
    while (!commit_queue_is_empty(rig_queue))
        MUST(sd_event_run(rig_event, UINT64_MAX) >= 0);
}

void rig_until_commits(unsigned n) {
    while (rig_commits < n)
        MUST(sd_event_run(rig_event, UINT64_MAX) >= 0);
}

void rig_until_calls(size_t n) {
    while (rig_n_calls < n)
        MUST(sd_event_run(rig_event, UINT64_MAX) >= 0);
    ck_assert_uint_eq(rig_n_calls, n);
}

void rig_until_prepared(unsigned n) {
    while (rig_prepared < n)
        MUST(sd_event_run(rig_event, UINT64_MAX) >= 0);
}

void rig_until_failures(unsigned n) {
    while (rig_failures < n)
        MUST(sd_event_run(rig_event, UINT64_MAX) >= 0);
}

/* ---- calls ---- */

void rig_on_call(void *userdata, void *arg, int error) {
    MUST(userdata == rig_calls && error == 0 && rig_n_calls < RIG_CALLS_MAX);
    rig_calls[rig_n_calls++] = (size_t)arg;
}

void rig_add(size_t n) {
    MUST(commit_queue_add(rig_queue, rig_on_call, rig_calls, (void *)n) == 0);
}

/* ---- what is on disk ---- */

void rig_expect_put(const Task *t, bool is_changed, bool stored) {
    ck_assert_int_eq(t->is_changed, is_changed);
    ck_assert_int_eq(t->stored, stored);
}

static int on_loaded(void *userdata, Task *t) {
    ++*(unsigned *)userdata;
    task_free(t);
    return 0;
}

unsigned rig_active_on_disk(void) {
    unsigned n = 0;

    rig_queue = commit_queue_free(rig_queue);
    rig_store = store_free(rig_store);
    open_store();
    MUST(store_load_active(rig_store, rig_envs, on_loaded, &n) == 0);
    return n;
}

static char names[256]; /* of what is on disk, with a number each */

static void add_name(const char *name, unsigned number) {
    size_t n = strlen(names);

    snprintf(names + n, sizeof(names) - n, "%s=%u ", name, number);
}

static int on_group(void *userdata, Group *g) {
    add_name(g->name, g->max_parallel);
    group_free(g);
    return 0;
}

static int on_resource(void *userdata, const char *name, uint32_t capacity) {
    add_name(name, capacity);
    return 0;
}

static void reopen_store(void) {
    rig_queue = commit_queue_free(rig_queue);
    rig_store = store_free(rig_store);
    open_store();
    MUST(commit_queue_new(&rig_queue, rig_event, rig_store, &events, rig_calls) == 0);
    names[0] = '\0';
}

const char *rig_load_groups(void) {
    names[0] = '\0';
    MUST(store_load_groups(rig_store, on_group, NULL) == 0);
    return names;
}

void rig_expect_groups(const char *expected) {
    reopen_store();
    ck_assert_str_eq(rig_load_groups(), expected);
}

Group *rig_new_group(const char *name, unsigned max_parallel) {
    Group *g = group_new(name);

    MUST(g);
    g->max_parallel = max_parallel;
    return g;
}

void rig_expect_resources(const char *expected) {
    reopen_store();
    MUST(store_load_resources(rig_store, on_resource, NULL) == 0);
    ck_assert_str_eq(names, expected);
}

static int on_backend(void *userdata, const char *name, const char *settings, bool polling) {
    add_name(name, (unsigned)strlen(settings) * 10 + polling);
    return 0;
}

void rig_expect_backends(const char *expected) {
    reopen_store();
    MUST(store_load_backends(rig_store, on_backend, NULL) == 0);
    ck_assert_str_eq(names, expected);
}

static int on_operation(void *userdata, uint64_t id, const char *json) {
    add_name(json, (unsigned)id);
    return 0;
}

void rig_expect_operations(const char *expected) {
    reopen_store();
    MUST(store_load_operations(rig_store, on_operation, NULL) == 0);
    ck_assert_str_eq(names, expected);
}

void rig_put_attempt(const char *message) {
    const TaskAttempt a = {
        .number = 1, .state = TASK_FAILED, .exit_code = 3, .message = (char *)message};

    MUST(task_add_attempt(rig_tasks[0], &a) == 0);
    MUST(commit_queue_put_attempt(rig_queue, 1, &a) == 0);
    commit_queue_put(rig_queue, rig_tasks[0]);
}

static int on_attempts(void *userdata, Task *t) {
    for (unsigned i = 0; i < t->n_attempts; i++)
        add_name(t->attempts[i].message, t->attempts[i].number);
    task_free(t);
    return 0;
}

void rig_expect_attempts(const char *expected) {
    reopen_store();
    MUST(store_load_active(rig_store, rig_envs, on_attempts, NULL) == 0);
    ck_assert_str_eq(names, expected);
}
