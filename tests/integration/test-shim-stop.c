/* Cancel and kill. */

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/integration/test-shim.h"

#define CANCEL_MESSAGE SHIM_CANCEL "=1\n"

static void set_stop_timeout(uint64_t msec) {
    rig_add(&rig, SHIM_SPEC_STOP_TIMEOUT, "%d", (int)(msec * USEC_PER_MSEC));
}

static void check_flags(bool cancelled, bool killed) {
    ck_assert_ptr_null(rig_value(&rig, SHIM_STOPPED));
    ck_assert_str_eq(strempty(rig_value(&rig, SHIM_CANCELLED)), cancelled ? "1" : "");
    ck_assert_str_eq(strempty(rig_value(&rig, SHIM_KILLED)), killed ? "1" : "");
}

START_TEST(test_cancel) {
    RIG_ARGV(&rig, "sleep", "1000");
    rig_start(&rig);
    rig_wait_for(&rig, SHIM_STARTED);
    rig_send(&rig, CANCEL_MESSAGE);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_SIGNAL, SIGTERM);
    check_flags(true, false);
}
END_TEST

static const int stop_signals[] = {SIGTERM, SIGINT, SIGHUP};

START_TEST(test_signal_to_the_shim_stops) {
    RIG_ARGV(&rig, "sleep", "1000");
    rig_start(&rig);
    rig_wait_for(&rig, SHIM_STARTED);
    ck_assert_int_eq(kill(rig.shim, stop_signals[_i]), 0);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_SIGNAL, SIGTERM);
    rig_check_end(&rig, SHIM_STOPPED, 1);
    ck_assert_ptr_null(rig_value(&rig, SHIM_CANCELLED));
}
END_TEST

START_TEST(test_command_may_take_its_leave) {
    size_t size;

    rig_make_fifo(&rig, "never");
    rig_add(&rig, SHIM_SPEC_CWD, "%s", rig.dir);
    rig_shell(&rig, "trap 'echo cleaned up; exit 6' TERM; exec 3<> never; echo ready; "
                    "while :; do read x <&3; done");
    rig_start(&rig);
    rig_wait_log(&rig, 6);
    rig_send(&rig, CANCEL_MESSAGE);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 6);
    check_flags(true, false);
    _cleanup_free_ char *log = rig_read_log(&rig, &size);
    ck_assert_str_eq(log, "ready\ncleaned up\n");
}
END_TEST

START_TEST(test_sigterm_ignored) {
    set_stop_timeout(100);
    rig_shell(&rig, "trap '' TERM; echo ready; sleep 1000; sleep 1000");
    rig_start(&rig);
    rig_wait_log(&rig, 6);
    uint64_t begin = clock_usec(CLOCK_MONOTONIC);
    rig_send(&rig, CANCEL_MESSAGE);
    rig_finish(&rig);
    ck_assert_uint_ge(clock_usec(CLOCK_MONOTONIC) - begin, 100 * USEC_PER_MSEC);
    rig_check_end(&rig, SHIM_EXIT_SIGNAL, SIGKILL);
    check_flags(true, true);
}
END_TEST

START_TEST(test_no_stop_timeout) {
    size_t size;

    set_stop_timeout(0);
    rig_shell(&rig, "trap 'echo no' TERM; echo ready; sleep 1000 & wait");
    rig_start(&rig);
    rig_wait_log(&rig, 6);
    rig_send(&rig, CANCEL_MESSAGE);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_SIGNAL, SIGKILL);
    check_flags(true, true);
    _cleanup_free_ char *log = rig_read_log(&rig, &size);
    ck_assert_str_eq(log, "ready\n");
}
END_TEST

START_TEST(test_stopped_command) {
    rig_shell(&rig, "kill -STOP $$");
    rig_start(&rig);
    rig_wait_for(&rig, SHIM_STARTED);
    rig_wait_state(rig.command, 'T');
    rig_send(&rig, CANCEL_MESSAGE);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_SIGNAL, SIGTERM);
    check_flags(true, false);
}
END_TEST

/* SIGTERM comes once to each: for many programs the second means "without cleaning up". */
START_TEST(test_sigterm_comes_once) {
    size_t size;

    rig_command(&rig, "count-term", "");
    rig_start(&rig);
    rig_wait_log(&rig, 6);
    rig_send(&rig, CANCEL_MESSAGE);
    rig_wait_log(&rig, 6 + 2 * 7);
    rig_send(&rig, CANCEL_MESSAGE);
    ck_assert_int_eq(kill(rig.shim, SIGTERM), 0);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    check_flags(true, false);
    _cleanup_free_ char *log = rig_read_log(&rig, &size);
    ck_assert_str_eq(log, "ready\ngot it\ngot it\n1 1\n");
}
END_TEST

