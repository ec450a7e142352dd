#include "daemon/exec/shim-end.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "common/parse.h"
#include "common/shim-protocol.h"
#include "daemon/kinds/kind.h"

/* Exit codes of a shell for a command that could not be executed. */
#define EXIT_NOT_FOUND 127
#define EXIT_NOT_EXECUTABLE 126

/* What the shim does not take has a number of its own. */
static void describe_stdin_failure(int error, const char *path, char *buf, size_t size) {
    if (error == ESPIPE)
        snprintf(buf, size,
                 "stdin-file %s is a FIFO or a socket: it takes files and devices. A shell can "
                 "open a FIFO: sh -c 'exec COMMAND <FIFO'",
                 path);
    else
        snprintf(buf, size, "cannot open stdin-file %s: %s", path, strerror(error));
}

static void describe_no_terminal(const ShimEnd *end, char *buf, size_t size) {
    const char *hint = end->exec_errno == ENOSPC
                           ? "the system has no more of them, see /proc/sys/kernel/pty/max"
                           : "are /dev/ptmx and /dev/pts there? Or start it without pty";

    snprintf(buf, size, "cannot make a terminal for it: %s (%s)", strerror(end->exec_errno), hint);
}

static void describe_exec_failure(const ShimEnd *end, const ShimEndContext *c, char *buf,
                                  size_t size) {
    if (streq(end->exec_step, SHIM_STEP_CHDIR))
        snprintf(buf, size, "cannot enter the working directory %s: %s", c->cwd,
                 strerror(end->exec_errno));
    else if (streq(end->exec_step, SHIM_STEP_STDIN))
        describe_stdin_failure(end->exec_errno, strempty(c->stdin_file), buf, size);
    else if (streq(end->exec_step, SHIM_STEP_TERMINAL))
        describe_no_terminal(end, buf, size);
    else if (!streq(end->exec_step, SHIM_STEP_EXEC))
        snprintf(buf, size, "cannot prepare the command: %s", strerror(end->exec_errno));
    else if (end->exec_errno == ENOENT)
        snprintf(buf, size,
                 strchr(c->program, '/')
                     ? "%s: no such program, or the interpreter of its #! line is missing"
                     : "%s: not found in PATH",
                 c->program);
    else if (end->exec_errno == ENOEXEC)
        snprintf(buf, size, "%s: not a program (a script must begin with #!)", c->program);
    else
        snprintf(buf, size, "cannot execute %s: %s", c->program, strerror(end->exec_errno));
}

static void describe_exit(const ShimEnd *end, char *buf, size_t size) {
    if (end->exit_signal > 0)
        snprintf(buf, size, "ended by signal %d (SIG%s)", end->exit_signal,
                 sigabbrev_np(end->exit_signal) ?: "?");
    else
        snprintf(buf, size, "exit code %d", end->exit_code);
}

/* ---- what stopped it ---- */

/* Of each limit: what happened, the value reached and the value allowed, in its unit. */
static void describe_limit(const ShimEnd *end, const ShimEndContext *c, char *buf, size_t size) {
    char reached[FORMAT_MAX], allowed[FORMAT_MAX];
    const ShimLimits *l = &c->limits;
    uint64_t n = end->limit_reached;

    if (streq(end->limit, "timeout"))
        snprintf(buf, size, "timeout: it ran for %s, the limit is %s", format_span(reached, n),
                 format_span(allowed, l->timeout_usec));
    else if (streq(end->limit, "idle-timeout"))
        snprintf(buf, size,
                 "idle-timeout: for %s there was no output and no progress, the limit is %s",
                 format_span(reached, n), format_span(allowed, l->idle_timeout_usec));
    else if (streq(end->limit, "memory-max"))
        snprintf(buf, size, "memory-max: its processes came to %s of memory, the limit is %s",
                 format_size(reached, n), format_size(allowed, l->memory_max));
    else if (streq(end->limit, "pids-max"))
        snprintf(buf, size,
                 "pids-max: it came to %" PRIu64 " processes and threads, the limit is %" PRIu64, n,
                 l->pids_max);
    else
        snprintf(buf, size, "%s: the limit was reached, at %" PRIu64, end->limit, n);
}

static bool is_time_limit(const ShimEnd *end) {
    return streq(end->limit, "timeout") || streq(end->limit, "idle-timeout");
}

static const char *who_stopped(const ShimEndContext *c) {
    return c->in_unit ? "longrun-tasks.service, or its supervisor there, was told to stop"
                      : "its supervisor, longrun-shim, was told to stop by a signal";
}

