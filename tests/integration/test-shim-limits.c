/* Limits end the task, and say which and at what. Usage. */

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/integration/test-shim.h"

static void check_limit(const char *limit, uint64_t at_least, uint64_t at_most) {
    rig_finish(&rig);
    ck_assert_str_eq(strempty(rig_end(&rig, SHIM_LIMIT)), limit);
    uint64_t reached = strtoull(strempty(rig_end(&rig, SHIM_LIMIT_REACHED)), NULL, 10);
    ck_assert_uint_ge(reached, at_least);
    ck_assert_uint_le(reached, at_most);
    ck_assert_ptr_null(rig_value(&rig, SHIM_CANCELLED));
    ck_assert_ptr_null(rig_value(&rig, SHIM_STOPPED));
}

START_TEST(test_timeout) {
    rig_add(&rig, SHIM_SPEC_TIMEOUT, "200000");
    rig_add(&rig, SHIM_SPEC_IDLE_TIMEOUT, "10000000");
    rig_shell(&rig, "while :; do echo busy; sleep 0.02; done");
    rig_start(&rig);
    check_limit("timeout", 200 * USEC_PER_MSEC, 10 * USEC_PER_SEC);
    rig_check_end(&rig, SHIM_EXIT_SIGNAL, SIGTERM);
    ck_assert_ptr_null(rig_value(&rig, SHIM_KILLED));
}
END_TEST

START_TEST(test_timeout_then_stop_timeout) {
    rig_add(&rig, SHIM_SPEC_TIMEOUT, "100000");
    rig_add(&rig, SHIM_SPEC_STOP_TIMEOUT, "100000");
    rig_shell(&rig, "trap '' TERM; setsid sleep 1000 & sleep 1000; sleep 1000");
    rig_start(&rig);
    check_limit("timeout", 100 * USEC_PER_MSEC, 10 * USEC_PER_SEC);
    rig_check_end(&rig, SHIM_EXIT_SIGNAL, SIGKILL);
    rig_check_end(&rig, SHIM_KILLED, 1);
}
END_TEST

START_TEST(test_ends_in_time) {
    rig_add(&rig, SHIM_SPEC_TIMEOUT, "60000000");
    rig_add(&rig, SHIM_SPEC_IDLE_TIMEOUT, "0"); /* none */
    rig_add(&rig, SHIM_SPEC_MEMORY_MAX, "1000000000");
    rig_add(&rig, SHIM_SPEC_PIDS_MAX, "1000");
    rig_shell(&rig, "sleep 0.3; exit 3");
    rig_start(&rig);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 3);
    ck_assert_ptr_null(rig_value(&rig, SHIM_LIMIT));
}
END_TEST

START_TEST(test_idle) {
    size_t size;

    rig_add(&rig, SHIM_SPEC_IDLE_TIMEOUT, "300000");
    rig_shell(&rig, "echo ready; exec sleep 1000");
    rig_start(&rig);
    check_limit("idle-timeout", 300 * USEC_PER_MSEC, 10 * USEC_PER_SEC);
    rig_check_end(&rig, SHIM_EXIT_SIGNAL, SIGTERM);
    _cleanup_free_ char *log = rig_read_log(&rig, &size);
    ck_assert_str_eq(log, "ready\n");
}
END_TEST

/* Less often than the timeout asks for, and for longer than it: 40 times 20 ms, of output and of
 * progress. */
START_TEST(test_not_idle) {
    char path[PATH_MAX], byte;

    rig_add(&rig, SHIM_SPEC_IDLE_TIMEOUT, "400000");
    rig_make_fifo(&rig, "end");
    rig_path(&rig, "end", path, sizeof(path));
    rig_command(&rig, "chatter", path);
    rig_start(&rig);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(read(fd, &byte, 1), 1);
    rig_finish(&rig);
    ck_assert_ptr_null(rig_value(&rig, SHIM_LIMIT));
}
END_TEST

/* To say the same again is no progress. */
START_TEST(test_idle_talker) {
    rig_add(&rig, SHIM_SPEC_ENV, "PATH=/usr/bin:/bin");
    rig_add(&rig, SHIM_SPEC_IDLE_TIMEOUT, "500000");
    rig_shell(&rig, "while :; do systemd-notify --status=same; sleep 0.02; done");
    rig_start(&rig);
    check_limit("idle-timeout", 500 * USEC_PER_MSEC, 10 * USEC_PER_SEC);
}
END_TEST

START_TEST(test_memory) {
    rig_add(&rig, SHIM_SPEC_MEMORY_MAX, "%d", (int)(30 * MIB));
    rig_command(&rig, "eat", "60");
    rig_start(&rig);
    check_limit("memory-max", 30 * MIB, 200 * MIB);
    rig_check_end(&rig, SHIM_EXIT_SIGNAL, SIGKILL);
    ck_assert_ptr_null(rig_value(&rig, SHIM_KILLED));
}
END_TEST

