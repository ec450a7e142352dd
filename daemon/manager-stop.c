#include "common/log.h"
#include "daemon/manager-private.h"

/* The end of the daemon. Commands go on under their shims, and what waits stays in the queue, for
 * the next daemon; tasks on threads end with this one. Operations on backends go on there, and are
 * taken up by the next one; one whose start is not answered is waited for. */

#define STOP_TIMEOUT_USEC (5 * USEC_PER_SEC)

static bool is_busy(const Manager *m) {
    return manager_threads_busy(m) > 0 || (!m->stop_overdue && manager_operations_starting(m));
}

static void on_stopped(void *userdata, void *arg, int error) {
    Manager *m = userdata;

    if (is_busy(m))
        return;
    commit_queue_flush(m->commits);
    if (!commit_queue_is_empty(m->commits)) {
        commit_queue_call(m->commits, on_stopped, m, NULL);
        return;
    }
    bus_publisher_flush(m->bus->publisher);
    (void)sd_event_exit(m->event, m->exit_status);
}

/* By way of the commits: what is to be told of the last task is told first. */
void manager_exit_if_idle(Manager *m) {
    if (!m->stopping || is_busy(m))
        return;
    commit_queue_hurry(m->commits);
    commit_queue_call(m->commits, on_stopped, m, NULL);
}

/* Nobody can do more than not to wait for ever. */
void manager_exit_unwritten(Manager *m) {
    if (!m->stopping || is_busy(m))
        return;
    log_error("The last changes could not be written: the next longrund tells from what the tasks "
              "left how they ended");
    (void)sd_event_exit(m->event, m->exit_status);
}

/* A kind that ignores its flag is not waited for: its thread ends with the process. */
static int on_stop_timer(sd_event_source *s, uint64_t usec, void *userdata) {
    Manager *m = userdata;

    for (Task *t = task_table_begin(&m->tasks, false); t;
         t = task_table_next(&m->tasks, t, false)) {
        if (task_is_final(t) || !t->run || !t->run->is_thread || !t->run->job)
            continue;
        log_full(LOG_WARNING, t->id, "does not heed its cancel, going without it");
        m->has_stuck_threads = true;
        exec_job_abandon(t->run->job);
        t->run->job = NULL; /* it is the thread's, until the process is gone */
        manager_finish_run(t->run, &(ExecOutcome){.state = TASK_INTERRUPTED,
                                                  .exit_code = -1,
                                                  .message = "longrund was stopped, and it did "
                                                             "not heed that"});
    }
    m->stop_overdue = true;
    manager_exit_if_idle(m);
    return 0;
}

static void stop_threads(Manager *m) {
    for (Task *t = task_table_begin(&m->tasks, false); t; t = task_table_next(&m->tasks, t, false))
        if (!task_is_final(t) && t->run && t->run->is_thread && t->run->job) {
            t->stop_requested = true;
            exec_job_cancel(t->run->job);
        }
    int r = sd_event_add_time_relative(m->event, &m->stop_timer, CLOCK_MONOTONIC, STOP_TIMEOUT_USEC,
                                       0, on_stop_timer, m);
    if (r < 0)
        log_warning_errno(r, "Cannot set the timer of the stop, ignoring");
}

uint64_t manager_stop_timeout(const Manager *m) {
    return is_busy(m) ? STOP_TIMEOUT_USEC : 0;
}

bool manager_has_stuck_threads(const Manager *m) {
    return m->has_stuck_threads;
}

void manager_stop(Manager *m, int exit_status) {
    m->exit_status = MAX(m->exit_status, exit_status);
    if (m->stopping)
        return;
    m->stopping = true;
    m->scheduler.closed = true;
    manager_give_back_claims(m);
    stop_threads(m);
    manager_hold_operations(m);
    manager_exit_if_idle(m);
}
