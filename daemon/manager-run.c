#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fd-io.h"
#include "common/log.h"
#include "common/remove-tree.h"
#include "common/text.h"
#include "daemon/exec/result-file.h"
#include "daemon/manager-private.h"

/* The way of a task from its slot to its end. */

/* After a row of so many tasks their memory, which lies scattered, is worth giving back. */
#define TRIM_TASKS 1000

static void set_state(Task *t, TaskState state) {
    int r = task_set_state(t, state, clock_usec(CLOCK_REALTIME));

    /* The callers look at the state first, so this is a fault of the program: it must not pass in
     * silence. */
    if (r < 0)
        log_full(LOG_CRIT, t->id, "Refused to go from %s to %s", task_state_to_string(t->state),
                 task_state_to_string(state));
}

static void update_status(Manager *m) {
    service_status_update(&m->status, m->scheduler.running, m->scheduler.queued);
}

/* ---- the end ---- */

static void task_run_free(TaskRun *run) {
    run->task->run = NULL;
    exec_job_free(run->job);
    log_tail_free(run->tail);
    free(run->runtime_dir);
    free(run);
}

static void on_stopped(void *userdata, void *arg, int error) {
    Manager *m = userdata;

    if (m->scheduler.running > 0)
        return;
    if (!commit_queue_is_empty(m->commits)) {
        commit_queue_call(m->commits, on_stopped, m, NULL);
        return;
    }
    bus_publisher_flush(m->bus->publisher);
    (void)sd_event_exit(m->event, m->exit_status);
}

/* By way of the commits: what is to be told of the last task is told first. */
void manager_exit_if_idle(Manager *m) {
    if (m->stopping && m->scheduler.running == 0)
        commit_queue_call(m->commits, on_stopped, m, NULL);
}

static Task *next_to_forget(const Manager *m) {
    /* Environments are shared, so that they are not in what the table counts for each task. */
    unsigned max =
        env_table_size(m->envs) > MANAGER_ENDED_ENVIRONMENTS_MAX ? 0 : m->config.history_max;

    return task_table_ended_above(&m->tasks, max);
}

static void forget_oldest(Manager *m) {
    for (Task *t; (t = next_to_forget(m));)
        manager_remove_task(m, t);
}

static void on_finished(void *userdata, void *arg, int error) {
    Manager *m = userdata;
    Task *t = arg;
    unsigned succeeded, failed;

    bus_publisher_task_finished(m->bus->publisher, t);
    bus_waits_task_ended(m->bus->waits, t);
    if (t->run)
        task_run_free(t->run);
    if (group_task_ended(&m->group, t->state, &succeeded, &failed)) {
        bus_publisher_group_finished(m->bus->publisher, t->spec->group, succeeded, failed);
        if (succeeded + failed >= TRIM_TASKS)
            (void)malloc_trim(0);
    }
    forget_oldest(m);
}

static void log_end(const Task *t) {
    const char *state = task_state_to_string(t->state), *message = strempty(t->message);

    /* "cancelled before it was started" says it all. */
    if (strncmp(message, state, strlen(state)) == 0)
        log_full(LOG_INFO, t->id, "%s", message);
    else
        log_full(LOG_INFO, t->id, "%s%s%s", state, isempty(message) ? "" : ": ", message);
}

/* Every way to a final state leads through here, once for each task. */
static void finish(Manager *m, Task *t, TaskState state) {
    set_state(t, state);
    task_table_ended(&m->tasks, t);
    log_end(t);
    commit_queue_call(m->commits, on_finished, m, t);
}

static void finish_queued(Manager *m, Task *t, TaskState state, const char *message) {
    scheduler_remove(&m->scheduler, t);
    task_set_message(t, message);
    finish(m, t, state);
    update_status(m);
}

static void append_message(Task *t, const char *more) {
    _cleanup_free_ char *text = NULL;

    if (asprintf(&text, "%s%s%s", strempty(t->message), isempty(t->message) ? "" : "; ", more) <
        0) {
        text = NULL;
        return;
    }
    task_set_message(t, text);
}

static void note_result(TaskRun *run) {
    Task *t = run->task;
    char text[256];
    int r = result_file_check(run->runtime_dir, t->spec->result_max);

    t->has_result = r > 0 || result_file_may_be_good(r);
    if (r >= 0 || t->has_result)
        return;
    if (r == -EFBIG)
        snprintf(text, sizeof(text),
                 "its result was not kept: it has more than %" PRIu64 " bytes (result-max)",
                 t->spec->result_max);
    else
        snprintf(text, sizeof(text), "its result was not kept: %s",
                 r == -EBADMSG ? "it is not JSON" : strerror(-r));
    append_message(t, text);
}

