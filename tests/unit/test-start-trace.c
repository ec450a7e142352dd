/* Which tasks have been begun on threads: a next daemon sees it, however this one ended. */

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/exec/start-trace.h"
#include "tests/unit/unit.h"

static StartTrace *open_good(void) {
    StartTrace *t;

    ck_assert_int_eq(start_trace_open(&t, unit_path(".")), 0);
    return t;
}

static bool is_700(void *userdata, uint64_t id) {
    MUST(userdata && id > 0);
    return id == 700;
}

START_TEST(test_outlives_the_daemon) {
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        StartTrace *t = open_good();
        for (uint64_t id = 1; id <= 100; id++)
            MUST(start_trace_add(t, id * 7) == 0);
        start_trace_remove(t, 21);
        start_trace_remove(t, 4711); /* was never there */
        (void)kill(getpid(), SIGKILL);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status));

    StartTrace *t = open_good();
    ck_assert(start_trace_contains(t, 7));
    ck_assert(start_trace_contains(t, 700));
    ck_assert(!start_trace_contains(t, 21));
    ck_assert(!start_trace_contains(t, 8));
    start_trace_keep(t, is_700, t);
    ck_assert(!start_trace_contains(t, 7));
    start_trace_close(t);
    t = open_good();
    ck_assert(start_trace_contains(t, 700));
    ck_assert(!start_trace_contains(t, 14));
    start_trace_close(t);
}
END_TEST

START_TEST(test_full) {
    StartTrace *t = open_good();

    for (uint64_t id = 1; id <= START_TRACE_MAX; id++)
        MUST(start_trace_add(t, id) == 0);
    ck_assert_int_eq(start_trace_add(t, 100000), -ENOBUFS);
    start_trace_remove(t, 77);
    ck_assert_int_eq(start_trace_add(t, 100000), 0);
    ck_assert_int_eq(start_trace_add(t, 100001), -ENOBUFS);
    ck_assert(start_trace_contains(t, 100000));
    ck_assert(!start_trace_contains(t, 77));
    start_trace_close(t);

    /* What is in it counts for the next one as well. */
    t = open_good();
    ck_assert_int_eq(start_trace_add(t, 100001), -ENOBUFS);
    start_trace_keep(t, is_700, t);
    for (uint64_t id = 1; id < START_TRACE_MAX; id++)
        MUST(start_trace_add(t, id + 100000) == 0);
    ck_assert_int_eq(start_trace_add(t, 100000), -ENOBUFS);
    start_trace_close(t);
}
END_TEST

/* In whatever order they come and go. */
START_TEST(test_random) {
    static bool there[START_TRACE_MAX + 1];
    StartTrace *t = open_good();
    unsigned seed = 42;

    for (int i = 0; i < 20000; i++) {
        uint64_t id = (unsigned)rand_r(&seed) % 200 + 1;
        if (there[id])
            start_trace_remove(t, id);
        else
            MUST(start_trace_add(t, id) == 0);
        there[id] = !there[id];
        MUST(start_trace_contains(t, id) == there[id]);
    }
    for (uint64_t id = 1; id <= 200; id++)
        MUST(start_trace_contains(t, id) == there[id]);
    start_trace_close(t);
}
END_TEST

START_TEST(test_no_folder) {
    StartTrace *t;

    ck_assert_int_eq(start_trace_open(&t, unit_path("missing")), -ENOENT);
    ck_assert_ptr_null(start_trace_close(NULL));
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("start-trace");
    TCase *t = tcase_create("start-trace");

    unit_use_dir(t);
    tcase_add_test(t, test_outlives_the_daemon);
    tcase_add_test(t, test_full);
    tcase_add_test(t, test_random);
    tcase_add_test(t, test_no_folder);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
