/* What waits for a commit: called once, in the order in which it came, when what was changed before
 * is on disk; and what becomes of it when that cannot be. The store is the real one. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/clock.h"
#include "daemon/commit.h"
#include "tests/unit/unit-task.h"

#define CALLS_MAX 4000
#define TASKS_MAX 8

static sd_event *event;
static Store *store;
static CommitQueue *queue;
static EnvTable *envs;
static size_t calls[CALLS_MAX], n_calls;
static unsigned n_prepared, n_commits, n_failures;
static bool busy;
static Task *tasks[TASKS_MAX]; /* with the ids 1 and up */

static void on_prepare(void *userdata) {
    MUST(userdata == calls);
    n_prepared++;
}

static void on_committed(void *userdata, Task *const *in_it, size_t n, int error) {
    MUST(userdata == calls);
    n_commits += error == 0;
    n_failures += error < 0;
    for (size_t i = 0; i < n; i++)
        MUST(in_it[i] == tasks[in_it[i]->id - 1]);
}

static bool is_busy(void *userdata) {
    MUST(userdata == calls);
    return busy;
}

static const CommitEvents events = {
    .prepare = on_prepare, .committed = on_committed, .is_busy = is_busy};

static void open_store(void) {
    _cleanup_error_ Error e = {};
    char *damaged = NULL;
    int r = store_open(&store, event, unit_path("."), &damaged, &e);

    ck_assert_msg(r == 0, "%s", strempty(e.message));
    ck_assert_ptr_null(damaged);
}

static void setup(void) {
    MUST(sd_event_new(&event) >= 0);
    envs = env_table_new();
    open_store();
    MUST(commit_queue_new(&queue, event, store, &events, calls) == 0);
    for (uint64_t i = 0; i < TASKS_MAX; i++)
        tasks[i] = unit_task_new(i + 1);
}

static void teardown(void) {
    queue = commit_queue_free(queue);
    store = store_free(store);
    envs = env_table_free(envs);
    event = sd_event_unref(event);
    for (size_t i = 0; i < TASKS_MAX; i++)
        tasks[i] = task_free(tasks[i]);
}

/* Until nothing is under way; waits for the disk. */
static void run_until_empty(void) {
    while (!commit_queue_is_empty(queue))
        MUST(sd_event_run(event, UINT64_MAX) >= 0);
}

static void run_until_calls(size_t n) {
    while (n_calls < n)
        MUST(sd_event_run(event, UINT64_MAX) >= 0);
    ck_assert_uint_eq(n_calls, n);
}

static void on_call(void *userdata, void *arg, int error) {
    MUST(userdata == calls && error == 0 && n_calls < CALLS_MAX);
    calls[n_calls++] = (size_t)arg;
}

static void add(size_t n) {
    MUST(commit_queue_add(queue, on_call, calls, (void *)n) == 0);
}

START_TEST(test_order) {
    ck_assert(commit_queue_is_empty(queue));
    for (size_t i = 0; i < 1000; i++) {
        if (i % 250 == 0)
            commit_queue_put(queue, tasks[i / 250]);
        add(i);
    }
    commit_queue_call(queue, on_call, calls, (void *)1000);
    ck_assert_uint_eq(n_calls, 0);
    ck_assert(!commit_queue_is_empty(queue));
    run_until_empty();
    ck_assert_uint_eq(n_calls, 1001);
    for (size_t i = 0; i <= 1000; i++)
        MUST(calls[i] == i);
    ck_assert_uint_eq(n_commits, 1); /* all that came in one turn shares it */
    ck_assert_uint_eq(n_prepared, 1);
    ck_assert(sd_event_run(event, 0) == 0); /* nothing wakes the loop up again */
}
END_TEST

/* ---- many calls ---- */

static void run_until_commits(unsigned n) {
    while (n_commits < n)
        MUST(sd_event_run(event, UINT64_MAX) >= 0);
}

