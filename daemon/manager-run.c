#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/journal-lines.h"
#include "common/log.h"
#include "common/text.h"
#include "daemon/kinds/kinds.h"
#include "daemon/manager-private.h"

/* What happens to a task that has a slot, and what is done to it. */

/* ---- events of the executors ---- */

static void publish(TaskRun *run, BusChange change) {
    run->active_at = clock_usec(CLOCK_MONOTONIC);
    bus_publisher_task_changed(run->manager->bus->publisher, run->task, change);
}

static void on_state_committed(void *userdata, void *arg, int error) {
    Manager *m = userdata;
    Task *t = arg;

    /* A short one has ended by now, or its own work has, which says it all. */
    if (t->state == TASK_RUNNING && t->end_state == _TASK_STATE_INVALID)
        log_full(LOG_INFO, t->id, "running: %s", t->spec->label);
    bus_publisher_task_changed(m->bus->publisher, t, BUS_CHANGE_STATE);
}

void manager_publish_state(Manager *m, Task *t) {
    commit_queue_put(m->commits, t);
    commit_queue_call(m->commits, on_state_committed, m, t);
}

/* A next daemon finds out that it has begun, so there is no hurry: the end of a short task goes
 * with it, or the request for the next one. */
static void publish_start(Manager *m, Task *t) {
    commit_queue_put_later(m->commits, t);
    commit_queue_call_later(m->commits, on_state_committed, m, t);
}

static void on_started(void *userdata, pid_t pid) {
    TaskRun *run = userdata;
    Task *t = run->task;

    t->pid = pid;
    if (t->place == TASK_PLACE_AHEAD)
        manager_begin_ahead(t);
    if (t->state != TASK_STARTING)
        return; /* a cancel was quicker, or it has been running for long */
    manager_set_state(t, TASK_RUNNING);
    publish_start(run->manager, t);
}

/* A pause takes no time. */
static void pause_clock(const Task *t) {
    estimate_pause(task_work(t)->progress.estimate, clock_usec(CLOCK_MONOTONIC),
                   t->state == TASK_PAUSED);
}

static void on_progress(void *userdata, const ProgressNews *news) {
    TaskRun *run = userdata;
    TaskWork *w = task_work_make(run->task);

    if (!w || !progress_update(&w->progress, news, clock_usec(CLOCK_MONOTONIC)))
        return;
    pause_clock(run->task); /* it may have begun just now, for one that is paused */
    publish(run, BUS_CHANGE_PROGRESS);
}

