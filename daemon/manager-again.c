#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "common/clock.h"
#include "common/log-file.h"
#include "common/log.h"
#include "daemon/core/retry.h"
#include "daemon/logs/task-log.h"
#include "daemon/manager-private.h"

/* Attempts that are over and were not the last: the task waits, or is in the queue again. */

/* ---- what is kept of an attempt ---- */

static const char *what_happened(TaskState state) {
    switch (state) {
    case TASK_TIMED_OUT:
        return "timed out";
    case TASK_INTERRUPTED:
        return "was interrupted";
    default:
        return "failed";
    }
}

/* "attempt 1 failed (exit code 3)" */
static void describe(char *buf, size_t size, unsigned number, TaskState state,
                     const char *message) {
    bool has_message = !isempty(message);

    snprintf(buf, size, "attempt %u %s%s%s%s", number, what_happened(state),
             has_message ? " (" : "", strempty(message), has_message ? ")" : "");
}

static int remember(Manager *m, Task *t, TaskState state, const ExecOutcome *outcome) {
    const TaskAttempt a = {
        .number = t->attempt,
        .state = state,
        .exit_code = outcome->exit_code,
        .exit_signal = outcome->exit_signal,
        .started_at = t->started_at,
        .finished_at = MAX(clock_usec(CLOCK_REALTIME), t->started_at),
        .log_offset = t->log_begin,
        .message = t->message,
    };

    if (!retry_is_remembered(t, state))
        return 0;
    int r = task_add_attempt(t, &a);
    return r < 0 ? r : commit_queue_put_attempt(m->commits, t->id, &t->attempts[t->n_attempts - 1]);
}

/* Where one attempt ends in the log and the next begins. Before the commit that says so: the size
 * of the log is a part of that. */
static void append_note(const Manager *m, Task *t, const char *text) {
    _cleanup_free_ char *note = NULL;
    LogFile log;
    int n = asprintf(&note, "\n[longrun] %s\n", text);

    if (n < 0)
        note = NULL;
    /* Of one that was lost, the disk alone knows. */
    t->log_size = task_log_size(m->dirs.logs, t->id);
    if (note && t->log_size > 0) {
        log_file_init(&log, m->dirs.logs, t->id, t->spec->log_max);
        log_file_append(&log, LOG_STREAM_LONGRUN, clock_usec(CLOCK_REALTIME), note, (size_t)n);
        t->log_size = MAX(t->log_size, log.size);
        log_file_done(&log);
    }
    t->log_begin = t->log_size;
}

/* None of it is the task's own end. */
static void forget_end(Task *t) {
    task_set_message(t, "");
    t->exit_code = -1;
    t->exit_signal = 0;
    task_set_usage(t, &(TaskUsage){});
}

/* ---- back to the scheduler ---- */

/* "waiting" or "queued" is on disk: from now on what the attempt has left is no sign of one under
 * way. */
static void on_put_back(void *userdata, void *arg, int error) {
    Manager *m = userdata;
    Task *t = arg;

    bus_publisher_attempt_ended(m->bus->publisher, t);
    manager_clear_traces(t->run);
    manager_drop_run(t->run);
    manager_enter_again(m, t);
    if (t->cancel_requested) {
        manager_finish_queued(m, t, TASK_CANCELLED, "cancelled before it was started again");
        return;
    }
    bus_publisher_task_changed(m->bus->publisher, t, BUS_CHANGE_STATE);
    manager_schedule(m);
}

static void put_back(TaskRun *run, TaskState state) {
    Manager *m = run->manager;
    Task *t = run->task;

    manager_set_state(t, state);
    commit_queue_put(m->commits, t);
    commit_queue_call(m->commits, on_put_back, m, t);
}

void manager_take_back_claim(TaskRun *run) {
    put_back(run, TASK_QUEUED);
    run->task->attempt--;
    task_set_message(run->task, "");
}

/* ---- another attempt ---- */

/* Local time. */
static void format_due(char *buf, size_t size, uint64_t usec) {
    time_t sec = (time_t)(usec / USEC_PER_SEC);
    struct tm tm;

    if (!localtime_r(&sec, &tm) || strftime(buf, size, "at %F %T", &tm) == 0)
        snprintf(buf, size, "later");
}

static uint64_t random_number(void) {
    uint64_t random = 0;

    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
        random = clock_usec(CLOCK_MONOTONIC);
    return random;
}

static void again(TaskRun *run, TaskState state, const char *reason) {
    Task *t = run->task;

    log_full(LOG_NOTICE, t->id, "%s", reason);
    append_note(run->manager, t, reason);
    forget_end(t);
    put_back(run, state);
    task_set_reason(t, reason);
}

static void restart(TaskRun *run, const char *what) {
    char reason[1024];

    snprintf(reason, sizeof(reason), "%.900s; starting again", what);
    again(run, TASK_QUEUED, reason);
}

static void retry_later(TaskRun *run, const char *what) {
    Task *t = run->task;
    uint64_t delay = retry_delay(t->spec->retry_delay_usec, retry_count(t) - 1, random_number());
    char reason[1024], due[64];

    t->due_at = clock_usec(CLOCK_REALTIME) + delay;
    format_due(due, sizeof(due), t->due_at);
    snprintf(reason, sizeof(reason), "%.900s; attempt %u starts %s", what, t->attempt + 1, due);
    again(run, TASK_WAITING, reason);
}

bool manager_try_again(TaskRun *run, TaskState state, const ExecOutcome *outcome) {
    Task *t = run->task;
    bool restarts = state == TASK_INTERRUPTED && task_spec_restarts(t->spec);
    char what[1024];

    if (t->cancel_requested || (!restarts && !retry_is_due(t, state, outcome->exit_code)))
        return false;
    if (remember(run->manager, t, state, outcome) < 0) {
        log_full(LOG_WARNING, t->id, "Not tried again: out of memory");
        return false;
    }
    describe(what, sizeof(what), t->attempt, state, t->message);
    if (restarts)
        restart(run, what);
    else
        retry_later(run, what);
    return true;
}

void manager_attempt_begins(Task *t) {
    const TaskAttempt *last = t->n_attempts > 0 ? &t->attempts[t->n_attempts - 1] : NULL;
    char what[1024];

    if (!last)
        return;
    describe(what, sizeof(what), last->number, last->state, last->message);
    task_set_reason(t, what);
}