/* As long as nobody takes what those before have sent, most are put off, those of the next commit
 * behind them. */
START_TEST(test_busy) {
    busy = true;
    commit_queue_put(queue, tasks[0]);
    for (size_t i = 0; i < 2000; i++)
        add(i);
    run_until_commits(1);
    size_t n_first = n_calls;
    ck_assert(n_first > 0 && n_first <= 500);
    commit_queue_put(queue, tasks[1]);
    for (size_t i = 2000; i < 3000; i++)
        add(i);
    run_until_commits(2);
    for (unsigned i = 0; i < 3; i++) /* it is looked at again, not more */
        MUST(sd_event_run(event, UINT64_MAX) >= 0);
    ck_assert_uint_eq(n_calls, n_first);
    ck_assert(!commit_queue_is_empty(queue));
    busy = false;
    run_until_empty();
    ck_assert_uint_eq(n_calls, 3000);
    for (size_t i = 0; i < 3000; i++)
        MUST(calls[i] == i);
    ck_assert(sd_event_run(event, 0) == 0);
}
END_TEST

/* Also where nobody is busy, others have their turns in between. */
START_TEST(test_slices) {
    commit_queue_put(queue, tasks[0]);
    for (size_t i = 0; i < 1200; i++)
        add(i);
    run_until_commits(1);
    ck_assert_uint_eq(n_calls, 500);
    MUST(sd_event_run(event, UINT64_MAX) >= 0);
    ck_assert_uint_eq(n_calls, 1000);
    run_until_calls(1200);
    ck_assert(commit_queue_is_empty(queue));
}
END_TEST

/* One that asks whether all is over is not in its own way. */
static void on_last_call(void *userdata, void *arg, int error) {
    on_call(userdata, arg, error);
    ck_assert(commit_queue_is_empty(queue));
}

START_TEST(test_empty_at_the_last) {
    for (size_t i = 0; i < 600; i++)
        add(i);
    commit_queue_call(queue, on_last_call, calls, (void *)600);
    run_until_calls(601);
}
END_TEST

/* Nor are several of that sort in each other's. */
static void on_flushing_call(void *userdata, void *arg, int error) {
    on_call(userdata, arg, error);
    commit_queue_flush(queue);
    ck_assert(commit_queue_is_empty(queue));
}

START_TEST(test_flush) {
    busy = true;
    for (size_t i = 0; i < 600; i++)
        commit_queue_call(queue, i == 10 || i == 300 ? on_flushing_call : on_call, calls,
                          (void *)i);
    run_until_calls(600);
    for (size_t i = 0; i < 600; i++)
        MUST(calls[i] == i);
}
END_TEST

START_TEST(test_free_while_busy) {
    busy = true;
    for (size_t i = 0; i < 600; i++)
        add(i);
    run_until_calls(500);
    queue = commit_queue_free(queue);
    ck_assert(sd_event_run(event, 0) == 0);
    ck_assert_uint_eq(n_calls, 500);
}
END_TEST

/* ---- what is in no hurry ---- */

/* It goes with what is. */
START_TEST(test_later_with_others) {
    uint64_t begun = clock_usec(CLOCK_MONOTONIC);

    commit_queue_put_later(queue, tasks[0]);
    commit_queue_call_later(queue, on_call, calls, (void *)1);
    ck_assert(sd_event_run(event, 0) == 0);
    ck_assert(!commit_queue_is_empty(queue));
    commit_queue_put(queue, tasks[1]);
    add(2);
    run_until_empty();
    ck_assert_uint_eq(n_calls, 2);
    ck_assert(calls[0] == 1 && calls[1] == 2);
    ck_assert(tasks[0]->stored && tasks[1]->stored);
    ck_assert_uint_eq(n_commits, 1);
    /* And nothing comes when its time is over. */
    while (clock_usec(CLOCK_MONOTONIC) < begun + 100 * USEC_PER_MSEC)
        (void)sd_event_run(event, 10 * USEC_PER_MSEC);
    ck_assert_uint_eq(n_prepared, 1);
}
END_TEST