/* A tree: in the process group, in sessions of their own, orphaned, and some that ignore SIGTERM.
 * Each line of the log is a pid. */
static const char tree[] = "for i in 1 2 3; do\n"
                           "  sh -c 'echo $$; sleep 1000' &\n"
                           "  setsid sh -c 'echo $$; sleep 1000' &\n"
                           "  sh -c 'setsid sh -c \"echo \\$\\$; exec sleep 1000\" &' &\n"
                           "  setsid sh -c 'trap \"\" TERM; echo $$; sleep 1000' &\n"
                           "done\n";

static FILE *open_log(void) {
    char path[PATH_MAX];

    ck_assert_int_eq(log_file_path(path, sizeof(path), rig.dir, RIG_TASK_ID, ".log"), 0);
    return fopen(path, "re");
}

static size_t count_lines(void) {
    _cleanup_fclose_ FILE *f = open_log();
    size_t n = 0;

    for (int c; f && (c = fgetc(f)) != EOF;)
        n += c == '\n';
    return n;
}

static void check_all_gone(size_t expected) {
    _cleanup_fclose_ FILE *f = open_log();
    size_t n;
    pid_t pid;

    ck_assert_ptr_nonnull(f);
    for (n = 0; fscanf(f, "%d", &pid) == 1; n++)
        ck_assert_msg(!rig_is_alive(pid), "%d lives on", pid);
    ck_assert_uint_eq(n, expected);
}

static void wait_for_tree(void) {
    uint64_t size = 1;

    while (count_lines() < 12) {
        rig_wait_log(&rig, size);
        size = strtoull(rig_value(&rig, SHIM_LOG_SIZE), NULL, 10) + (count_lines() < 12);
    }
}

static const char *const tree_ends[] = {"wait", "exit 5"};

START_TEST(test_cancel_of_a_tree) {
    _cleanup_free_ char *script = NULL;

    ck_assert_int_ge(asprintf(&script, "%s%s", tree, tree_ends[_i]), 0);
    set_stop_timeout(300);
    rig_shell(&rig, script);
    rig_start(&rig);
    wait_for_tree();
    if (_i == 1)
        rig_wait_for(&rig, SHIM_MAIN_EXITED);
    rig_send(&rig, CANCEL_MESSAGE);
    rig_finish(&rig);
    if (_i == 1)
        rig_check_end(&rig, SHIM_EXIT_CODE, 5);
    else
        rig_check_end(&rig, SHIM_EXIT_SIGNAL, SIGTERM);
    check_flags(true, true);
    check_all_gone(12);
}
END_TEST

/* SIGTERM reaches a session of its own below the command, too. */
START_TEST(test_cancel_reaches_other_sessions) {
    size_t size;

    rig_make_fifo(&rig, "never");
    rig_add(&rig, SHIM_SPEC_CWD, "%s", rig.dir);
    rig_shell(&rig, "setsid sh -c 'trap \"echo got it; exit 0\" TERM; exec 3<> never; echo ready; "
                    "while :; do read x <&3; done' & wait");
    rig_start(&rig);
    rig_wait_log(&rig, 6);
    rig_send(&rig, CANCEL_MESSAGE);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_SIGNAL, SIGTERM);
    check_flags(true, false);
    _cleanup_free_ char *log = rig_read_log(&rig, &size);
    ck_assert_str_eq(log, "ready\ngot it\n");
}
END_TEST

/* A setsid(2) grandchild that outlives the command: the last message waits for it. */
START_TEST(test_setsid_grandchild) {
    char path[PATH_MAX];

    rig_make_fifo(&rig, "go");
    rig_add(&rig, SHIM_SPEC_CWD, "%s", rig.dir);
    rig_shell(&rig, "setsid sh -c 'read x < go; : > ended' > /dev/null 2>&1 & exit 3");
    rig_start(&rig);
    rig_wait_for(&rig, SHIM_MAIN_EXITED);
    ck_assert_str_eq(rig_value(&rig, SHIM_MAIN_EXITED), "1");
    rig_path(&rig, "ended", path, sizeof(path));
    ck_assert_int_lt(access(path, F_OK), 0);
    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
    ck_assert_int_eq(access(path, F_OK), 0);
    rig_check_end(&rig, SHIM_EXIT_CODE, 3);
    check_flags(false, false);
}
END_TEST

/* A chain of processes, each of which lives for a moment only. */
START_TEST(test_moving_target) {
    set_stop_timeout(20);
    rig_command(&rig, "respawn", "");
    rig_start(&rig);
    rig_wait_log(&rig, 6);
    rig_send(&rig, CANCEL_MESSAGE);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    check_flags(true, true);
}
END_TEST

