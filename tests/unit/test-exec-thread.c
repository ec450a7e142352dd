/* Built-in kinds on the thread pool, with kinds made for the test: how they end, what is told of
 * them, and how a cancel gets to them. */

#include <errno.h>
#include <semaphore.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/message-queue.h"
#include "tests/unit/thread-rig.h"
#include "tests/unit/unit.h"

#define THREADS_MAX 512 /* the pool's */

static ThreadRig rig;
static RigJob job;

static const ThreadJobSpec options = {
    .id = 42, .log_max = MIB, .result_max = 100, .stop_timeout_usec = 10 * USEC_PER_SEC};

static void setup(void) {
    thread_rig_setup(&rig);
}

static void teardown(void) {
    rig_job_done(&job);
    thread_rig_teardown(&rig);
}

/* Runs a kind of that function to its end. */
static void run(int (*function)(TaskContext *c, const cJSON *params), const ThreadJobSpec *with) {
    Kind kind = {.name = "test", .run = function};

    thread_rig_start(&rig, &job, &kind, with);
    thread_rig_run(&rig);
}

static void expect_ended(const char *text) {
    ck_assert_str_eq(rig_job_last(&job), text);
}

/* ---- ends ---- */

static int run_all(TaskContext *c, const cJSON *params) {
    task_context_phase(c, "first");
    task_context_status(c, "at %s", "work");
    task_context_progress(c, 1, 2);
    task_context_log(c, "line %d", 1);
    task_context_log_error(c, "line %d", 2);
    task_context_progress(c, 2, 2);
    task_context_message(c, "not the last");
    task_context_message(c, "All done");
    return task_context_set_result(c, "{\"a\": 1}");
}

START_TEST(test_success) {
    static const char *const events[] = {"started",
                                         "phase first",
                                         "status at work",
                                         "progress 1/2",
                                         "log 14",
                                         "progress 2/2",
                                         "ended succeeded 0 All done",
                                         NULL};
    Kind kind = {.name = "test", .run = run_all};

    thread_rig_start(&rig, &job, &kind, &options);
    ck_assert_uint_eq(job.n_events, 0); /* never from within the call that started it */
    thread_rig_run(&rig);
    /* How often the growing log is told depends on when the loop looks. */
    size_t n = 0;
    for (size_t i = 0; i < job.n_events; i++)
        if (streq(job.events[i], "log 7"))
            free(job.events[i]);
        else
            job.events[n++] = job.events[i];
    job.events[n] = NULL;
    job.n_events = n;
    rig_job_expect(&job, events);

    _cleanup_free_ char *log = unit_read("42.log", NULL), *result = unit_read("result", NULL);
    ck_assert_str_eq(log, "line 1\nline 2\n");
    ck_assert_str_eq(result, "{\"a\": 1}");
    ck_assert_uint_eq(job.log_dropped, 0);
}
END_TEST

static int run_params(TaskContext *c, const cJSON *params) {
    const cJSON *r = cJSON_GetObjectItem(params, "return");

    if (cJSON_GetObjectItem(params, "message"))
        task_context_message(c, "its own words");
    return r ? (int)r->valuedouble : 0;
}

static const struct {
    const char *params, *ended;
} ends[] = {
    {"", "ended succeeded 0 "},
    {"{}", "ended succeeded 0 "},
    {"{\"message\": 1}", "ended succeeded 0 its own words"},
    {"{\"return\": 7}", "ended succeeded 0 "},
    {"{\"return\": -28}", "ended failed 1 No space left on device"},
    {"{\"return\": -28, \"message\": 1}", "ended failed 1 its own words"},
    /* Nobody has asked for it. */
    {"{\"return\": -125}", "ended failed 1 Operation canceled"},
};

START_TEST(test_end) {
    ThreadJobSpec with = options;

    with.params = ends[_i].params;
    run(run_params, &with);
    rig_job_expect(&job, (const char *const[]){"started", ends[_i].ended, NULL});
    ck_assert(!unit_exists("42.log") && !unit_exists("result"));
}
END_TEST

static int run_large_result(TaskContext *c, const cJSON *params) {
    char json[103];

    memset(json, 'x', sizeof(json));
    json[0] = json[99] = '"';
    json[100] = '\0';
    MUST(task_context_set_result(c, json) == 0); /* just as much as it may have */
    json[99] = 'x';
    json[100] = '"';
    json[101] = '\0';
    return task_context_set_result(c, json);
}

START_TEST(test_large_result) {
    run(run_large_result, &options);
    expect_ended("ended failed 1 File too large");
    _cleanup_free_ char *result = unit_read("result", NULL);
    ck_assert_uint_eq(strlen(result), 100);
}
END_TEST

