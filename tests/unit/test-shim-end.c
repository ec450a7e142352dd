/* How a command ended, as its shim tells it, in states, codes and words. */

#include <errno.h>
#include <signal.h>

#include "common/shim-protocol.h"
#include "daemon/exec/shim-end.h"
#include "tests/unit/unit.h"

#define NONE .exit_code = -1
#define WITHIN "did not end within 10.0s of SIGTERM"

static const struct {
    ShimEnd end;
    bool isolated, in_unit;
    const char *program, *final_message;
    TaskState state;
    int exit_code, exit_signal;
    const char *message;
} ends[] = {
    /* clang-format off */
    /* A command that ends by itself. */
    {{.exit_code = 0}, .state = TASK_SUCCEEDED, .exit_code = 0, .message = "exit code 0"},
    {{.exit_code = 1}, .state = TASK_FAILED, .exit_code = 1, .message = "exit code 1"},
    {{.exit_code = 3}, .state = TASK_FAILED, .exit_code = 3, .message = "exit code 3"},
    {{.exit_code = 255}, .state = TASK_FAILED, .exit_code = 255, .message = "exit code 255"},
    {{NONE, .exit_signal = SIGSEGV},
     .state = TASK_FAILED, .exit_code = 128 + SIGSEGV, .exit_signal = SIGSEGV,
     .message = "ended by signal 11 (SIGSEGV)"},
    {{NONE, .exit_signal = SIGKILL},
     .state = TASK_FAILED, .exit_code = 128 + SIGKILL, .exit_signal = SIGKILL,
     .message = "ended by signal 9 (SIGKILL)"},
    {{NONE, .exit_signal = 40},
     .state = TASK_FAILED, .exit_code = 168, .exit_signal = 40,
     .message = "ended by signal 40 (SIG?)"},
    {{.exit_code = 2}, .final_message = "words of a kind", /* a command has none */
     .state = TASK_FAILED, .exit_code = 2, .message = "exit code 2"},

    /* One that is cancelled. */
    {{NONE, .exit_signal = SIGTERM, .cancelled = true},
     .state = TASK_CANCELLED, .exit_code = 128 + SIGTERM, .exit_signal = SIGTERM,
     .message = "cancelled: ended by signal 15 (SIGTERM)"},
    {{.exit_code = 6, .cancelled = true},
     .state = TASK_CANCELLED, .exit_code = 6, .message = "cancelled: exit code 6"},
    {{.exit_code = 0, .cancelled = true}, /* it obeyed, and ended well */
     .state = TASK_CANCELLED, .exit_code = 0, .message = "cancelled: exit code 0"},
    {{NONE, .exit_signal = SIGKILL, .cancelled = true, .killed = true},
     .state = TASK_CANCELLED, .exit_code = 128 + SIGKILL, .exit_signal = SIGKILL,
     .message = "cancelled: killed, for it " WITHIN},

    /* One that was never executed. */
    {{NONE, .exec_errno = ENOENT, .exec_step = SHIM_STEP_EXEC}, .program = "nonesuch",
     .state = TASK_FAILED, .exit_code = 127, .message = "nonesuch: not found in PATH"},
    {{NONE, .exec_errno = ENOENT, .exec_step = SHIM_STEP_EXEC}, .program = "/bin/nonesuch",
     .state = TASK_FAILED, .exit_code = 127, .message = "/bin/nonesuch: no such program, or the interpreter of its #! line is missing"},
    {{NONE, .exec_errno = EACCES, .exec_step = SHIM_STEP_EXEC}, .program = "./data",
     .state = TASK_FAILED, .exit_code = 126, .message = "cannot execute ./data: Permission denied"},
    {{NONE, .exec_errno = ENOEXEC, .exec_step = SHIM_STEP_EXEC}, .program = "./script",
     .state = TASK_FAILED, .exit_code = 126,
     .message = "./script: not a program (a script must begin with #!)"},
    {{NONE, .exec_errno = E2BIG, .exec_step = SHIM_STEP_EXEC}, .program = "ls",
     .state = TASK_FAILED, .exit_code = 126, .message = "cannot execute ls: Argument list too long"},
    {{NONE, .exec_errno = ENOENT, .exec_step = SHIM_STEP_CHDIR},
     .state = TASK_FAILED, .exit_code = 127,
     .message = "cannot enter the working directory /srv: No such file or directory"},
    {{NONE, .exec_errno = ENOTDIR, .exec_step = SHIM_STEP_CHDIR},
     .state = TASK_FAILED, .exit_code = 126,
     .message = "cannot enter the working directory /srv: Not a directory"},
    {{NONE, .exec_errno = ENOENT, .exec_step = SHIM_STEP_STDIN},
     .state = TASK_FAILED, .exit_code = 1,
     .message = "cannot open stdin-file /srv/in: No such file or directory"},
    {{NONE, .exec_errno = ESPIPE, .exec_step = SHIM_STEP_STDIN},
     .state = TASK_FAILED, .exit_code = 1,
     .message = "stdin-file /srv/in is a FIFO or a socket: it takes files and devices. A shell can "
                "open a FIFO: sh -c 'exec COMMAND <FIFO'"},
    {{NONE, .exec_errno = EAGAIN, .exec_step = SHIM_STEP_SETUP},
     .state = TASK_FAILED, .exit_code = 126,
     .message = "cannot prepare the command: Resource temporarily unavailable"},
    {{NONE, .exec_errno = ENOSPC, .exec_step = SHIM_STEP_TERMINAL},
     .state = TASK_FAILED, .exit_code = 126,
     .message = "cannot make a terminal for it: No space left on device (the system has no more of them, see /proc/sys/kernel/pty/max)"},
    {{NONE, .exec_errno = ENOENT, .exec_step = SHIM_STEP_TERMINAL},
     .state = TASK_FAILED, .exit_code = 126,
     .message = "cannot make a terminal for it: No such file or directory (are /dev/ptmx and /dev/pts there? Or start it without pty)"},
    {{NONE, .exec_errno = EMFILE, .exec_step = "?"},
     .state = TASK_FAILED, .exit_code = 126, .message = "cannot prepare the command: Too many open files"},
    {{NONE, .exec_errno = ECANCELED, .exec_step = SHIM_STEP_SETUP, .cancelled = true},
     .state = TASK_CANCELLED, .exit_code = -1, .message = "cancelled before it was started"},

    {{NONE, .exec_errno = ECANCELED, .exec_step = SHIM_STEP_SETUP, .stopped = true},
     .state = TASK_INTERRUPTED, .exit_code = -1,
     .message = "its supervisor, longrun-shim, was told to stop by a signal before it was started"},

    /* One that is stopped from outside. */
    {{NONE, .exit_signal = SIGTERM, .stopped = true},
     .state = TASK_INTERRUPTED, .exit_code = 128 + SIGTERM, .exit_signal = SIGTERM,
     .message = "its supervisor, longrun-shim, was told to stop by a signal: ended by signal 15 (SIGTERM)"},
    {{.exit_code = 0, .stopped = true}, .in_unit = true,
     .state = TASK_INTERRUPTED, .exit_code = 0,
     .message = "longrun-tasks.service, or its supervisor there, was told to stop: exit code 0"},
    {{NONE, .exit_signal = SIGKILL, .stopped = true, .killed = true}, .in_unit = true,
     .state = TASK_INTERRUPTED, .exit_code = 128 + SIGKILL, .exit_signal = SIGKILL,
     .message = "longrun-tasks.service, or its supervisor there, was told to stop: killed, for it " WITHIN},
    {{.exit_code = 0, .stopped = true}, .isolated = true, .final_message = "All done",
     .state = TASK_SUCCEEDED, .exit_code = 0, .message = "All done"},
    {{.exit_code = 3, .stopped = true}, .isolated = true, .final_message = "Cancelled at step 3",
     .state = TASK_INTERRUPTED, .exit_code = -1,
     .message = "its supervisor, longrun-shim, was told to stop by a signal: exit code 3"},

    /* One that reached a limit. */
    {{NONE, .exit_signal = SIGTERM, .limit = "timeout", .limit_reached = 1000 * USEC_PER_MSEC + 200000},
     .state = TASK_TIMED_OUT, .exit_code = 128 + SIGTERM, .exit_signal = SIGTERM,
     .message = "timeout: it ran for 1.2s, the limit is 1.0s: ended by signal 15 (SIGTERM)"},
    {{NONE, .exit_signal = SIGKILL, .limit = "timeout", .limit_reached = 1 * USEC_PER_SEC, .killed = true},
     .state = TASK_TIMED_OUT, .exit_code = 128 + SIGKILL, .exit_signal = SIGKILL,
     .message = "timeout: it ran for 1.0s, the limit is 1.0s: killed, for it " WITHIN},
    {{.exit_code = 0, .limit = "timeout", .limit_reached = 1 * USEC_PER_SEC}, /* it obeyed, and ended well */
     .state = TASK_TIMED_OUT, .exit_code = 0,
     .message = "timeout: it ran for 1.0s, the limit is 1.0s: exit code 0"},
    {{.exit_code = 0, .limit = "timeout", .limit_reached = 1 * USEC_PER_SEC}, .isolated = true,
     .final_message = "All done",
     .state = TASK_TIMED_OUT, .exit_code = -1,
     .message = "timeout: it ran for 1.0s, the limit is 1.0s: exit code 0"},
    {{NONE, .exit_signal = SIGTERM, .limit = "idle-timeout", .limit_reached = 5100 * USEC_PER_MSEC},
     .state = TASK_TIMED_OUT, .exit_code = 128 + SIGTERM, .exit_signal = SIGTERM,
     .message = "idle-timeout: for 5.1s there was no output and no progress, the limit is 5.0s: ended by signal 15 (SIGTERM)"},
    {{NONE, .exit_signal = SIGKILL, .limit = "memory-max", .limit_reached = 105 * MIB},
     .state = TASK_FAILED, .exit_code = 128 + SIGKILL, .exit_signal = SIGKILL,
     .message = "memory-max: its processes came to 105.0M of memory, the limit is 100.0M: ended by signal 9 (SIGKILL)"},
    {{.exit_code = 1, .limit = "pids-max", .limit_reached = 101},
     .state = TASK_FAILED, .exit_code = 1,
     .message = "pids-max: it came to 101 processes and threads, the limit is 100: exit code 1"},
    {{.exit_code = 0, .limit = "pids-max", .limit_reached = 101},
     .state = TASK_FAILED, .exit_code = 0,
     .message = "pids-max: it came to 101 processes and threads, the limit is 100: exit code 0"},
    {{.exit_code = 1, .limit = "disk-max", .limit_reached = 7}, /* of a newer shim */
     .state = TASK_FAILED, .exit_code = 1, .message = "disk-max: the limit was reached, at 7: exit code 1"},

    /* Its supervisor is gone: nobody knows. */
    {{NONE, .lost = true},
     .state = TASK_INTERRUPTED, .exit_code = -1,
     .message = "its supervisor, longrun-shim, was killed; the processes that it left have been ended"},
    {{NONE, .lost = true, .cancelled = true},
     .state = TASK_INTERRUPTED, .exit_code = -1,
     .message = "its supervisor, longrun-shim, was killed; the processes that it left have been ended"},

    /* A built-in kind in a process of its own: its status says how it ended. */
    {{.exit_code = 0}, .isolated = true, .final_message = "All done",
     .state = TASK_SUCCEEDED, .exit_code = 0, .message = "All done"},
    {{.exit_code = 0}, .isolated = true,
     .state = TASK_SUCCEEDED, .exit_code = 0, .message = "exit code 0"},
    {{.exit_code = 0, .cancelled = true}, .isolated = true, .final_message = "All done",
     .state = TASK_SUCCEEDED, .exit_code = 0, .message = "All done"}, /* the cancel came too late */
    {{.exit_code = 1}, .isolated = true, .final_message = "Disk full",
     .state = TASK_FAILED, .exit_code = 1, .message = "Disk full"},
    {{.exit_code = 1, .cancelled = true}, .isolated = true, .final_message = "Disk full",
     .state = TASK_FAILED, .exit_code = 1, .message = "Disk full"}, /* it failed before */
    {{.exit_code = 2}, .isolated = true, .final_message = "steps must be a number",
     .state = TASK_FAILED, .exit_code = 2, .message = "steps must be a number"},
    {{.exit_code = 3, .cancelled = true}, .isolated = true, .final_message = "Cancelled at step 3",
     .state = TASK_CANCELLED, .exit_code = -1, .message = "Cancelled at step 3"},
    {{.exit_code = 3, .cancelled = true}, .isolated = true,
     .state = TASK_CANCELLED, .exit_code = -1, .message = "cancelled: exit code 3"},
    {{.exit_code = 3}, .isolated = true, .final_message = "Cancelled", /* a stranger's SIGTERM */
     .state = TASK_FAILED, .exit_code = 3, .message = "Cancelled"},
    {{NONE, .exit_signal = SIGSEGV}, .isolated = true, .final_message = "half a word",
     .state = TASK_FAILED, .exit_code = 128 + SIGSEGV, .exit_signal = SIGSEGV,
     .message = "ended by signal 11 (SIGSEGV)"},
    {{NONE, .exit_signal = SIGTERM, .cancelled = true}, .isolated = true, /* before it had begun */
     .state = TASK_CANCELLED, .exit_code = -1, .exit_signal = SIGTERM,
     .message = "cancelled: ended by signal 15 (SIGTERM)"},
    {{NONE, .exit_signal = SIGKILL, .cancelled = true, .killed = true}, .isolated = true,
     .state = TASK_CANCELLED, .exit_code = -1, .exit_signal = SIGKILL,
     .message = "cancelled: killed, for it " WITHIN},
    /* clang-format on */
};