/* Four processes share 40 MiB: together they have 40, not 160. */
START_TEST(test_shared_memory_counts_once) {
    rig_add(&rig, SHIM_SPEC_MEMORY_MAX, "%d", (int)(100 * MIB));
    rig_command(&rig, "eat", "40");
    rig_start(&rig);
    rig_wait_log(&rig, 4 * 5);
    /* Time for a look or two. */
    poll(NULL, 0, 700);
    rig_send(&rig, SHIM_CANCEL "=1\n");
    rig_finish(&rig);
    ck_assert_ptr_null(rig_value(&rig, SHIM_LIMIT));
    rig_check_end(&rig, SHIM_CANCELLED, 1);
}
END_TEST

START_TEST(test_pids) {
    rig_add(&rig, SHIM_SPEC_PIDS_MAX, "10");
    rig_command(&rig, "crowd", "20");
    rig_start(&rig);
    check_limit("pids-max", 11, 20);
    rig_check_end(&rig, SHIM_EXIT_SIGNAL, SIGTERM);
}
END_TEST

/* A limit that is reached during a cancel is not the reason. */
START_TEST(test_cancel_comes_first) {
    rig_add(&rig, SHIM_SPEC_TIMEOUT, "300000");
    rig_add(&rig, SHIM_SPEC_STOP_TIMEOUT, "600000");
    rig_shell(&rig, "trap '' TERM; echo ready; sleep 1000; sleep 1000");
    rig_start(&rig);
    rig_wait_log(&rig, 6);
    rig_send(&rig, SHIM_CANCEL "=1\n");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_CANCELLED, 1);
    rig_check_end(&rig, SHIM_KILLED, 1);
    ck_assert_ptr_null(rig_value(&rig, SHIM_LIMIT));
}
END_TEST

START_TEST(test_nice) {
    size_t size;

    rig_add(&rig, SHIM_SPEC_NICE, "7");
    RIG_ARGV(&rig, "nice");
    rig_start(&rig);
    rig_finish(&rig);
    _cleanup_free_ char *log = rig_read_log(&rig, &size);
    ck_assert_int_eq(atoi(log), getpriority(PRIO_PROCESS, 0) + 7);
}
END_TEST

START_TEST(test_usage) {
    rig_shell(&rig, "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done");
    uint64_t begin = clock_usec(CLOCK_MONOTONIC);
    rig_start(&rig);
    rig_finish(&rig);
    uint64_t used = clock_usec(CLOCK_MONOTONIC) - begin;
    uint64_t cpu = strtoull(strempty(rig_end(&rig, SHIM_CPU_USEC)), NULL, 10);
    uint64_t peak = strtoull(strempty(rig_end(&rig, SHIM_MEMORY_PEAK)), NULL, 10);
    ck_assert_uint_ge(cpu, 10 * USEC_PER_MSEC);
    ck_assert_uint_le(cpu, used);
    ck_assert_uint_ge(peak, 500 * KIB);
    ck_assert_uint_le(peak, 100 * MIB);
}
END_TEST

/* Of one that runs: with the second message, since the first comes too early to say anything. */
START_TEST(test_usage_while_running) {
    rig_make_fifo(&rig, "go");
    rig_add(&rig, SHIM_SPEC_CWD, "%s", rig.dir);
    rig_shell(&rig, "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; sleep 1; echo done; "
                    "read x < go");
    rig_start(&rig);
    rig_wait_log(&rig, 5);
    ck_assert_uint_ge(strtoull(strempty(rig_value(&rig, SHIM_CPU_USEC)), NULL, 10),
                      10 * USEC_PER_MSEC);
    ck_assert_uint_ge(strtoull(strempty(rig_value(&rig, SHIM_MEMORY_PEAK)), NULL, 10), 500 * KIB);
    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
}
END_TEST

TCase *tcase_shim_limits(void) {
    TCase *tc = tcase_create("limits");

    tcase_add_test(tc, test_timeout);
    tcase_add_test(tc, test_timeout_then_stop_timeout);
    tcase_add_test(tc, test_ends_in_time);
    tcase_add_test(tc, test_idle);
    tcase_add_test(tc, test_not_idle);
    tcase_add_test(tc, test_idle_talker);
    tcase_add_test(tc, test_memory);
    tcase_add_test(tc, test_shared_memory_counts_once);
    tcase_add_test(tc, test_pids);
    tcase_add_test(tc, test_cancel_comes_first);
    tcase_add_test(tc, test_nice);
    tcase_add_test(tc, test_usage);
    tcase_add_test(tc, test_usage_while_running);
    return tc;
}