/* Nor is it forgotten when nothing else comes; what came last does not put it off. */
START_TEST(test_later_alone) {
    uint64_t begun = clock_usec(CLOCK_MONOTONIC);

    commit_queue_put_later(queue, tasks[0]);
    while (n_prepared == 0) {
        commit_queue_put_later(queue, tasks[1]);
        MUST(sd_event_run(event, 5 * USEC_PER_MSEC) >= 0);
    }
    ck_assert_uint_ge(clock_usec(CLOCK_MONOTONIC) - begun, 40 * USEC_PER_MSEC);
    run_until_empty();
    ck_assert(tasks[0]->stored && tasks[1]->stored);
}
END_TEST

/* What comes in no hurry while a commit is under way waits for its time, too. */
START_TEST(test_later_under_way) {
    commit_queue_put(queue, tasks[0]);
    while (n_prepared == 0)
        MUST(sd_event_run(event, UINT64_MAX) >= 0);
    uint64_t begun = clock_usec(CLOCK_MONOTONIC);
    commit_queue_put_later(queue, tasks[1]);
    commit_queue_call_later(queue, on_call, calls, (void *)1);
    run_until_calls(1);
    ck_assert_uint_ge(clock_usec(CLOCK_MONOTONIC) - begun, 40 * USEC_PER_MSEC);
    ck_assert_uint_eq(n_commits, 2);
    ck_assert(tasks[1]->stored && commit_queue_is_empty(queue));
}
END_TEST

/* ---- what is on disk, and when ---- */

static void expect_put(const Task *t, bool is_changed, bool stored) {
    ck_assert_int_eq(t->is_changed, is_changed);
    ck_assert_int_eq(t->stored, stored);
}

/* Changed again while the first change is on its way: both go to the disk, one after the other. */
START_TEST(test_changed_again) {
    Task *t = tasks[0];

    commit_queue_put(queue, t);
    commit_queue_put(queue, t);
    add(1);
    expect_put(t, true, false);
    while (n_prepared == 0)
        MUST(sd_event_run(event, UINT64_MAX) >= 0);
    /* Under way: still not there. */
    expect_put(t, true, false);
    MUST(task_set_state(t, TASK_STARTING, 1) == 0);
    commit_queue_put(queue, t);
    add(2);
    run_until_calls(1);
    expect_put(t, true, true);
    run_until_calls(2);
    expect_put(t, false, true);
    ck_assert_uint_eq(n_commits, 2);
    run_until_empty();
}
END_TEST

static int on_loaded(void *userdata, Task *t) {
    ++*(unsigned *)userdata;
    task_free(t);
    return 0;
}

static unsigned active_on_disk(void) {
    unsigned n = 0;

    queue = commit_queue_free(queue);
    store = store_free(store);
    open_store();
    MUST(store_load_active(store, envs, on_loaded, &n) == 0);
    return n;
}

START_TEST(test_put_remove_withdraw) {
    for (size_t i = 0; i < 5; i++)
        commit_queue_put(queue, tasks[i]);
    commit_queue_withdraw(queue, tasks[4]);
    expect_put(tasks[4], false, false);
    run_until_empty();
    commit_queue_put(queue, tasks[0]);
    commit_queue_withdraw(queue, tasks[0]);
    ck_assert_int_eq(commit_queue_remove(queue, 1), 0);
    ck_assert_int_eq(commit_queue_put_result(queue, 2, strdup("{}")), 0);
    run_until_empty();
    ck_assert_int_eq(commit_queue_put_result(queue, 2, NULL), 0);
    run_until_empty();
    ck_assert_uint_eq(active_on_disk(), 3);
}
END_TEST

/* ---- groups, resources, attempts ---- */

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
    queue = commit_queue_free(queue);
    store = store_free(store);
    open_store();
    MUST(commit_queue_new(&queue, event, store, &events, calls) == 0);
    names[0] = '\0';
}