static void describe_stop(const ShimEnd *end, const ShimEndContext *c, char *buf, size_t size) {
    char span[FORMAT_MAX], how[64], why[256];

    if (end->limit[0] != '\0')
        describe_limit(end, c, why, sizeof(why));
    else
        snprintf(why, sizeof(why), "%s", end->stopped ? who_stopped(c) : "cancelled");
    describe_exit(end, how, sizeof(how));
    if (end->killed)
        snprintf(buf, size, "%s: killed, for it did not end within %s of SIGTERM", why,
                 format_span(span, c->limits.stop_timeout_usec));
    else
        snprintf(buf, size, "%s: %s", why, how);
}

static bool was_stopped(const ShimEnd *end) {
    return end->cancelled || end->stopped || end->limit[0] != '\0';
}

static TaskState state_of_stop(const ShimEnd *end) {
    if (end->limit[0] != '\0')
        return is_time_limit(end) ? TASK_TIMED_OUT : TASK_FAILED;
    return end->stopped ? TASK_INTERRUPTED : TASK_CANCELLED;
}

/* ---- all of it ---- */

/* A limit counts once it is reached, whatever the command makes of its SIGTERM. A worker that says
 * how its kind ended, done or failed, did so before the cancel or the stop got to it. */
static bool ended_by_stop(const ShimEnd *end, const ShimEndContext *c) {
    if (!c->isolated || end->limit[0] != '\0')
        return was_stopped(end);
    return was_stopped(end) && end->exit_code != 0 && end->exit_code != 1;
}

static void outcome_of_exec_failure(const ShimEnd *end, const ShimEndContext *c, char *buf,
                                    size_t size, ExecOutcome *o) {
    o->state = TASK_FAILED;
    /* As a shell that cannot open what "<" names. */
    if (streq(end->exec_step, SHIM_STEP_STDIN))
        o->exit_code = 1;
    else if (end->exec_errno == ENOENT && !streq(end->exec_step, SHIM_STEP_TERMINAL))
        o->exit_code = EXIT_NOT_FOUND;
    else
        o->exit_code = EXIT_NOT_EXECUTABLE;
    describe_exec_failure(end, c, buf, size);
}

static void outcome_of_exit(const ShimEnd *end, const ShimEndContext *c, char *buf, size_t size,
                            ExecOutcome *o) {
    bool by_stop = ended_by_stop(end, c);
    bool has_words = c->isolated && end->exit_signal == 0 && !isempty(c->final_message);

    o->state = by_stop ? state_of_stop(end) : end->exit_code == 0 ? TASK_SUCCEEDED : TASK_FAILED;
    o->exit_signal = end->exit_signal;
    o->exit_code = end->exit_signal > 0 ? 128 + end->exit_signal : end->exit_code;
    if (c->isolated && by_stop)
        o->exit_code = -1;
    if (has_words && (!by_stop || o->state == TASK_CANCELLED))
        snprintf(buf, size, "%s", c->final_message);
    else if (by_stop)
        describe_stop(end, c, buf, size);
    else
        describe_exit(end, buf, size);
}

/* The reason to stop was there before the command. */
static void outcome_of_no_start(const ShimEnd *end, const ShimEndContext *c, char *buf, size_t size,
                                ExecOutcome *o) {
    o->state = state_of_stop(end);
    if (o->state == TASK_CANCELLED)
        snprintf(buf, size, "cancelled before it was started");
    else
        snprintf(buf, size, "%s before it was started", who_stopped(c));
}

void shim_end_to_outcome(const ShimEnd *end, const ShimEndContext *context, char *buf, size_t size,
                         ExecOutcome *ret) {
    ExecOutcome o = {.exit_code = -1,
                     .message = buf,
                     .log_dropped = end->log_dropped,
                     .log_error = -end->log_errno,
                     .usage = end->usage};

    if (end->never_made) {
        o.state = TASK_INTERRUPTED;
        o.never_started = true;
        snprintf(buf, size, "its processes are gone, and nothing tells how they ended");
    } else if (end->lost) {
        o.state = TASK_INTERRUPTED;
        snprintf(buf, size,
                 "its supervisor, longrun-shim, was killed; the processes that it left "
                 "have been ended");
    } else if (end->exec_errno == ECANCELED)
        outcome_of_no_start(end, context, buf, size, &o);
    else if (end->exec_errno > 0)
        outcome_of_exec_failure(end, context, buf, size, &o);
    else
        outcome_of_exit(end, context, buf, size, &o);
    *ret = o;
}
