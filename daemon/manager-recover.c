#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/shim-protocol.h"
#include "daemon/logs/task-log.h"
#include "daemon/manager-private.h"
#include "daemon/session.h"

/* What became of the tasks of the daemon before this one. */

typedef struct Recovery {
    Manager *manager;
    bool same_session; /* its processes may still be there */
    unsigned queued, taken_up, lost;
} Recovery;

static bool may_have_run(const Recovery *r, const Task *t, const TaskRun *run) {
    /* "starting" may be no more than a claim; in this session all that was begun left a trace. */
    if (t->state != TASK_STARTING || !r->same_session)
        return true;
    if (run->is_thread)
        return !r->manager->trace || run->trace_place >= 0;
    return false; /* nothing was found of it */
}

static void back_to_queue(Recovery *r, Task *t) {
    Manager *m = r->manager;

    if (t->state != TASK_QUEUED) {
        t->state = TASK_QUEUED; /* it never was anything else */
        t->attempt--;
        t->started_at = 0;
        commit_queue_put(m->commits, t);
    }
    scheduler_add_again(&m->scheduler, t);
    manager_guard_queued(m, t);
    r->queued++;
}

static void lose(Recovery *r, TaskRun *run) {
    Manager *m = r->manager;
    ExecOutcome outcome = {
        .state = run->task->cancel_requested ? TASK_CANCELLED : TASK_INTERRUPTED,
        .exit_code = -1,
        .message = !r->same_session ? "the machine was restarted, or its user logged out"
                   : run->is_thread ? "longrund ended unexpectedly"
                                    : "its processes are gone, and nothing tells how they ended",
    };

    r->lost++;
    scheduler_occupy(&m->scheduler);
    manager_finish_run(run, &outcome);
}

/* Signals go on where the log is now: what came while no daemon was there is in the file. */
static void take_up_log(TaskRun *run) {
    const Manager *m = run->manager;

    run->task->log_size = task_log_size(m->dirs.logs, run->task->id);
    run->tail = log_tail_new(m->dirs.logs, run->task->id);
    if (run->tail)
        log_tail_skip(run->tail, run->task->log_size);
}

/* A claim says "starting" without a time: the shim's socket was made just before the command. */
static uint64_t start_time(const TaskRun *run) {
    char path[4096];
    struct stat st;

    snprintf(path, sizeof(path), "%s/" SHIM_CONTROL_NAME, strempty(run->runtime_dir));
    if (lstat(path, &st) < 0)
        return clock_usec(CLOCK_REALTIME);
    return (uint64_t)st.st_ctim.tv_sec * USEC_PER_SEC +
           (uint64_t)st.st_ctim.tv_nsec / NSEC_PER_USEC;
}

/* 0 when it was taken up. */
static int take_up(Recovery *r, TaskRun *run) {
    Task *t = run->task;
    int e = r->same_session && !run->is_thread ? manager_adopt(run) : -ENOENT;

    if (e < 0) {
        if (e != -ENOENT)
            log_full(LOG_WARNING, t->id, "Cannot take it up again: %s", strerror(-e));
        return e;
    }
    scheduler_occupy(&r->manager->scheduler);
    if (t->started_at == 0)
        t->started_at = start_time(run);
    take_up_log(run);
    bus_publisher_task_started(r->manager->bus->publisher, t);
    if (t->cancel_requested)
        exec_job_cancel(run->job); /* again, if the shim had it already */
    r->taken_up++;
    return 0;
}

static int recover_task(void *userdata, Task *t) {
    Recovery *r = userdata;
    Manager *m = r->manager;
    TaskRun *run;

    task_table_add(&m->tasks, t);
    group_task_added(&m->group);
    if (t->state == TASK_QUEUED) {
        back_to_queue(r, t);
        return 0;
    }
    run = manager_new_run(m, t);
    if (!run)
        return -ENOMEM;
    if (run->is_thread && m->trace)
        run->trace_place = start_trace_find(m->trace, t->id);
    if (take_up(r, run) >= 0)
        return 0;
    if (!may_have_run(r, t, run)) {
        manager_drop_run(run);
        back_to_queue(r, t);
        return 0;
    }
    lose(r, run);
    return 0;
}

static bool is_active(void *userdata, uint64_t id) {
    const Manager *m = userdata;
    const Task *t = task_table_find(&m->tasks, id);

    return t && t->run;
}

static int compare_sessions(Recovery *r, char **ret_session) {
    Manager *m = r->manager;
    _cleanup_free_ char *before = store_session(m->store);
    int e = session_get(m->dirs.runtime, ret_session);

    if (e < 0 || !before)
        return e < 0 ? e : -ENOMEM;
    r->same_session = streq(before, *ret_session);
    return 0;
}

static int run_recovery(Recovery *r) {
    Manager *m = r->manager;
    _cleanup_free_ char *session = NULL;
    int e = compare_sessions(r, &session);

    if (e >= 0)
        e = shim_executor_connect(m->shims);
    if (e >= 0)
        e = store_load_active(m->store, m->envs, recover_task, r);
    /* From now on what is in the runtime folder is of this session. */
    if (e >= 0)
        e = store_set_session(m->store, session);
    if (e < 0)
        return e;
    state_dir_clean_runtime(&m->dirs, is_active, m);
    if (m->trace)
        start_trace_clean(m->trace, is_active, m);
    return 0;
}

int manager_recover(Manager *m, Error *error) {
    Recovery r = {.manager = m};
    int e = run_recovery(&r);

    if (e < 0)
        return error_set(error, ERROR_STORAGE,
                         "Cannot take up the tasks of the last longrund from %s: %s", m->dirs.state,
                         strerror(-e));
    if (r.queued + r.taken_up + r.lost > 0)
        log_notice("Took up the tasks of the last longrund: %u wait, %u run or ended meanwhile, %u "
                   "were lost",
                   r.queued, r.taken_up, r.lost);
    manager_schedule(m);
    return 0;
}