START_TEST(test_end) {
    ShimEndContext context = {.program = ends[_i].program ?: "true",
                              .cwd = "/srv",
                              .stdin_file = "/srv/in",
                              .isolated = ends[_i].isolated,
                              .in_unit = ends[_i].in_unit,
                              .limits = {.stop_timeout_usec = 10 * USEC_PER_SEC,
                                         .timeout_usec = 1 * USEC_PER_SEC,
                                         .idle_timeout_usec = 5 * USEC_PER_SEC,
                                         .memory_max = 100 * MIB,
                                         .pids_max = 100},
                              .final_message = ends[_i].final_message};
    ExecOutcome o = {};
    char buf[1024];

    shim_end_to_outcome(&ends[_i].end, &context, buf, sizeof(buf), &o);
    ck_assert_str_eq(o.message, ends[_i].message);
    ck_assert_int_eq(o.state, ends[_i].state);
    ck_assert_int_eq(o.exit_code, ends[_i].exit_code);
    ck_assert_int_eq(o.exit_signal, ends[_i].exit_signal);
    ck_assert(task_state_is_final(o.state));
    ck_assert_uint_eq(o.log_dropped, 0);
    ck_assert_int_eq(o.log_error, 0);
}
END_TEST

START_TEST(test_usage) {
    ShimEnd end = {.exit_code = 0, .usage = {.cpu_usec = 1500, .memory_peak = MIB}};
    ExecOutcome o;
    char buf[64];

    shim_end_to_outcome(&end, &(ShimEndContext){.program = "true", .cwd = "/"}, buf, sizeof(buf),
                        &o);
    ck_assert_uint_eq(o.usage.cpu_usec, 1500);
    ck_assert_uint_eq(o.usage.memory_peak, MIB);
}
END_TEST

START_TEST(test_log) {
    ShimEnd end = {.exit_code = 0, .log_dropped = UINT64_MAX, .log_errno = ENOSPC};
    ExecOutcome o;
    char buf[64];

    shim_end_to_outcome(&end, &(ShimEndContext){.program = "true", .cwd = "/"}, buf, sizeof(buf),
                        &o);
    ck_assert_uint_eq(o.log_dropped, UINT64_MAX);
    ck_assert_int_eq(o.log_error, -ENOSPC);
}
END_TEST

/* A message that does not fit is cut. */
START_TEST(test_small_buffer) {
    ShimEnd end = {NONE, .exec_errno = ENOENT, .exec_step = SHIM_STEP_EXEC};
    ExecOutcome o;
    char buf[10];

    shim_end_to_outcome(&end, &(ShimEndContext){.program = "a-long-name-of-a-program", .cwd = "/"},
                        buf, sizeof(buf), &o);
    ck_assert_str_eq(o.message, "a-long-na");
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("shim-end");
    TCase *t = tcase_create("shim-end");

    tcase_add_loop_test(t, test_end, 0, ELEMENTSOF(ends));
    tcase_add_test(t, test_usage);
    tcase_add_test(t, test_log);
    tcase_add_test(t, test_small_buffer);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
