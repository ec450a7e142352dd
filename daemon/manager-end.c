#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log-file.h"
#include "common/log.h"
#include "common/remove-tree.h"
#include "daemon/exec/result-file.h"
#include "daemon/logs/task-log.h"
#include "daemon/manager-private.h"

/* The ends of tasks. */

void manager_set_state(Task *t, TaskState state) {
    int r = task_set_state(t, state, clock_usec(CLOCK_REALTIME));

    /* The callers look at the state first, so this is a fault of the program: it must not pass in
     * silence. */
    if (r < 0)
        log_full(LOG_CRIT, t->id, "Refused to go from %s to %s", task_state_to_string(t->state),
                 task_state_to_string(state));
}

/* ---- the end of a task ---- */

void manager_drop_run(TaskRun *run) {
    run->task->run = NULL;
    exec_job_free(run->job);
    manager_guard_done(run);
    log_tail_free(run->tail);
    free(run->runtime_dir);
    free(run->limit);
    free(run->saved);
    free(run);
}

/* The end is on disk: what told of it to a next daemon is of no more use. */
void manager_clear_traces(TaskRun *run) {
    if (run->trace_place >= 0)
        start_trace_release(run->manager->trace, run->trace_place);
    run->trace_place = -ENOENT;
    if (run->runtime_dir && rmdir(run->runtime_dir) < 0 && errno != ENOENT)
        remove_tree(run->runtime_dir, NULL);
}

static void on_finished(void *userdata, void *arg, int error) {
    Manager *m = userdata;
    Task *t = arg;

    if (t->run)
        manager_clear_traces(t->run);
    bus_publisher_task_finished(m->bus->publisher, t);
    bus_waits_task_ended(m->bus->waits, t);
    if (t->run)
        manager_drop_run(t->run);
    t->told = true;
    manager_forget_ended(m);
}

static void log_end(const Task *t) {
    const char *state = task_state_to_string(t->state), *message = strempty(t->message);

    /* "cancelled before it was started" says it all. */
    if (strncmp(message, state, strlen(state)) == 0)
        log_full(LOG_INFO, t->id, "%s", message);
    else
        log_full(LOG_INFO, t->id, "%s%s%s", state, isempty(message) ? "" : ": ", message);
}

/* What LogsMax= is about. */
static void note_kept(const Manager *m, Task *t) {
    uint64_t kept = bytes_length(t->spec->stdin_data);

    if (t->log_size > 0)
        kept += task_log_kept(m->dirs.logs, t->id);
    TaskWork *w = kept > 0 ? task_work_make(t) : NULL;
    if (w)
        w->log_kept = kept;
}

/* Gives the parent, if that has waited for this end alone. */
static Task *end_task(Manager *m, Task *t, TaskState state) {
    Task *parent = task_parent(t), *due = manager_leave_parent(t);

    manager_set_state(t, state);
    t->end_state = _TASK_STATE_INVALID;
    note_kept(m, t);
    task_table_ended(&m->tasks, t);
    log_end(t);
    commit_queue_put(m->commits, t);
    commit_queue_call(m->commits, on_finished, m, t);
    /* Who is skipped for it is so in the same commit: see manager-recover.c. */
    scheduler_task_ended(&m->scheduler, t, clock_usec(CLOCK_REALTIME));
    manager_group_task_ended(m, t);
    if (task_spec_is_series(t->spec))
        manager_series_forget(m, t);
    if (parent && task_spec_is_series(parent->spec))
        manager_series_run_ended(m, parent);
    manager_schedule(m);
    return due;
}

/* Every way to a final state leads through here, once for each task. Parents come after their
 * children, in the same commit. */
static void finish(Manager *m, Task *t, TaskState state) {
    while (t && !manager_await_end(m, t, state)) {
        t = end_task(m, t, state);
        if (t)
            state = t->end_state;
    }
}

void manager_end_after_children(Manager *m, Task *t) {
    finish(m, t, t->end_state);
}