static void expect_groups(const char *expected) {
    reopen_store();
    MUST(store_load_groups(store, on_group, NULL) == 0);
    ck_assert_str_eq(names, expected);
}

static Group *new_group(const char *name, unsigned max_parallel) {
    Group *g = group_new(name);

    MUST(g);
    g->max_parallel = max_parallel;
    return g;
}

/* As it is when the commit begins, once, with what else there is. */
START_TEST(test_group) {
    Group *g = new_group("builds", 1);

    commit_queue_put_group(queue, g, true);
    commit_queue_put_group(queue, g, true);
    ck_assert(sd_event_run(event, 0) == 0); /* in no hurry */
    ck_assert(!commit_queue_is_empty(queue));
    commit_queue_put(queue, tasks[0]);
    commit_queue_put_group(queue, g, false);
    g->max_parallel = 2;
    add(1);
    run_until_empty();
    ck_assert_uint_eq(n_commits, 1);
    ck_assert(!g->is_listed);
    expect_groups("builds=2 ");
    group_free(g);
}
END_TEST

START_TEST(test_group_later_alone) {
    uint64_t begun = clock_usec(CLOCK_MONOTONIC);
    Group *g = new_group("builds", 1);

    commit_queue_put_group(queue, g, true);
    run_until_empty();
    ck_assert_uint_ge(clock_usec(CLOCK_MONOTONIC) - begun, 40 * USEC_PER_MSEC);
    expect_groups("builds=1 ");
    group_free(g);
}
END_TEST

static void run_until_prepared(unsigned n) {
    while (n_prepared < n)
        MUST(sd_event_run(event, UINT64_MAX) >= 0);
}

/* Changed again while the first change is on its way, and in no hurry. */
START_TEST(test_group_under_way) {
    Group *g = new_group("builds", 1);

    commit_queue_put_group(queue, g, false);
    run_until_prepared(1);
    ck_assert(!g->is_listed);
    g->max_parallel = 2;
    commit_queue_put_group(queue, g, true);
    run_until_empty();
    ck_assert_uint_eq(n_commits, 2);
    expect_groups("builds=2 ");
    group_free(g);
}
END_TEST

/* One that is removed may be freed at once, wherever its row is, and another have its name. */
START_TEST(test_group_removed) {
    for (unsigned i = 0; i < 3; i++) {
        Group *old = new_group("builds", 1), *fresh = new_group("builds", 2 + i);
        commit_queue_put_group(queue, old, false);
        if (i >= 1)
            run_until_prepared(n_prepared + 1); /* it is on its way */
        if (i == 2)
            run_until_empty(); /* it is there */
        MUST(commit_queue_remove_group(queue, old) == 0);
        group_free(old);
        commit_queue_put_group(queue, fresh, false);
        run_until_empty();
        names[0] = '\0';
        MUST(store_load_groups(store, on_group, NULL) == 0);
        ck_assert_int_eq(names[strlen("builds=")], (char)('2' + i));
        MUST(commit_queue_remove_group(queue, fresh) == 0);
        group_free(fresh);
        run_until_empty();
        expect_groups("");
    }
}
END_TEST

static void expect_resources(const char *expected) {
    reopen_store();
    MUST(store_load_resources(store, on_resource, NULL) == 0);
    ck_assert_str_eq(names, expected);
}

START_TEST(test_resources) {
    char name[] = "net";

    MUST(commit_queue_put_resource(queue, "gpu", 1) == 0);
    MUST(commit_queue_put_resource(queue, name, 5) == 0);
    MUST(commit_queue_put_resource(queue, "gpu", 2) == 0);
    name[0] = '\0'; /* it was copied */
    ck_assert(!commit_queue_is_empty(queue));
    run_until_empty();
    expect_resources("gpu=2 net=5 ");
    MUST(commit_queue_put_resource(queue, "gpu", 0) == 0);
    run_until_empty();
    expect_resources("net=5 ");
}
END_TEST