static void on_phase(void *userdata, const char *phase) {
    TaskRun *run = userdata;
    _cleanup_free_ char *clean = text_clean(phase, strlen(phase), TASK_STATUS_MAX);

    TaskWork *w = task_work_make(run->task);

    if (clean && w && progress_set_phase(&w->progress, clean))
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

/* What comes late, from before the last request, is of no account. */
static void on_paused(void *userdata, bool paused) {
    TaskRun *run = userdata;
    Task *t = run->task;

    if (run->pause_request == (paused ? PAUSE_REQUEST_RESUME : PAUSE_REQUEST_PAUSE) ||
        t->state != (paused ? TASK_RUNNING : TASK_PAUSED))
        return;
    manager_set_state(t, paused ? TASK_PAUSED : TASK_RUNNING);
    pause_clock(t);
    manager_publish_state(run->manager, t);
}

static void on_usage(void *userdata, const TaskUsage *usage) {
    TaskRun *run = userdata;

    task_set_usage(run->task, usage);
}

static void on_stdin_size(void *userdata, uint64_t size) {
    TaskRun *run = userdata;
    TaskWork *w = task_work_make(run->task);

    if (w)
        w->stdin_size = size;
}

static void on_message(void *userdata, const char *text) {
    TaskRun *run = userdata;

    run->active_at = clock_usec(CLOCK_MONOTONIC);
    manager_task_sent(run, text);
}

static void on_ended(void *userdata, const ExecOutcome *outcome) {
    manager_finish_run(userdata, outcome);
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
    .stdin_size = on_stdin_size,
    .message = on_message,
    .ended = on_ended,
};

const ExecEvents *const manager_exec_events = &exec_events;

/* ---- the start ---- */

const char *manager_journal(const Manager *m) {
    return m->config.journal ? JOURNAL_SOCKET : NULL;
}

static int start_thread(TaskRun *run, bool ahead) {
    const TaskSpec *spec = run->task->spec;
    ThreadJobSpec job = {
        .id = run->task->id,
        .kind = kind_by_name(spec->kind),
        .params = spec->params,
        .log_dir = run->manager->dirs.logs,
        .runtime_dir = run->runtime_dir,
        .log_max = spec->log_max,
        .journal = manager_journal(run->manager),
        .label = spec->label,
        .result_max = spec->result_max,
        .stop_timeout_usec = spec->stop_timeout_usec,
        .ahead = ahead,
        .trace = run->trace_place < 0 ? NULL : run->manager->trace,
        .trace_place = run->trace_place,
    };

    return thread_job_start(run->manager->threads, &job, &exec_events, run, &run->job);
}

static bool is_command(const TaskSpec *spec) {
    return streq(spec->kind, TASK_KIND_COMMAND);
}

RunPlace manager_place(const TaskSpec *spec) {
    const Kind *kind = is_command(spec) ? NULL : kind_by_name(spec->kind);

    if (!kind || kind->place == KIND_PLACE_PROCESS)
        return RUN_IN_PROCESS;
    if (kind->place == KIND_PLACE_LOOP)
        return RUN_ON_LOOP;
    return spec->isolate ? RUN_IN_PROCESS : RUN_ON_THREAD;
}

bool manager_runs_on_thread(const TaskSpec *spec) {
    return manager_place(spec) == RUN_ON_THREAD;
}

/* For messages. */
static bool has_open_stdin(const TaskSpec *spec) {
    return is_command(spec) ? spec->stdin_open : kind_takes_messages(spec->kind);
}

/* The params come on stdin: in one line, where messages follow them. */
static int prepare_worker(const TaskRun *run, char **argv, char **ret_program, char **ret_params) {
    const TaskSpec *spec = run->task->spec;
    const char *params = isempty(spec->params) ? "{}" : spec->params;
    bool open = has_open_stdin(spec);
    _cleanup_free_ char *line = open ? kind_params_line(params) : NULL;
    char *program, *text;

    if (open && !line)
        return -ENOMEM;
    if (asprintf(&program, "%s/%s", run->manager->libexec_dir, kind_program(spec->kind)) < 0)
        return -ENOMEM;
    *ret_program = program;
    if (asprintf(&text, "%s%s", line ?: params, line ? "\n" : "") < 0)
        return -ENOMEM;
    *ret_params = text;
    *argv++ = program;
    if (open)
        *argv++ = (char *)WORKER_MESSAGES;
    *argv = spec->kind;
    return 0;
}

static int start_process(TaskRun *run) {
    const TaskSpec *spec = run->task->spec;
    bool isolated = !is_command(spec);
    _cleanup_free_ char *worker = NULL, *params = NULL;
    char *worker_argv[] = {NULL, NULL, NULL, NULL};

    if (isolated) {
        int r = prepare_worker(run, worker_argv, &worker, &params);
        if (r < 0)
            return r;
    }
    ShimSpec job = {
        .id = run->task->id,
        .attempt = run->task->attempt,
        .argv = isolated ? worker_argv : spec->argv,
        .env = env_block_strings(spec->env),
        .clear_env = spec->clear_env,
        .cwd = spec->cwd,
        .umask = spec->umask,
        .nofile = run->manager->nofile,
        .nice = spec->nice,
        .stdin_data = isolated           ? params
                      : spec->stdin_data ? spec->stdin_data->data
                                         : NULL,
        .stdin_size = isolated ? strlen(params) : bytes_length(spec->stdin_data),
        .stdin_open = has_open_stdin(spec),
        .stdin_file = spec->stdin_file,
        .terminal = !isolated && spec->pty ? spec->pty_size : NULL,
        .stop_timeout_usec = spec->stop_timeout_usec,
        .timeout_usec = spec->timeout_usec,
        .idle_timeout_usec = spec->idle_timeout_usec,
        .memory_max = spec->memory_max,
        .pids_max = spec->pids_max,
        .cpu_weight = spec->cpu_weight,
        .log_dir = run->manager->dirs.logs,
        .log_max = spec->log_max,
        .journal = manager_journal(run->manager),
        .label = spec->label,
        .identifier = isolated ? spec->kind : basename(spec->argv[0]),
        .result_max = spec->result_max,
        .runtime_dir = run->runtime_dir,
    };
    return shim_job_start(run->manager->shims, &job, isolated, &exec_events, run, &run->job);
}

int manager_adopt(TaskRun *run) {
    const TaskSpec *spec = run->task->spec;
    bool isolated = !is_command(spec);

    ShimAdoption adoption = {
        .id = run->task->id,
        .runtime_dir = run->runtime_dir,
        .program = isolated ? kind_program(spec->kind) : spec->argv[0],
        .cwd = spec->cwd,
        .stdin_file = spec->stdin_file,
        .isolated = isolated,
        .takes_messages = has_open_stdin(spec),
        .limits =
            {
                .stop_timeout_usec = spec->stop_timeout_usec,
                .timeout_usec = spec->timeout_usec,
                .idle_timeout_usec = spec->idle_timeout_usec,
                .memory_max = spec->memory_max,
                .pids_max = spec->pids_max,
            },
    };

    return shim_job_adopt(run->manager->shims, &adoption, &exec_events, run, &run->job);
}

int manager_start_job(TaskRun *run, bool ahead) {
    if (run->is_loop)
        return manager_start_operation(run, NULL);
    return run->is_thread ? start_thread(run, ahead) : start_process(run);
}

TaskRun *manager_new_run(Manager *m, Task *t) {
    TaskRun *run = calloc(1, sizeof(TaskRun));

    if (!run)
        return NULL;
    *run = (TaskRun){
        .manager = m,
        .task = t,
        .runtime_dir = state_dir_task_runtime(&m->dirs, t->id),
        .is_thread = manager_place(t->spec) == RUN_ON_THREAD,
        .is_loop = manager_place(t->spec) == RUN_ON_LOOP,
        .trace_place = -ENOENT,
    };
    if (!run->runtime_dir) {
        free(run);
        return NULL;
    }
    t->run = run;
    return run;
}

/* ---- cancel and pause ---- */

/* Of one that is pending. A series has runs, and others attempts, that were before. */
static const char *how_cancelled(const Task *t) {
    if (t->attempt == 0)
        return "cancelled before it was started";
    return task_spec_is_series(t->spec) ? "cancelled" : "cancelled before it was started again";
}

void manager_cancel_alone(Manager *m, Task *t) {
    /* Who cancels several in one go does not want the end of the first to begin the second. */
    if (m->scheduler.n_ahead > 0) {
        manager_take_back_ahead(m);
        manager_schedule(m);
    }
    if (task_is_pending(t) && !t->run) {
        t->cancel_requested = true;
        manager_finish_queued(m, t, TASK_CANCELLED, how_cancelled(t));
        return;
    }
    if (t->cancel_requested)
        return;
    t->cancel_requested = true;
    if (task_is_pending(t)) { /* on its way back into the queue, or about to be heard of */
        if (t->run->job)
            exec_job_cancel(t->run->job);
        return;
    }
    if (t->state != TASK_CANCELLING) {
        manager_set_state(t, TASK_CANCELLING);
        manager_publish_state(m, t);
    }
    if (t->run && t->run->job)
        exec_job_cancel(t->run->job);
}

static bool is_paused_or_will_be(const TaskRun *run) {
    return run->pause_request == PAUSE_REQUEST_NONE ? run->task->state == TASK_PAUSED
                                                    : run->pause_request == PAUSE_REQUEST_PAUSE;
}

static void resumed(TaskRun *run) {
    if (run->task->state != TASK_PAUSED)
        return;
    manager_set_state(run->task, TASK_RUNNING);
    pause_clock(run->task);
    manager_publish_state(run->manager, run->task);
}

/* One that is starting pauses when it has. */
static bool may_pause(const Task *t, bool pause) {
    return t->state == TASK_RUNNING || t->state == TASK_PAUSED ||
           (pause && t->state == TASK_STARTING);
}

/* A pause is over at once; that it has begun, the executor tells when all processes are stopped. */
int manager_pause_task(void *userdata, Task *t, bool pause, Error *error) {
    TaskRun *run = t->run;
    int r;

    if (!may_pause(t, pause))
        return error_set(error, ERROR_NOT_RUNNING, "Task %" PRIu64 " is %s: only one that %s",
                         t->id, task_state_to_string(task_shown_state(t)),
                         pause ? "is running can be paused" : "is paused can be resumed");
    if (run && pause == is_paused_or_will_be(run))
        return 0;
    r = run && run->job ? exec_job_pause(run->job, pause) : -ESRCH;
    if (r == -EOPNOTSUPP && run->is_loop)
        return error_set(error, ERROR_NOT_RUNNING,
                         "Task %" PRIu64 " is at work on a server, which cannot be paused", t->id);
    if (r == -EOPNOTSUPP)
        return error_set(error, ERROR_NOT_RUNNING,
                         "Task %" PRIu64 " runs on a thread of longrund and cannot be paused: "
                         "start such a task with isolate",
                         t->id);
    if (r == -ESRCH || r == -EPIPE)
        return error_set(error, ERROR_NOT_RUNNING, "Task %" PRIu64 " has no processes any more",
                         t->id);
    if (r < 0)
        return r;
    run->pause_request = pause ? PAUSE_REQUEST_PAUSE : PAUSE_REQUEST_RESUME;
    if (!pause)
        resumed(run);
    return 0;
}

TaskUsage manager_usage(void *userdata, const Task *t) {
    return task_work(t)->usage;
}