static int run_much_log(TaskContext *c, const cJSON *params) {
    for (int i = 0; i < 10000; i++)
        task_context_log(c, "0123456789");
    return 0;
}

START_TEST(test_log_cap) {
    ThreadJobSpec with = options;

    with.log_max = 500;
    run(run_much_log, &with);
    expect_ended("ended succeeded 0 ");
    /* It is rounded up to a few blocks. */
    ck_assert_uint_gt(job.log_dropped, 110000 - 40000);
    ck_assert_uint_lt(job.log_dropped, 110000);
    ck_assert_int_eq(job.log_error, 0);
}
END_TEST

static int run_busy(TaskContext *c, const cJSON *params) {
    while (clock_usec(CLOCK_THREAD_CPUTIME_ID) < 20 * USEC_PER_MSEC)
        ;
    return 0;
}

/* The time that its thread has worked for it, not that of those that had the thread before. */
START_TEST(test_usage) {
    run(run_busy, &options);
    ck_assert_uint_ge(job.cpu_usec, 15 * USEC_PER_MSEC);
    run(run_params, &options);
    ck_assert_uint_lt(job.cpu_usec, 15 * USEC_PER_MSEC);
}
END_TEST

/* ---- the cancel ---- */

static void cancel_on_status(RigJob *j, const char *event) {
    if (strncmp(event, "status", 6) != 0)
        return;
    exec_job_cancel(j->job);
    exec_job_cancel(j->job); /* again does nothing */
}

static int run_sleeper(TaskContext *c, const cJSON *params) {
    MUST(!task_context_cancelled(c));
    task_context_status(c, "asleep");
    int r = task_context_sleep(c, USEC_PER_HOUR);
    MUST(r == -ECANCELED);
    MUST(task_context_cancelled(c));
    MUST(task_context_sleep(c, USEC_PER_HOUR) == -ECANCELED); /* at once from then on */
    return r;
}

START_TEST(test_cancel_wakes) {
    uint64_t start = clock_usec(CLOCK_MONOTONIC);

    job.hook = cancel_on_status;
    run(run_sleeper, &options);
    rig_job_expect(&job, (const char *const[]){"started", "status asleep",
                                               "ended cancelled -1 cancelled", NULL});
    ck_assert_uint_lt(clock_usec(CLOCK_MONOTONIC) - start, 5 * USEC_PER_SEC);
}
END_TEST

/* ---- messages ---- */

/* Writes down each that comes, up to "end". */
static int run_listener(TaskContext *c, const cJSON *params) {
    task_context_status(c, "there");
    for (bool more = true; more;) {
        _cleanup_free_ char *text = NULL;
        int r = task_context_receive(c, USEC_INFINITY, &text);
        if (r < 0)
            return r;
        task_context_status(c, "got %s", text);
        more = !streq(text, "end");
    }
    return 0;
}

static const Kind listener = {.name = "listener", .run = run_listener, .takes_messages = true};

static void send_on_status(RigJob *j, const char *event) {
    static const char *const texts[] = {"one", "", "end"};

    if (!streq(event, "status there"))
        return;
    for (size_t i = 0; i < ELEMENTSOF(texts); i++)
        ck_assert_int_eq(exec_job_send(j->job, texts[i]), 0);
}

START_TEST(test_receive) {
    job.hook = send_on_status;
    thread_rig_start(&rig, &job, &listener, &options);
    thread_rig_run(&rig);
    rig_job_expect(&job,
                   (const char *const[]){"started", "status there", "status got one", "status got ",
                                         "status got end", "ended succeeded 0 ", NULL});
}
END_TEST

START_TEST(test_cancel_wakes_receiver) {
    job.hook = cancel_on_status;
    thread_rig_start(&rig, &job, &listener, &options);
    thread_rig_run(&rig);
    expect_ended("ended cancelled -1 cancelled");
}
END_TEST

static int run_in_vain(TaskContext *c, const cJSON *params) {
    uint64_t start = clock_usec(CLOCK_MONOTONIC);
    char *text = NULL;

    MUST(task_context_receive(c, 0, &text) == -ETIMEDOUT);
    MUST(task_context_receive(c, 20 * USEC_PER_MSEC, &text) == -ETIMEDOUT);
    MUST(clock_usec(CLOCK_MONOTONIC) - start >= 20 * USEC_PER_MSEC);
    MUST(!text);
    return 0;
}

START_TEST(test_receive_in_vain) {
    run(run_in_vain, &options);
    expect_ended("ended succeeded 0 ");
}
END_TEST

