#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/shim-protocol.h"
#include "common/strv.h"
#include "daemon/logs/task-log.h"
#include "daemon/manager-private.h"
#include "daemon/session.h"

/* What became of the tasks of the daemon before this one. */

/* A shim answers at once, unless somebody has stopped it. */
#define STDIN_TIMEOUT_USEC USEC_PER_SEC

typedef struct Recovery {
    Manager *manager;
    bool same_session;
    bool may_live; /* its processes may still be there: it is not known to be another session */
    unsigned queued, taken_up, lost;
    ManagerEnds ends;
    Task **tasks; /* all of them, in the order of their ids */
    size_t n, room;
} Recovery;

static bool may_have_run(const Recovery *r, const Task *t, const TaskRun *run) {
    /* Before its first request an operation saves something, be it of use or not. */
    if (run->is_loop)
        return t->state != TASK_STARTING || manager_saved_operation(r->manager, t->id);
    /* "starting" may be no more than a claim; in this session all that was begun left a trace. */
    if (t->state != TASK_STARTING || !r->same_session)
        return true;
    /* A claim has no time yet: with one, the disk itself is the trace of what began on a thread. */
    if (run->is_thread)
        return t->started_at > 0 || !r->manager->trace || run->trace_place >= 0;
    return false; /* nothing was found of it */
}

static int back_to_queue(Recovery *r, Task *t) {
    Manager *m = r->manager;
    ManagerCause cause = {};
    int e = t->state == TASK_WAITING ? manager_tie_again(m, &r->ends, t, &cause) : 0;

    if (e < 0)
        return e;

    if (!task_is_pending(t)) {
        t->state = TASK_QUEUED; /* it never was anything else */
        t->attempt--;
        t->started_at = 0;
        commit_queue_put(m->commits, t);
    }
    manager_enter_again(m, t);
    r->queued++;
    /* It was on its way back into the queue then. */
    if (t->cancel_requested)
        manager_finish_queued(m, t, TASK_CANCELLED, "cancelled before it was started again");
    else if (cause.id > 0)
        manager_skip(m, t, &cause);
    return 0;
}

static void lose(Recovery *r, TaskRun *run) {
    Manager *m = r->manager;
    ExecOutcome outcome = {
        .state = run->task->cancel_requested ? TASK_CANCELLED : TASK_INTERRUPTED,
        .exit_code = -1,
        .message = run->is_loop     ? "what is needed to follow it was lost: it may be running on "
                                      "the server"
                   : !r->may_live   ? "the machine was restarted, or its user logged out"
                   : run->is_thread ? "longrund ended unexpectedly"
                                    : "its processes are gone, and nothing tells how they ended",
    };

    r->lost++;
    scheduler_occupy(&m->scheduler, run->task, run->task->group);
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
    int e = r->may_live && !run->is_thread ? manager_adopt(run) : -ENOENT;

    if (e < 0) {
        if (e != -ENOENT)
            log_full(LOG_WARNING, t->id, "Cannot take it up again: %s", strerror(-e));
        return e;
    }
    scheduler_occupy(&r->manager->scheduler, t, t->group);
    if (t->started_at == 0)
        t->started_at = start_time(run);
    take_up_log(run);
    bus_publisher_task_started(r->manager->bus->publisher, t);
    if (t->cancel_requested)
        exec_job_cancel(run->job); /* again, if the shim had it already */
    r->taken_up++;
    return 0;
}

static uint64_t elapsed_since(uint64_t usec) {
    uint64_t now = clock_usec(CLOCK_REALTIME);

    return usec > 0 && now > usec ? now - usec : 0;
}

/* The work is on a server, so it does not matter what became of this machine. -ENOENT: nothing was
 * saved. */
static int take_up_operation(Recovery *r, TaskRun *run) {
    Task *t = run->task;
    const char *saved = manager_saved_operation(r->manager, t->id);
    int e = saved ? manager_start_operation(run, saved) : -ENOENT;

    if (e < 0) {
        if (e != -ENOENT)
            log_full(LOG_WARNING, t->id, "Cannot take it up again: %s", strerror(-e));
        return e == -ENOMEM ? e : -ENOENT;
    }
    if (!run->backend)
        log_full(LOG_WARNING, t->id, "waits for its backend, which is not there any more");
    scheduler_occupy(&r->manager->scheduler, t, t->group);
    if (t->started_at == 0)
        t->started_at = clock_usec(CLOCK_REALTIME);
    manager_guard_run(run, elapsed_since(t->started_at));
    take_up_log(run);
    bus_publisher_task_started(r->manager->bus->publisher, t);
    if (t->cancel_requested)
        exec_job_cancel(run->job);
    r->taken_up++;
    return 0;
}

/* All are there, and each is tied to its parent, before it is looked at what became of any. */
static int load_task(void *userdata, Task *t) {
    Recovery *r = userdata;
    Manager *m = r->manager;

    if (r->n == r->room) {
        size_t room = r->room * 2 + 64;
        Task **grown = realloc(r->tasks, room * sizeof(Task *));
        if (!grown)
            return -ENOMEM;
        r->tasks = grown;
        r->room = room;
    }
    t->group = manager_need_group(m, t->spec->group);
    if (!t->group)
        return -ENOMEM;
    int e = manager_tie_to_parent(m, t);
    if (e < 0)
        return e;
    task_table_add(&m->tasks, t);
    group_task_added(t->group, t);
    r->tasks[r->n++] = t;
    return 0;
}