/* Puts in an attempt of the first task, which goes on. */
static void put_attempt(const char *message) {
    const TaskAttempt a = {
        .number = 1, .state = TASK_FAILED, .exit_code = 3, .message = (char *)message};

    MUST(task_add_attempt(tasks[0], &a) == 0);
    MUST(commit_queue_put_attempt(queue, 1, &a) == 0);
    commit_queue_put(queue, tasks[0]);
}

static int on_attempts(void *userdata, Task *t) {
    for (unsigned i = 0; i < t->n_attempts; i++)
        add_name(t->attempts[i].message, t->attempts[i].number);
    task_free(t);
    return 0;
}

static void expect_attempts(const char *expected) {
    reopen_store();
    MUST(store_load_active(store, envs, on_attempts, NULL) == 0);
    ck_assert_str_eq(names, expected);
}

/* With the row of a new task, and of one that is there; removed with it. */
START_TEST(test_attempt) {
    char message[] = "exit";

    if (_i > 0) {
        commit_queue_put(queue, tasks[0]);
        run_until_empty();
    }
    put_attempt(message);
    message[0] = '\0';
    run_until_empty();
    expect_attempts("exit=1 ");
    MUST(commit_queue_remove(queue, 1) == 0);
    run_until_empty();
    commit_queue_put(queue, tasks[1]);
    run_until_empty();
    expect_attempts("");
}
END_TEST

/* ---- those that are called add more ---- */

static void on_call_and_add(void *userdata, void *arg, int error) {
    size_t n = (size_t)arg;

    on_call(userdata, arg, error);
    if (n < 100) {
        commit_queue_put(queue, tasks[n % TASKS_MAX]);
        MUST(commit_queue_add(queue, on_call_and_add, userdata, (void *)(n + 10)) == 0);
    }
}

/* They wait for the next commit, behind what is already there. */
START_TEST(test_reentrant) {
    MUST(commit_queue_add(queue, on_call_and_add, calls, (void *)1) == 0);
    run_until_empty();
    ck_assert_uint_eq(n_calls, 11);
    for (size_t i = 0; i < 11; i++)
        ck_assert_uint_eq(calls[i], i * 10 + 1);
    ck_assert_uint_eq(n_commits, 10); /* the first had nothing to write */
}
END_TEST

static void on_call_and_add_many(void *userdata, void *arg, int error) {
    on_call(userdata, arg, error);
    for (size_t i = 0; i < 100; i++) /* the row that is being walked is not the one that grows */
        add((size_t)arg * 1000 + i);
}

START_TEST(test_reentrant_many) {
    for (size_t i = 1; i <= 16; i++)
        MUST(commit_queue_add(queue, on_call_and_add_many, calls, (void *)i) == 0);
    run_until_empty();
    ck_assert_uint_eq(n_calls, 16 + 1600);
    for (size_t i = 0; i < 1600; i++)
        MUST(calls[16 + i] == (i / 100 + 1) * 1000 + i % 100);
}
END_TEST

/* ---- a disk that takes no more ---- */