void manager_finish_queued(Manager *m, Task *t, TaskState state, const char *message) {
    scheduler_remove(&m->scheduler, t);
    t->claim = TASK_CLAIM_NONE;
    task_set_message(t, message);
    finish(m, t, state);
    manager_update_status(m);
}

/* ---- the end of a run ---- */

static void append_message(Task *t, const char *more) {
    _cleanup_free_ char *text = NULL;

    if (asprintf(&text, "%s%s%s", strempty(t->message), isempty(t->message) ? "" : "; ", more) <
        0) {
        text = NULL;
        return;
    }
    task_set_message(t, text);
}

static void note_result_loss(Task *t, int error) {
    char text[256];

    if (error == -EFBIG)
        snprintf(text, sizeof(text),
                 "its result was not kept: it has more than %" PRIu64 " bytes (result-max)",
                 t->spec->result_max);
    else
        snprintf(text, sizeof(text), "its result was not kept: %s",
                 error == -EBADMSG ? "it is not JSON" : strerror(-error));
    append_message(t, text);
}

/* The result goes where the task goes, in the same commit. The file stays until that is on disk: a
 * next daemon may have to read it again. */
static void keep_result(TaskRun *run) {
    Task *t = run->task;
    char *json = NULL;
    int r =
        run->runtime_dir ? result_file_read(run->runtime_dir, t->spec->result_max, &json) : -ENOENT;

    if (r >= 0)
        r = commit_queue_put_result(run->manager->commits, t->id, json);
    t->has_result = r >= 0;
    if (r < 0 && r != -ENOENT)
        note_result_loss(t, r);
}

/* One whose shim was lost has more in its log than was told. */
static void note_log_size(const Manager *m, Task *t) {
    if (t->exit_code < 0) {
        uint64_t size = task_log_size(m->dirs.logs, t->id);
        t->log_size = MAX(t->log_size, size);
    }
}

static void note_log_loss(Task *t, const ExecOutcome *outcome) {
    char text[256];

    if (outcome->log_error == 0)
        return;
    snprintf(text, sizeof(text), "its log is not whole, %" PRIu64 " bytes are not in it: %s",
             outcome->log_dropped, strerror(-outcome->log_error));
    append_message(t, text);
}

/* What an executor calls cancelled was stopped by us: why, it does not know. */
static TaskState stopped_state(TaskRun *run, const ExecOutcome *outcome) {
    Task *t = run->task;

    task_set_message(t, outcome->message);
    /* Its supervisor was lost while it was on its way to the end that somebody asked for. */
    if (t->cancel_requested && outcome->state == TASK_INTERRUPTED)
        return TASK_CANCELLED;
    if (outcome->state != TASK_CANCELLED || t->cancel_requested)
        return outcome->state;
    if (run->limit) {
        task_set_message(t, run->limit);
        if (run->is_loop) /* what the server said to it */
            append_message(t, outcome->message);
        return TASK_TIMED_OUT;
    }
    if (!t->stop_requested)
        return TASK_CANCELLED;
    task_set_message(t, "longrund was stopped");
    return TASK_INTERRUPTED;
}

void manager_finish_run(TaskRun *run, const ExecOutcome *outcome) {
    Manager *m = run->manager;
    Task *t = run->task;
    TaskState state = stopped_state(run, outcome);
    bool claimed = outcome->never_started && t->state == TASK_STARTING;

    run->job = exec_job_free(run->job);
    manager_guard_done(run);
    manager_operation_ended(run);
    scheduler_release(&m->scheduler, t);
    m->threads_running -= run->is_counted;
    run->is_counted = false;
    if (outcome->left_no_files)
        free(TAKE_PTR(run->runtime_dir));
    task_set_usage(t, &outcome->usage);
    if (claimed && !t->cancel_requested)
        manager_take_back_claim(run);
    else if (!manager_try_again(run, state, outcome)) {
        t->exit_code = outcome->exit_code;
        t->exit_signal = outcome->exit_signal;
        note_log_size(m, t);
        note_log_loss(t, outcome);
        keep_result(run);
        finish(m, t, state);
    }
    manager_schedule(m);
    manager_exit_if_idle(m);
}
