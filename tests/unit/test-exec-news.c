/* News of a kind on a thread that is faster than the loop: only so many are kept, the last of each
 * sort among them, in the order in which they came; and the loop has time for others. */

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/unit/thread-rig.h"
#include "tests/unit/unit.h"

#define NEWS_MAX 32 /* the executor's */

static ThreadRig rig;
static RigJob job;
static sem_t told; /* the kind has said all, and the loop has not looked yet */

static const ThreadJobSpec options = {
    .id = 42, .log_max = MIB, .result_max = 100, .stop_timeout_usec = 10 * USEC_PER_SEC};

static void setup(void) {
    sem_init(&told, 0, 0);
    thread_rig_setup(&rig);
}

static void teardown(void) {
    rig_job_done(&job);
    thread_rig_teardown(&rig);
}

/* Has the kind say everything before the loop looks for the first time. */
static void run_unseen(int (*function)(TaskContext *c, const cJSON *params)) {
    Kind kind = {.name = "test", .run = function};

    thread_rig_start(&rig, &job, &kind, &options);
    while (sem_wait(&told) < 0)
        ;
    thread_rig_run(&rig);
}

/* Where in the events the text is, -1 when it is not there. */
static int place(const char *text) {
    for (size_t i = 0; i < job.n_events; i++)
        if (streq(job.events[i], text))
            return (int)i;
    return -1;
}

static int run_quick(TaskContext *c, const cJSON *params) {
    for (int i = 1; i <= 3; i++)
        task_context_progress(c, (uint64_t)i, 3);
    task_context_status(c, "one");
    task_context_status(c, "two");
    sem_post(&told);
    return 0;
}

/* Of what comes in a row only the last progress counts; of words none is left out. */
START_TEST(test_few) {
    run_unseen(run_quick);
    rig_job_expect(&job, (const char *const[]){"started", "progress 3/3", "status one",
                                               "status two", "ended succeeded 0 ", NULL});
}
END_TEST

static int run_talkative(TaskContext *c, const cJSON *params) {
    for (unsigned i = 1; i <= 1000; i++) {
        task_context_status(c, "status %u", i);
        task_context_progress(c, i, 1000);
        task_context_log(c, "x");
    }
    task_context_message(c, "Done");
    sem_post(&told);
    return 0;
}

START_TEST(test_many) {
    run_unseen(run_talkative);
    ck_assert_uint_le(job.n_events, NEWS_MAX + 2); /* the log's last size and the end */
    ck_assert_str_eq(job.events[0], "started");
    ck_assert_int_ge(place("status status 1000"), 0);
    ck_assert_int_ge(place("progress 1000/1000"), 0);
    ck_assert_int_ge(place("log 2000"), 0);
    ck_assert_str_eq(rig_job_last(&job), "ended succeeded 0 Done");
}
END_TEST

/* A kind that goes from phase to phase while nobody looks. The total of each phase is its number.
 */
static unsigned n_said;

static int run_phases(TaskContext *c, const cJSON *params) {
    for (unsigned said = 0, phase = 1; said < n_said; phase++) {
        task_context_phase(c, (char[]){(char)('0' + phase), '\0'});
        if (++said < n_said && ++said)
            task_context_progress(c, 1, phase);
        if (said < n_said && ++said)
            task_context_status(c, "in %u", phase);
    }
    sem_post(&told);
    return 0;
}

/* Wherever it stops: a progress is told after the name of its phase, and before the next. */
START_TEST(test_phases) {
    unsigned phase = 0, last = 0, total;

    n_said = (unsigned)_i;
    run_unseen(run_phases);
    for (size_t i = 0; i < job.n_events; i++) {
        if (strncmp(job.events[i], "phase ", 6) == 0)
            phase = (unsigned)(job.events[i][6] - '0');
        else if (sscanf(job.events[i], "progress 1/%u", &total) == 1)
            ck_assert_uint_eq(total, phase);
        else
            (void)sscanf(job.events[i], "status in %u", &last);
    }
    /* The last of each is there. */
    ck_assert_uint_eq(phase, (n_said + 2) / 3);
    ck_assert_uint_eq(last, n_said / 3);
    ck_assert_int_eq(place("started"), 0);
}
END_TEST

/* ---- a loop that is kept busy ---- */

static sem_t seen, posted;
static bool stop;

/* Says something new each time the loop has taken note of the last: there is always news. */
static int run_restless(TaskContext *c, const cJSON *params) {
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        task_context_status(c, "restless");
        sem_post(&posted);
        while (sem_wait(&seen) < 0)
            ;
    }
    return 0;
}

static void wait_for_more(RigJob *j, const char *event) {
    if (strncmp(event, "status", 6) != 0)
        return;
    sem_post(&seen);
    if (__atomic_load_n(&stop, __ATOMIC_RELAXED))
        return;
    while (sem_wait(&posted) < 0)
        ;
}

static int on_time(sd_event_source *s, uint64_t usec, void *userdata) {
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    sem_post(&posted);
    return 0;
}

/* The timer is another's, a cancel that comes over the bus for one. */
START_TEST(test_loop_turns) {
    Kind kind = {.name = "test", .run = run_restless};

    sem_init(&seen, 0, 0);
    sem_init(&posted, 0, 0);
    job.hook = wait_for_more;
    thread_rig_start(&rig, &job, &kind, &options);
    MUST(sem_wait(&posted) == 0);
    MUST(sd_event_add_time_relative(rig.event, NULL, CLOCK_MONOTONIC, 10 * USEC_PER_MSEC, 1,
                                    on_time, NULL) >= 0);
    thread_rig_run(&rig);
    ck_assert_str_eq(rig_job_last(&job), "ended succeeded 0 ");
}
END_TEST

/* ---- many jobs ---- */

#define JOBS 300

static int run_small(TaskContext *c, const cJSON *params) {
    task_context_progress(c, 1, 1);
    task_context_log(c, "x");
    return 0;
}

START_TEST(test_many_jobs) {
    static RigJob jobs[JOBS];
    Kind kind = {.name = "test", .run = run_small};

    for (uint64_t i = 0; i < JOBS; i++) {
        ThreadJobSpec with = options;
        with.id = i + 1;
        thread_rig_start(&rig, &jobs[i], &kind, &with);
    }
    thread_rig_run(&rig);
    for (size_t i = 0; i < JOBS; i++) {
        MUST(streq(jobs[i].events[0], "started"));
        MUST(streq(rig_job_last(&jobs[i]), "ended succeeded 0 "));
        rig_job_done(&jobs[i]);
    }
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("exec-news");
    TCase *t = tcase_create("exec-news");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 40);
    tcase_add_test(t, test_few);
    tcase_add_test(t, test_many);
    tcase_add_loop_test(t, test_phases, 1, 80);
    tcase_add_test(t, test_loop_turns);
    tcase_add_test(t, test_many_jobs);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