static void note_log_loss(Task *t, const ExecOutcome *outcome) {
    char text[256];

    if (outcome->log_error == 0)
        return;
    snprintf(text, sizeof(text), "its log is not whole, %" PRIu64 " bytes were lost: %s",
             outcome->log_dropped, strerror(-outcome->log_error));
    append_message(t, text);
}

/* Of what the task left behind, its result alone stays. */
static void clear_runtime(const TaskRun *run) {
    if (run->task->has_result)
        remove_tree(run->runtime_dir, RESULT_FILE_NAME);
    else if (rmdir(run->runtime_dir) < 0 && errno != ENOENT)
        remove_tree(run->runtime_dir, NULL);
}

static void finish_run(TaskRun *run, const ExecOutcome *outcome) {
    Manager *m = run->manager;
    Task *t = run->task;
    TaskState state = outcome->state;

    task_set_message(t, outcome->message);
    t->exit_code = outcome->exit_code;
    t->exit_signal = outcome->exit_signal;
    if (t->stop_requested && state == TASK_CANCELLED) {
        state = TASK_INTERRUPTED;
        task_set_message(t, "longrund was stopped");
    }
    note_log_loss(t, outcome);
    note_result(run);
    clear_runtime(run);
    run->job = exec_job_free(run->job);
    scheduler_release(&m->scheduler);
    finish(m, t, state);
    manager_schedule(m);
    manager_exit_if_idle(m);
}

/* ---- events of the executors ---- */

static void publish(TaskRun *run, BusChange change) {
    bus_publisher_task_changed(run->manager->bus->publisher, run->task, change);
}

static void on_state_committed(void *userdata, void *arg, int error) {
    Manager *m = userdata;

    bus_publisher_task_changed(m->bus->publisher, arg, BUS_CHANGE_STATE);
}

static void on_started(void *userdata, pid_t pid) {
    TaskRun *run = userdata;
    Task *t = run->task;

    t->pid = pid;
    if (t->state != TASK_STARTING)
        return; /* a cancel was quicker */
    set_state(t, TASK_RUNNING);
    log_full(LOG_INFO, t->id, "running: %s", t->spec->label);
    commit_queue_call(run->manager->commits, on_state_committed, run->manager, t);
}

static void on_progress(void *userdata, double fraction, uint64_t done, uint64_t total,
                        bool trusted) {
    TaskRun *run = userdata;

    if (progress_update(&run->task->progress, fraction, done, total, trusted))
        publish(run, BUS_CHANGE_PROGRESS);
}

static void on_phase(void *userdata, const char *phase) {
    TaskRun *run = userdata;
    _cleanup_free_ char *clean = text_clean(phase, strlen(phase), TASK_STATUS_MAX);

    if (clean && progress_set_phase(&run->task->progress, clean))
        publish(run, BUS_CHANGE_PROGRESS);
}

static void on_status(void *userdata, const char *text) {
    TaskRun *run = userdata;

    if (task_set_status(run->task, text))
        publish(run, BUS_CHANGE_STATUS);
}

static void on_log_grew(void *userdata, uint64_t size) {
    TaskRun *run = userdata;

    if (size == run->task->log_size)
        return;
    run->task->log_size = size;
    publish(run, BUS_CHANGE_LOG);
}

static void on_reason(void *userdata, const char *text) {
    TaskRun *run = userdata;

    task_set_reason(run->task, text);
}

static void on_paused(void *userdata, bool paused) {
}

static void on_usage(void *userdata, const TaskUsage *usage) {
    TaskRun *run = userdata;

    run->task->usage = *usage;
}

static void on_ended(void *userdata, const ExecOutcome *outcome) {
    finish_run(userdata, outcome);
}

static const ExecEvents exec_events = {
    .started = on_started,
    .progress = on_progress,
    .phase = on_phase,
    .status = on_status,
    .log_grew = on_log_grew,
    .reason = on_reason,
    .paused = on_paused,
    .usage = on_usage,
    .ended = on_ended,
};

/* ---- the start ---- */

static int start_thread(TaskRun *run) {
    const TaskSpec *spec = run->task->spec;
    ThreadJobSpec job = {
        .id = run->task->id,
        .kind = kind_by_name(spec->kind),
        .params = spec->params,
        .log_dir = run->manager->dirs.logs,
        .runtime_dir = run->runtime_dir,
        .log_max = spec->log_max,
        .result_max = spec->result_max,
        .stop_timeout_usec = spec->stop_timeout_usec,
    };

    return thread_job_start(run->manager->threads, &job, &exec_events, run, &run->job);
}