/* It has 100 that it does not look at; nobody waits. */
static void fill_on_status(RigJob *j, const char *event) {
    if (!streq(event, "status asleep"))
        return;
    for (int i = 0; i < MESSAGE_QUEUE_MAX; i++)
        ck_assert_int_eq(exec_job_send(j->job, "text"), 0);
    ck_assert_int_eq(exec_job_send(j->job, "one too many"), -ENOBUFS);
    exec_job_cancel(j->job);
}

START_TEST(test_inbox_is_full) {
    static const Kind kind = {.name = "sleeper", .run = run_sleeper, .takes_messages = true};

    job.hook = fill_on_status;
    thread_rig_start(&rig, &job, &kind, &options);
    thread_rig_run(&rig);
    expect_ended("ended cancelled -1 cancelled");
}
END_TEST

static void send_in_vain(RigJob *j, const char *event) {
    if (!streq(event, "status asleep"))
        return;
    ck_assert_int_eq(exec_job_send(j->job, "text"), -EOPNOTSUPP);
    exec_job_cancel(j->job);
}

START_TEST(test_takes_no_messages) {
    job.hook = send_in_vain;
    run(run_sleeper, &options);
    expect_ended("ended cancelled -1 cancelled");
}
END_TEST

static int run_sender(TaskContext *c, const cJSON *params) {
    char text[MESSAGE_MAX + 2] = "";

    MUST(task_context_send(c, "one") == 0);
    MUST(task_context_send(c, "") == 0);
    MUST(task_context_send(c, "two\nlines") == -EINVAL);
    MUST(task_context_send(c, "no UTF-8: \xff") == -EINVAL);
    memset(text, 'x', MESSAGE_MAX + 1);
    MUST(task_context_send(c, text) == -EMSGSIZE);
    MUST(task_context_send(c, "three") == 0);
    return 0;
}

START_TEST(test_send) {
    run(run_sender, &options);
    rig_job_expect(&job, (const char *const[]){"started", "message one", "message ",
                                               "message three", "ended succeeded 0 ", NULL});
}
END_TEST

static int run_flood(TaskContext *c, const cJSON *params) {
    int sent = 0;

    while (task_context_send(c, "text") == 0)
        sent++;
    task_context_message(c, "%d", sent);
    return 0;
}

/* The loop does not look as long as it runs. */
START_TEST(test_flood) {
    run(run_flood, &options);
    ck_assert_uint_ge(job.n_events, 2 + MESSAGE_QUEUE_MAX);
    ck_assert_int_eq(atoi(rig_job_last(&job) + strlen("ended succeeded 0 ")),
                     (int)job.n_events - 2);
}
END_TEST

static int run_sleep_through(TaskContext *c, const cJSON *params) {
    uint64_t start = clock_usec(CLOCK_MONOTONIC);

    MUST(task_context_sleep(c, 20 * USEC_PER_MSEC) == 0);
    MUST(clock_usec(CLOCK_MONOTONIC) - start >= 20 * USEC_PER_MSEC);
    MUST(task_context_sleep(c, 0) == 0);
    return 0;
}

START_TEST(test_sleep) {
    run(run_sleep_through, &options);
    expect_ended("ended succeeded 0 ");
}
END_TEST

static int run_until_cancelled(TaskContext *c, const cJSON *params) {
    int r = task_context_sleep(c, USEC_PER_HOUR);

    task_context_message(c, "Cancelled in good order");
    return r;
}

/* Before anything of it has run, and before the loop has turned once. */
START_TEST(test_cancel_at_once) {
    Kind kind = {.name = "test", .run = run_until_cancelled};

    thread_rig_start(&rig, &job, &kind, &options);
    exec_job_cancel(job.job);
    ck_assert_uint_eq(job.n_events, 0);
    thread_rig_run(&rig);
    /* Whether a thread was quicker than the cancel is open. */
    if (streq(job.events[0], "started"))
        rig_job_expect(&job, (const char *const[]){
                                 "started", "ended cancelled -1 Cancelled in good order", NULL});
    else
        rig_job_expect(&job, (const char *const[]){
                                 "ended cancelled -1 cancelled before it was started", NULL});
}
END_TEST

/* ---- kinds that do not answer ---- */

static sem_t let_go;
static char *warning;

static void on_log(int level, uint64_t task_id, const char *text) {
    MUST(level == LOG_WARNING && task_id == 42 && !warning);
    warning = strdup(text);
}

/* It does not look at its flag. */
static int run_stubborn(TaskContext *c, const cJSON *params) {
    task_context_status(c, "busy");
    while (sem_wait(&let_go) < 0)
        ;
    return 0;
}

static void release_on_reason(RigJob *j, const char *event) {
    cancel_on_status(j, event);
    if (strncmp(event, "reason", 6) == 0)
        sem_post(&let_go);
}

