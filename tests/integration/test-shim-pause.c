/* Pause and resume: by the cgroup's freezer, or by SIGSTOP and SIGCONT. */

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/integration/test-shim.h"

/* Counts in the file "n", in a session of its own too. */
static const char counters[] = "count() { while :; do echo >> $1; sleep 0.005; done; }; "
                               "setsid sh -c 'while :; do echo >> b; sleep 0.005; done' & "
                               "count a & count c";

static off_t size_of(const char *name) {
    char path[PATH_MAX];

    rig_path(&rig, name, path, sizeof(path));
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    fseek(f, 0, SEEK_END);
    return ftell(f);
}

static off_t total(void) {
    return size_of("a") + size_of("b") + size_of("c");
}

static void wait_until_all_grow(void) {
    static const char *const names[] = {"a", "b", "c"};
    uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + RIG_TIMEOUT_MSEC * USEC_PER_MSEC;

    for (size_t i = 0; i < ELEMENTSOF(names); i++)
        for (off_t before = size_of(names[i]); size_of(names[i]) == before;) {
            ck_assert_uint_lt(clock_usec(CLOCK_MONOTONIC), deadline);
            poll(NULL, 0, 1);
        }
}

static void start_counters(void) {
    rig_add(&rig, SHIM_SPEC_CWD, "%s", rig.dir);
    rig_shell(&rig, counters);
    rig_start(&rig);
    rig_wait_for(&rig, SHIM_STARTED);
    wait_until_all_grow();
}

static void wait_paused(const char *value) {
    while (!rig_value(&rig, SHIM_PAUSED) || !streq(rig_value(&rig, SHIM_PAUSED), value))
        ck_assert(rig_receive(&rig));
}

static void check_nothing_runs(void) {
    off_t before = total();

    poll(NULL, 0, 100);
    ck_assert_int_eq(total(), before);
}

START_TEST(test_pause_and_resume) {
    start_counters();
    for (int i = 0; i < 3; i++) {
        rig_send(&rig, SHIM_PAUSE "=1\n");
        wait_paused("1");
        check_nothing_runs();
        rig_send(&rig, SHIM_PAUSE "=0\n");
        wait_paused("0");
        wait_until_all_grow();
    }
    rig_send(&rig, SHIM_CANCEL "=1\n");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_CANCELLED, 1);
}
END_TEST

START_TEST(test_paused_is_told_again) {
    start_counters();
    rig_send(&rig, SHIM_PAUSE "=1\n");
    wait_paused("1");
    rig_take_up(&rig);
    rig_wait_for(&rig, SHIM_STARTED);
    ck_assert_str_eq(strempty(rig_value(&rig, SHIM_PAUSED)), "1");
    check_nothing_runs();
    rig_send(&rig, SHIM_CANCEL "=1\n");
    rig_finish(&rig);
}
END_TEST

/* SIGTERM first: the command takes its leave, and needs no SIGKILL. */
START_TEST(test_cancel_of_a_paused_task) {
    size_t size;

    rig_add(&rig, SHIM_SPEC_CWD, "%s", rig.dir);
    rig_make_fifo(&rig, "never");
    rig_shell(&rig, "trap 'echo cleaned up; exit 6' TERM; exec 3<> never; echo ready; "
                    "while :; do read x <&3; done");
    rig_start(&rig);
    rig_wait_log(&rig, 6);
    rig_send(&rig, SHIM_PAUSE "=1\n");
    wait_paused("1");
    rig_send(&rig, SHIM_CANCEL "=1\n");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 6);
    ck_assert_ptr_null(rig_value(&rig, SHIM_KILLED));
    _cleanup_free_ char *log = rig_read_log(&rig, &size);
    ck_assert_str_eq(log, "ready\ncleaned up\n");
}
END_TEST

START_TEST(test_kill_of_a_paused_task) {
    start_counters();
    rig_send(&rig, SHIM_PAUSE "=1\n");
    wait_paused("1");
    rig_send(&rig, SHIM_KILL "=9\n");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_SIGNAL, SIGKILL);
}
END_TEST

/* A pause that was ordered before the command was there. */
START_TEST(test_pause_before_the_start) {
    rig_add(&rig, SHIM_SPEC_CWD, "%s", rig.dir);
    rig_shell(&rig, counters);
    rig_send(&rig, SHIM_PAUSE "=1\n");
    rig_start(&rig);
    wait_paused("1");
    check_nothing_runs();
    rig_send(&rig, SHIM_PAUSE "=0\n");
    wait_until_all_grow();
    rig_send(&rig, SHIM_CANCEL "=1\n");
    rig_finish(&rig);
}
END_TEST

static const char *const time_limits[] = {SHIM_SPEC_TIMEOUT, SHIM_SPEC_IDLE_TIMEOUT};

/* The time of the pause is longer than the limit, and does not count. */
START_TEST(test_time_stands_still) {
    rig_add(&rig, time_limits[_i], "600000");
    rig_shell(&rig, "exec sleep 1000");
    uint64_t begin = clock_usec(CLOCK_MONOTONIC);
    rig_start(&rig);
    rig_wait_for(&rig, SHIM_STARTED);
    rig_send(&rig, SHIM_PAUSE "=1\n");
    wait_paused("1");
    struct pollfd p = {.fd = rig.control, .events = POLLIN};
    ck_assert_int_eq(poll(&p, 1, 900), 0);
    rig_send(&rig, SHIM_PAUSE "=0\n");
    rig_finish(&rig);
    uint64_t reached = strtoull(strempty(rig_end(&rig, SHIM_LIMIT_REACHED)), NULL, 10);
    ck_assert_uint_ge(reached, 600 * USEC_PER_MSEC);
    ck_assert_uint_le(reached + 900 * USEC_PER_MSEC, clock_usec(CLOCK_MONOTONIC) - begin);
}
END_TEST

TCase *tcase_shim_pause(void) {
    TCase *tc = tcase_create("pause");

    tcase_add_test(tc, test_pause_and_resume);
    tcase_add_test(tc, test_paused_is_told_again);
    tcase_add_test(tc, test_cancel_of_a_paused_task);
    tcase_add_test(tc, test_kill_of_a_paused_task);
    tcase_add_test(tc, test_pause_before_the_start);
    tcase_add_loop_test(tc, test_time_stands_still, 0, ELEMENTSOF(time_limits));
    return tc;
}