static void limit_files(bool on) {
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    MUST(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = on ? 1 : limit.rlim_max;
    MUST(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static size_t refused[CALLS_MAX], n_refused;

static void on_answer(void *userdata, void *arg, int error) {
    if (error < 0)
        refused[n_refused++] = (size_t)arg;
    else
        on_call(userdata, arg, 0);
}

/* Who asked is told; what must be done waits until it can be, in its order, before what came later.
 */
START_TEST(test_failure) {
    commit_queue_put(queue, tasks[0]);
    run_until_empty();
    limit_files(true);
    commit_queue_put(queue, tasks[1]);
    MUST(commit_queue_add(queue, on_answer, calls, (void *)1) == 0);
    commit_queue_call(queue, on_call, calls, (void *)2);
    MUST(commit_queue_add(queue, on_answer, calls, (void *)3) == 0);
    commit_queue_call(queue, on_call, calls, (void *)4);
    while (n_refused < 2)
        MUST(sd_event_run(event, UINT64_MAX) >= 0);
    ck_assert_uint_eq(refused[0], 1);
    ck_assert_uint_eq(refused[1], 3);
    ck_assert_uint_eq(n_calls, 0);
    ck_assert_int_lt(commit_queue_error(queue), 0);
    expect_put(tasks[1], true, false);
    ck_assert_int_eq(commit_queue_put_result(queue, 2, strdup("[1]")), 0);
    commit_queue_call(queue, on_call, calls, (void *)5);
    while (n_failures < 3) /* it is tried again and again */
        MUST(sd_event_run(event, UINT64_MAX) >= 0);
    ck_assert_uint_eq(n_calls, 0);
    limit_files(false);
    run_until_empty();
    ck_assert_uint_eq(n_calls, 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_uint_eq(calls[i], ((size_t[]){2, 4, 5})[i]);
    ck_assert_int_eq(commit_queue_error(queue), 0);
    expect_put(tasks[1], false, true);
    ck_assert_uint_eq(active_on_disk(), 2);
}
END_TEST

/* What was asked for while the commit was under way may rest on what was in it. */
START_TEST(test_failure_meanwhile) {
    commit_queue_put(queue, tasks[0]);
    run_until_empty();
    limit_files(true);
    commit_queue_put(queue, tasks[1]);
    MUST(commit_queue_add(queue, on_answer, calls, (void *)1) == 0);
    while (n_prepared < 2)
        MUST(sd_event_run(event, UINT64_MAX) >= 0);
    ck_assert_uint_eq(n_refused, 0);
    commit_queue_call(queue, on_call, calls, (void *)2);
    MUST(commit_queue_add(queue, on_answer, calls, (void *)3) == 0);
    while (n_refused == 0)
        MUST(sd_event_run(event, UINT64_MAX) >= 0);
    ck_assert_uint_eq(n_refused, 2);
    ck_assert_uint_eq(refused[1], 3);
    ck_assert_uint_eq(n_calls, 0);
    limit_files(false);
    run_until_calls(1);
}
END_TEST

/* Nothing was written, so nothing is known of the disk; who asked has nothing to wait for. */
START_TEST(test_empty) {
    limit_files(true);
    commit_queue_put(queue, tasks[0]);
    while (n_failures == 0)
        MUST(sd_event_run(event, UINT64_MAX) >= 0);
    commit_queue_withdraw(queue, tasks[0]);
    add(1);
    run_until_calls(1);
    ck_assert_uint_eq(n_commits, 0);
    ck_assert_int_lt(commit_queue_error(queue), 0);
    limit_files(false);
}
END_TEST

static void run_until_failures(unsigned n) {
    while (n_failures < n)
        MUST(sd_event_run(event, UINT64_MAX) >= 0);
}

/* All that is no row of a task is kept, too, in its order. */
START_TEST(test_failure_keeps_all) {
    Group *kept = new_group("kept", 1), *removed = new_group("removed", 2),
          *meanwhile = new_group("meanwhile", 3);

    limit_files(true);
    commit_queue_put_group(queue, kept, true);
    commit_queue_put_group(queue, removed, false);
    commit_queue_put_group(queue, meanwhile, false);
    MUST(commit_queue_put_resource(queue, "gpu", 1) == 0);
    put_attempt("exit");
    run_until_prepared(1);
    /* It goes while its row is on its way. */
    MUST(commit_queue_remove_group(queue, meanwhile) == 0);
    group_free(meanwhile);
    MUST(commit_queue_put_resource(queue, "gpu", 4) == 0);
    run_until_failures(1);
    ck_assert(kept->is_listed && removed->is_listed);
    MUST(commit_queue_remove_group(queue, removed) == 0);
    group_free(removed);
    kept->max_parallel = 9;
    run_until_failures(2);
    limit_files(false);
    run_until_empty();
    ck_assert(!kept->is_listed);
    expect_groups("kept=9 ");
    expect_resources("gpu=4 ");
    expect_attempts("exit=1 ");
    group_free(kept);
}
END_TEST

/* A group that alone could not be written is tried again as well. */
START_TEST(test_failure_of_group) {
    Group *g = new_group("builds", 1);

    limit_files(true);
    commit_queue_put_group(queue, g, true);
    run_until_failures(1);
    limit_files(false);
    run_until_empty();
    expect_groups("builds=1 ");
    group_free(g);
}
END_TEST

START_TEST(test_hurry) {
    commit_queue_hurry(queue);
    ck_assert(commit_queue_is_empty(queue));
    limit_files(true);
    commit_queue_put(queue, tasks[0]);
    while (n_failures < 3)
        MUST(sd_event_run(event, UINT64_MAX) >= 0);
    limit_files(false);
    commit_queue_hurry(queue);
    while (n_prepared < 4) /* no timer is waited for */
        MUST(sd_event_run(event, 0) > 0);
    run_until_empty();
    expect_put(tasks[0], false, true);
}
END_TEST

static void on_withdraw(void *userdata, void *arg, int error) {
    MUST(error < 0);
    n_refused++;
    commit_queue_withdraw(queue, arg);
}

/* A new task that was refused is never written. */
START_TEST(test_refused_task) {
    limit_files(true);
    commit_queue_put(queue, tasks[0]);
    MUST(commit_queue_add(queue, on_withdraw, calls, tasks[0]) == 0);
    while (n_refused == 0)
        MUST(sd_event_run(event, UINT64_MAX) >= 0);
    expect_put(tasks[0], false, false);
    limit_files(false);
    run_until_empty();
    ck_assert_uint_eq(active_on_disk(), 0);
}
END_TEST

START_TEST(test_free_while_it_waits) {
    add(1);
    commit_queue_put(queue, tasks[0]);
    ck_assert_int_eq(commit_queue_put_result(queue, 2, strdup("[1]")), 0);
    put_attempt("exit");
    MUST(commit_queue_put_resource(queue, "gpu", 1) == 0);
    queue = commit_queue_free(queue);
    ck_assert_ptr_null(queue);
    ck_assert(sd_event_run(event, 0) == 0);
    ck_assert_uint_eq(n_calls, 0);
    ck_assert_ptr_null(commit_queue_free(NULL));
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("commit");
    TCase *t = tcase_create("commit");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_order);
    tcase_add_test(t, test_busy);
    tcase_add_test(t, test_slices);
    tcase_add_test(t, test_empty_at_the_last);
    tcase_add_test(t, test_flush);
    tcase_add_test(t, test_free_while_busy);
    tcase_add_test(t, test_later_with_others);
    tcase_add_test(t, test_later_alone);
    tcase_add_test(t, test_later_under_way);
    tcase_add_test(t, test_changed_again);
    tcase_add_test(t, test_put_remove_withdraw);
    tcase_add_test(t, test_group);
    tcase_add_test(t, test_group_later_alone);
    tcase_add_test(t, test_group_under_way);
    tcase_add_test(t, test_group_removed);
    tcase_add_test(t, test_resources);
    tcase_add_loop_test(t, test_attempt, 0, 2);
    tcase_add_test(t, test_reentrant);
    tcase_add_test(t, test_reentrant_many);
    tcase_add_test(t, test_failure);
    tcase_add_test(t, test_failure_meanwhile);
    tcase_add_test(t, test_empty);
    tcase_add_test(t, test_failure_keeps_all);
    tcase_add_test(t, test_failure_of_group);
    tcase_add_test(t, test_hurry);
    tcase_add_test(t, test_refused_task);
    tcase_add_test(t, test_free_while_it_waits);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