/* It is reported, it is left alone, and how it ends is the truth. */
START_TEST(test_stubborn) {
    ThreadJobSpec with = options;

    with.stop_timeout_usec = 50 * USEC_PER_MSEC;
    sem_init(&let_go, 0, 0);
    log_set_sink(on_log);
    job.hook = release_on_reason;
    run(run_stubborn, &with);
    rig_job_expect(
        &job, (const char *const[]){"started", "status busy",
                                    "reason still at work: it has not answered the cancel for 50ms",
                                    "ended succeeded 0 ", NULL});
    ck_assert_str_eq(warning,
                     "Kind test is still at work: it has not answered the cancel for 50ms; "
                     "a thread is never killed half-way");
    free(warning);
}
END_TEST

static int run_late_failure(TaskContext *c, const cJSON *params) {
    run_stubborn(c, params);
    return -EIO;
}

static void cancel_and_release(RigJob *j, const char *event) {
    cancel_on_status(j, event);
    if (strncmp(event, "status", 6) == 0)
        sem_post(&let_go);
}

/* A failure is a failure, cancel or not. */
START_TEST(test_failure_after_cancel) {
    sem_init(&let_go, 0, 0);
    job.hook = cancel_and_release;
    run(run_late_failure, &options);
    expect_ended("ended failed 1 Input/output error");
}
END_TEST

static void kill_on_status(RigJob *j, const char *event) {
    if (strncmp(event, "status", 6) != 0)
        return;
    MUST(exec_job_kill(j->job, 9) == -EOPNOTSUPP);
    MUST(exec_job_pause(j->job, true) == -EOPNOTSUPP);
    sem_post(&let_go);
}

START_TEST(test_kill) {
    sem_init(&let_go, 0, 0);
    job.hook = kill_on_status;
    run(run_stubborn, &options);
    expect_ended("ended succeeded 0 ");
}
END_TEST

/* Every thread is at work, and one job more waits for one: its cancel needs none. */
START_TEST(test_cancel_without_thread) {
    static RigJob busy[THREADS_MAX];
    Kind stubborn = {.name = "test", .run = run_stubborn};

    sem_init(&let_go, 0, 0);
    for (size_t i = 0; i < THREADS_MAX; i++)
        thread_rig_start(&rig, &busy[i], &stubborn, &options);
    thread_rig_start(&rig, &job, &stubborn, &options);
    exec_job_cancel(job.job);
    while (job.job)
        MUST(sd_event_run(rig.event, 20 * USEC_PER_SEC) > 0);
    rig_job_expect(
        &job, (const char *const[]){"ended cancelled -1 cancelled before it was started", NULL});
    for (size_t i = 0; i < THREADS_MAX; i++)
        sem_post(&let_go);
    thread_rig_run(&rig);
    for (size_t i = 0; i < THREADS_MAX; i++) {
        MUST(streq(rig_job_last(&busy[i]), "ended succeeded 0 "));
        rig_job_done(&busy[i]);
    }
}
END_TEST

/* The executor goes while a kind is at work: it waits for it. */
START_TEST(test_free_waits) {
    Kind kind = {.name = "test", .run = run_until_cancelled};

    thread_rig_start(&rig, &job, &kind, &options);
    exec_job_cancel(job.job);
    rig.executor = thread_executor_free(rig.executor);
    job.job = exec_job_free(job.job);
    ck_assert_uint_eq(job.n_events, 0);
    ck_assert_ptr_null(thread_executor_free(NULL));
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("exec-thread");
    TCase *t = tcase_create("exec-thread");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 40);
    tcase_add_test(t, test_success);
    tcase_add_loop_test(t, test_end, 0, ELEMENTSOF(ends));
    tcase_add_test(t, test_large_result);
    tcase_add_test(t, test_log_cap);
    tcase_add_test(t, test_cancel_wakes);
    tcase_add_test(t, test_receive);
    tcase_add_test(t, test_cancel_wakes_receiver);
    tcase_add_test(t, test_receive_in_vain);
    tcase_add_test(t, test_inbox_is_full);
    tcase_add_test(t, test_takes_no_messages);
    tcase_add_test(t, test_send);
    tcase_add_test(t, test_flood);
    tcase_add_test(t, test_sleep);
    tcase_add_test(t, test_cancel_at_once);
    tcase_add_test(t, test_stubborn);
    tcase_add_test(t, test_failure_after_cancel);
    tcase_add_test(t, test_usage);
    tcase_add_test(t, test_kill);
    tcase_add_test(t, test_cancel_without_thread);
    tcase_add_test(t, test_free_waits);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
