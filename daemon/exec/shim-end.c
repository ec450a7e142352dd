#include "daemon/exec/shim-end.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "common/parse.h"
#include "common/shim-protocol.h"
#include "daemon/kinds/kind.h"

/* Exit codes of a shell for a command that could not be executed. */
#define EXIT_NOT_FOUND 127
#define EXIT_NOT_EXECUTABLE 126

static void describe_exec_failure(const ShimEnd *end, const ShimEndContext *c, char *buf,
                                  size_t size) {
    if (streq(end->exec_step, SHIM_STEP_CHDIR))
        snprintf(buf, size, "cannot enter the working directory %s: %s", c->cwd,
                 strerror(end->exec_errno));
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

static void describe_cancel(const ShimEnd *end, const ShimEndContext *c, char *buf, size_t size) {
    char span[FORMAT_MAX], how[64];

    describe_exit(end, how, sizeof(how));
    if (end->killed)
        snprintf(buf, size, "cancelled: killed, for it did not end within %s of SIGTERM",
                 format_span(span, c->stop_timeout_usec));
    else
        snprintf(buf, size, "cancelled: %s", how);
}

static TaskState state_of_exit(const ShimEnd *end, const ShimEndContext *c) {
    if (c->isolated && end->exit_code == 0)
        return TASK_SUCCEEDED;
    if (end->cancelled && (!c->isolated || end->exit_code != 1))
        return TASK_CANCELLED;
    return end->exit_code == 0 ? TASK_SUCCEEDED : TASK_FAILED;
}

static void outcome_of_exec_failure(const ShimEnd *end, const ShimEndContext *c, char *buf,
                                    size_t size, ExecOutcome *o) {
    o->state = TASK_FAILED;
    o->exit_code = end->exec_errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
    describe_exec_failure(end, c, buf, size);
}

static void outcome_of_exit(const ShimEnd *end, const ShimEndContext *c, char *buf, size_t size,
                            ExecOutcome *o) {
    o->state = state_of_exit(end, c);
    o->exit_signal = end->exit_signal;
    o->exit_code = end->exit_signal > 0 ? 128 + end->exit_signal : end->exit_code;
    if (c->isolated && o->state == TASK_CANCELLED)
        o->exit_code = -1;
    if (c->isolated && end->exit_signal == 0 && !isempty(c->final_message))
        snprintf(buf, size, "%s", c->final_message);
    else if (o->state == TASK_CANCELLED)
        describe_cancel(end, c, buf, size);
    else
        describe_exit(end, buf, size);
}

void shim_end_to_outcome(const ShimEnd *end, const ShimEndContext *context, char *buf, size_t size,
                         ExecOutcome *ret) {
    ExecOutcome o = {.exit_code = -1,
                     .message = buf,
                     .log_dropped = end->log_dropped,
                     .log_error = -end->log_errno};

    if (end->lost) {
        o.state = TASK_INTERRUPTED;
        snprintf(buf, size,
                 "its supervisor, longrun-shim, was killed; the processes that it left "
                 "have been ended");
    } else if (end->exec_errno == ECANCELED) {
        o.state = TASK_CANCELLED;
        snprintf(buf, size, "cancelled before it was started");
    } else if (end->exec_errno > 0)
        outcome_of_exec_failure(end, context, buf, size, &o);
    else
        outcome_of_exit(end, context, buf, size, &o);
    *ret = o;
}