START_TEST(test_cancel_before_the_start) {
    char path[PATH_MAX];

    rig_path(&rig, "ran", path, sizeof(path));
    RIG_ARGV(&rig, "touch", path);
    rig_send(&rig, CANCEL_MESSAGE);
    rig_start(&rig);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXEC_ERRNO, ECANCELED);
    ck_assert_str_eq(rig_end(&rig, SHIM_EXEC_STEP), SHIM_STEP_SETUP);
    check_flags(true, false);
    ck_assert_int_lt(access(path, F_OK), 0);
}
END_TEST

/* The command ends while the shim does not look, then the cancel comes. */
START_TEST(test_cancel_too_late) {
    rig_make_fifo(&rig, "go");
    rig_add(&rig, SHIM_SPEC_CWD, "%s", rig.dir);
    rig_shell(&rig, "read x < go; exit 0");
    rig_start(&rig);
    rig_wait_for(&rig, SHIM_STARTED);
    ck_assert_int_eq(kill(rig.shim, SIGSTOP), 0);
    rig_wait_state(rig.shim, 'T');
    rig_write_fifo(&rig, "go");
    rig_wait_state(rig.command, 'Z');
    rig_send(&rig, CANCEL_MESSAGE);
    ck_assert_int_eq(kill(rig.shim, SIGCONT), 0);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    check_flags(false, false);
}
END_TEST

/* What is sent when all is over reaches nobody and spoils nothing. */
START_TEST(test_cancel_after_the_end) {
    struct pollfd p;

    RIG_ARGV(&rig, "true");
    rig_start(&rig);
    p = (struct pollfd){.fd = rig.control};
    ck_assert_int_eq(poll(&p, 1, RIG_TIMEOUT_MSEC), 1);
    ck_assert_int_ne(p.revents & POLLHUP, 0);
    ck_assert_int_lt(send(rig.control, CANCEL_MESSAGE, 9, MSG_NOSIGNAL), 0);
    ck_assert_int_eq(errno, EPIPE);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    check_flags(false, false);
}
END_TEST

/* The same when it was sent before: the shim does not even look when it has no job. */
START_TEST(test_cancel_that_nobody_reads) {
    rig_send(&rig, CANCEL_MESSAGE);
    rig_start_raw(&rig, "", 0);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXEC_ERRNO, EINVAL);
    check_flags(false, false);
}
END_TEST

START_TEST(test_kill) {
    size_t size;

    rig_make_fifo(&rig, "never");
    rig_add(&rig, SHIM_SPEC_CWD, "%s", rig.dir);
    rig_shell(&rig, "exec 3<> never; trap 'echo usr1' USR1; sh -c 'trap \"exit 5\" USR1; echo "
                    "ready; while :; do read x <&3; done'; exit $?");
    rig_start(&rig);
    rig_wait_log(&rig, 6);
    rig_send(&rig, SHIM_KILL "=0\n");
    rig_send(&rig, SHIM_KILL "=1000\n");
    rig_send(&rig, SHIM_KILL "=-9\n");
    rig_send(&rig, SHIM_KILL "=KILL\n");
    rig_send(&rig, "noise\n");
    rig_send(&rig, SHIM_KILL "=10\n");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 5);
    check_flags(false, false);
    _cleanup_free_ char *log = rig_read_log(&rig, &size);
    ck_assert_str_eq(log, "ready\nusr1\n");
}
END_TEST

START_TEST(test_kill_all) {
    rig_shell(&rig, tree);
    rig_start(&rig);
    wait_for_tree();
    rig_send(&rig, SHIM_KILL "=9\n");
    rig_finish(&rig);
    check_flags(false, false);
    check_all_gone(12);
}
END_TEST

TCase *tcase_shim_stop(void) {
    TCase *tc = tcase_create("stop");

    tcase_add_test(tc, test_cancel);
    tcase_add_loop_test(tc, test_signal_to_the_shim_stops, 0, ELEMENTSOF(stop_signals));
    tcase_add_test(tc, test_command_may_take_its_leave);
    tcase_add_test(tc, test_sigterm_ignored);
    tcase_add_test(tc, test_no_stop_timeout);
    tcase_add_test(tc, test_stopped_command);
    tcase_add_test(tc, test_sigterm_comes_once);
    tcase_add_loop_test(tc, test_cancel_of_a_tree, 0, ELEMENTSOF(tree_ends));
    tcase_add_test(tc, test_cancel_reaches_other_sessions);
    tcase_add_test(tc, test_setsid_grandchild);
    tcase_add_test(tc, test_moving_target);
    tcase_add_test(tc, test_cancel_before_the_start);
    tcase_add_test(tc, test_cancel_too_late);
    tcase_add_test(tc, test_cancel_after_the_end);
    tcase_add_test(tc, test_cancel_that_nobody_reads);
    tcase_add_test(tc, test_kill);
    tcase_add_test(tc, test_kill_all);
    return tc;
}