static int start_process(TaskRun *run, bool isolated) {
    const TaskSpec *spec = run->task->spec;
    _cleanup_free_ char *worker = NULL;
    char *worker_argv[] = {NULL, spec->kind, NULL};

    if (asprintf(&worker, "%s/longrun-worker", run->manager->libexec_dir) < 0) {
        worker = NULL;
        return -ENOMEM;
    }
    worker_argv[0] = worker;
    ShimSpec job = {
        .id = run->task->id,
        .attempt = 1,
        .argv = isolated ? worker_argv : spec->argv,
        .env = env_block_strings(spec->env),
        .clear_env = spec->clear_env,
        .cwd = spec->cwd,
        .umask = spec->umask,
        .nofile = run->manager->nofile,
        .stdin_text = isolated ? (isempty(spec->params) ? "{}" : spec->params) : NULL,
        .nice = spec->nice,
        .stop_timeout_usec = spec->stop_timeout_usec,
        .timeout_usec = spec->timeout_usec,
        .idle_timeout_usec = spec->idle_timeout_usec,
        .memory_max = spec->memory_max,
        .pids_max = spec->pids_max,
        .cpu_weight = spec->cpu_weight,
        .log_dir = run->manager->dirs.logs,
        .log_max = spec->log_max,
        .result_max = spec->result_max,
        .runtime_dir = run->runtime_dir,
    };

    return shim_job_start(run->manager->shims, &job, isolated, &exec_events, run, &run->job);
}

static int start_job(TaskRun *run) {
    const TaskSpec *spec = run->task->spec;

    if (!run->runtime_dir)
        return -ENOMEM;
    if (streq(spec->kind, TASK_KIND_COMMAND))
        return start_process(run, false);
    return spec->isolate ? start_process(run, true) : start_thread(run);
}

/* Nothing has run. */
static void fail_start(TaskRun *run, int error) {
    char text[256];

    snprintf(text, sizeof(text), "cannot be started: %s", strerror(-error));
    finish_run(run, &(ExecOutcome){.state = TASK_FAILED, .exit_code = -1, .message = text});
}

/* `starting` is safe: now, and not before, something may run. */
static void on_starting_committed(void *userdata, void *arg, int error) {
    Manager *m = userdata;
    TaskRun *run = arg;
    int r;

    bus_publisher_task_started(m->bus->publisher, run->task);
    if (error < 0) {
        fail_start(run, error);
        return;
    }
    if (run->task->cancel_requested) {
        finish_run(run, &(ExecOutcome){.state = TASK_CANCELLED,
                                       .exit_code = -1,
                                       .message = "cancelled before it was started"});
        return;
    }
    r = start_job(run);
    if (r < 0)
        fail_start(run, r);
}

static int begin_run(Manager *m, Task *t) {
    TaskRun *run = calloc(1, sizeof(TaskRun));

    if (!run)
        return -ENOMEM;
    *run =
        (TaskRun){.manager = m, .task = t, .runtime_dir = state_dir_task_runtime(&m->dirs, t->id)};
    t->run = run;
    set_state(t, TASK_STARTING);
    commit_queue_call(m->commits, on_starting_committed, m, run);
    return 0;
}

static int on_schedule(sd_event_source *s, void *userdata) {
    Manager *m = userdata;

    for (Task *t; (t = scheduler_take(&m->scheduler));)
        if (begin_run(m, t) < 0) {
            scheduler_release(&m->scheduler);
            task_set_message(t, "cannot be started: out of memory");
            set_state(t, TASK_STARTING);
            finish(m, t, TASK_FAILED);
        }
    update_status(m);
    return 0;
}

int manager_init_scheduling(Manager *m) {
    int r = sd_event_add_defer(m->event, &m->scheduling, on_schedule, m);

    return r < 0 ? r : sd_event_source_set_enabled(m->scheduling, SD_EVENT_OFF);
}

/* Not at once: who asked for a task gets the answer before the loop is busy making its process. */
void manager_schedule(Manager *m) {
    (void)sd_event_source_set_enabled(m->scheduling, SD_EVENT_ONESHOT);
}

/* ---- the cancel ---- */

void manager_cancel_task(void *userdata, Task *t) {
    Manager *m = userdata;

    if (t->state == TASK_QUEUED) {
        finish_queued(m, t, TASK_CANCELLED, "cancelled before it was started");
        return;
    }
    if (t->cancel_requested)
        return;
    t->cancel_requested = true;
    set_state(t, TASK_CANCELLING);
    commit_queue_call(m->commits, on_state_committed, m, t);
    if (t->run->job)
        exec_job_cancel(t->run->job);
}

void manager_interrupt_queued(Manager *m) {
    for (Task *t; (t = TAILQ_FIRST(&m->scheduler.queue));)
        finish_queued(m, t, TASK_INTERRUPTED, "longrund was stopped before it was started");
}