static int recover_task(Recovery *r, Task *t) {
    Manager *m = r->manager;
    TaskRun *run;

    if (task_is_final(t))
        return 0; /* for the sake of another */
    if (t->end_state != _TASK_STATE_INVALID) {
        manager_end_after_children(m, t);
        return 0;
    }
    if (task_is_pending(t))
        return back_to_queue(r, t);
    run = manager_new_run(m, t);
    if (!run)
        return -ENOMEM;
    if (run->is_thread && m->trace)
        run->trace_place = start_trace_find(m->trace, t->id);
    int e = run->is_loop ? take_up_operation(r, run) : take_up(r, run);
    if (e != -ENOENT)
        return e;
    if (!may_have_run(r, t, run)) {
        manager_drop_run(run);
        return back_to_queue(r, t);
    }
    lose(r, run);
    return 0;
}

/* The youngest first: one that ends now may skip those that wait for it, or cancel its children,
 * and all of them are younger. */
static int recover_tasks(Recovery *r) {
    int e = manager_load_operations(r->manager);

    if (e >= 0)
        e = store_load_active(r->manager->store, r->manager->envs, load_task, r);
    for (size_t i = r->n; e >= 0 && i > 0; i--)
        e = recover_task(r, r->tasks[i - 1]);
    free(r->tasks);
    manager_forget_saved_operations(r->manager);
    return e;
}

/* What an attempt has left stays until its end is on disk: should this daemon be lost before, the
 * next one has to come to the same result. */
static bool has_run(void *userdata, uint64_t id) {
    const Manager *m = userdata;
    const Task *t = task_table_find(&m->tasks, id);

    return t && t->run;
}

/* ---- commands of which the store knows nothing: it was lost ---- */

/* It answers, so it has not ended: a folder may also be left of one whose end is in the store. */
static bool is_live(const char *runtime_dir) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char record[4096];
    int n =
        snprintf(address.sun_path, sizeof(address.sun_path), "%s/" SHIM_CONTROL_NAME, runtime_dir);

    snprintf(record, sizeof(record), "%s/" SHIM_EXIT_NAME, runtime_dir);
    if (n >= (int)sizeof(address.sun_path) || access(record, F_OK) == 0)
        return false;
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) >= 0;
}

static Task *new_unknown(Manager *m, uint64_t id) {
    _cleanup_(task_spec_freep) TaskSpec *spec = manager_new_spec(m, TASK_KIND_COMMAND);
    char *label = strdup("a command; what was asked for is lost");
    size_t n = 0;

    if (!spec || !label || strv_push(&spec->argv, &n, strdup("unknown")) < 0) {
        free(label);
        return NULL;
    }
    task_spec_set_label(spec, label);
    Task *t = task_new(id, spec, clock_usec(CLOCK_REALTIME));
    if (!t)
        return NULL;
    TAKE_PTR(spec);
    t->state = TASK_STARTING;
    t->attempt = 1;
    return t;
}

/* Somebody waits for it: it is not to run on unseen, nor to be ended. */
static bool take_up_unknown(Recovery *r, uint64_t id) {
    Manager *m = r->manager;
    _cleanup_free_ char *dir = state_dir_task_runtime(&m->dirs, id);
    Task *t = dir && is_live(dir) ? new_unknown(m, id) : NULL;
    TaskRun *run = t ? manager_new_run(m, t) : NULL;

    if (t)
        t->group = scheduler_find_group(&m->scheduler, t->spec->group);
    if (!run || take_up(r, run) < 0) {
        if (run)
            manager_drop_run(run);
        task_free(t);
        return false;
    }
    log_full(LOG_WARNING, id, "runs, but the database does not know it: taken up as it is");
    task_table_add(&m->tasks, t);
    group_task_added(t->group, t);
    commit_queue_put(m->commits, t);
    m->next_id = MAX(m->next_id, id + 1);
    return true;
}

static bool is_needed(void *userdata, uint64_t id) {
    Recovery *r = userdata;

    return has_run(r->manager, id) ||
           (!task_table_find(&r->manager->tasks, id) && take_up_unknown(r, id));
}

/* ---- all of it ---- */

static int compare_sessions(Recovery *r, char **ret_session) {
    Manager *m = r->manager;
    _cleanup_free_ char *before = store_session(m->store);
    int e = session_get(m->dirs.runtime, ret_session);

    if (e < 0 || !before)
        return e < 0 ? e : -ENOMEM;
    r->same_session = streq(before, *ret_session);
    r->may_live = r->same_session || isempty(before); /* lost with a damaged database */
    return 0;
}

/* One that is busy is no reason not to start: commands that are taken up wait until it answers. */
static void find_keeper(Manager *m) {
    int r = shim_executor_connect(m->shims);

    if (r < 0)
        log_warning_errno(r, "The keeper of the tasks does not answer, going on without for now");
}

static int run_recovery(Recovery *r) {
    Manager *m = r->manager;
    _cleanup_free_ char *session = NULL;
    int e = compare_sessions(r, &session);

    if (e >= 0)
        find_keeper(m);
    if (e >= 0)
        e = recover_tasks(r);
    /* Who was cut off in the middle of what he wrote goes on from where that ended. */
    if (e >= 0)
        shim_executor_learn_stdin(m->shims, STDIN_TIMEOUT_USEC);
    /* From now on what is in the runtime folder is of this session. */
    if (e >= 0)
        e = store_set_session(m->store, session);
    if (e < 0)
        return e;
    state_dir_clean_runtime(&m->dirs, is_needed, r);
    if (m->trace)
        start_trace_keep(m->trace, has_run, m);
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
    manager_series_recover(m);
    manager_trim_after(m, r.queued);
    manager_schedule(m);
    manager_forget_ended(m); /* what is to be kept may be less than it was, or some are too old */
    return 0;
}
