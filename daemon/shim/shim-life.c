#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "daemon/shim/shim-sample.h"
#include "daemon/shim/shim-task.h"

/* What becomes of the task while it runs: processes end, and somebody or something wants it to
 * stop, to pause or to end. */

/* ---- processes ---- */

static int count_processes(const Shim *s) {
    _cleanup_free_ pid_t *pids = NULL;

    return MAX(shim_procs_list(&s->procs, &pids), 1);
}

/* As the subreaper we inherit what a dying process leaves behind before its end can be seen here:
 * without a child there is no descendant either. */
void shim_reap(Shim *s) {
    bool main_ended = false;

    while (s->running) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid == 0)
            break;
        if (pid < 0) {
            s->running = shim_procs_populated(&s->procs);
            break;
        } else if (pid == s->main_pid) {
            s->end.wait_status = status;
            s->main_pid = 0;
            main_ended = true;
        }
    }
    if (s->running && main_ended)
        shim_report_survivors(&s->report, count_processes(s));
}

/* ---- the end ---- */

/* It extends the state that the task is in. */
static void extend(Shim *s, uint64_t now) {
    uint64_t span = shim_notify_take_extension(&s->notify);

    if (span > 0 && s->stop.requested)
        shim_stop_extend(&s->stop, span, now);
    else if (span > 0)
        shim_guard_extend(&s->guard, span, now);
}

/* Those that have ended by now ended without our doing: a cancel that finds nobody else came too
 * late. */
void shim_stop(Shim *s, ShimReason reason) {
    if (reason == SHIM_REASON_NONE)
        return;
    shim_reap(s);
    if (!s->running || s->stop.requested)
        return;
    uint64_t now = clock_usec(CLOCK_MONOTONIC);
    extend(s, now); /* what was asked for so far is not of the time that it has to end */
    s->end.reason = reason;
    shim_stop_request(&s->stop, now);
    /* SIGTERM is there when they go on. */
    if (s->paused)
        shim_pause(s, false);
}

static void stop_at_limit(Shim *s, const ShimBreach *breach) {
    shim_reap(s);
    if (!s->running)
        return;
    s->end.limit = breach->limit;
    s->end.limit_reached = breach->reached;
    if (!breach->at_once) {
        shim_stop(s, SHIM_REASON_LIMIT);
        return;
    }
    s->end.reason = SHIM_REASON_LIMIT;
    shim_stop_at_once(&s->stop, clock_usec(CLOCK_MONOTONIC));
}

static bool sample(Shim *s, uint64_t now, ShimBreach *ret) {
    ShimGuard *g = &s->guard;
    _cleanup_free_ pid_t *pids = NULL;
    int n = shim_procs_list(&s->procs, &pids);
    size_t count = n > 0 ? (size_t)n : 0;

    return shim_guard_check_sample(
        g, now, g->sample_memory ? shim_sample_memory(pids, count, g->limits.memory_max) : 0,
        g->sample_pids ? shim_sample_threads(pids, count) : 0, ret);
}

static void check_limits(Shim *s, uint64_t now) {
    ShimBreach breach;

    if (shim_guard_check_times(&s->guard, now, &breach) ||
        (shim_guard_wants_sample(&s->guard, now) && sample(s, now, &breach)))
        stop_at_limit(s, &breach);
}

/* Any output, and any change of what the command says about itself. */
static void note_activity(Shim *s, uint64_t now) {
    uint64_t bytes = s->out.bytes + s->err.bytes;

    if (bytes == s->noted_bytes && s->notify.n_changes == s->noted_changes)
        return;
    s->noted_bytes = bytes;
    s->noted_changes = s->notify.n_changes;
    shim_guard_activity(&s->guard, now);
}

void shim_check(Shim *s, uint64_t now) {
    note_activity(s, now);
    extend(s, now);
    if (s->stop.requested)
        shim_stop_tick(&s->stop, now);
    else
        check_limits(s, now);
}

/* ---- pause ---- */

static void tell_paused(Shim *s) {
    s->awaits_paused = false;
    shim_report_paused(&s->report, s->paused);
}

void shim_pause(Shim *s, bool pause) {
    s->paused = pause;
    s->awaits_paused = true;
    shim_guard_pause(&s->guard, pause, clock_usec(CLOCK_MONOTONIC));
    if (shim_procs_pause(&s->procs, pause))
        tell_paused(s);
}

/* Before the command there is nothing to stop, and when it is being ended nothing may be. */
static void on_pause_order(Shim *s, bool pause) {
    if (pause == s->paused || s->stop.requested)
        return;
    if (s->running)
        shim_pause(s, pause);
    else
        s->paused = pause;
}

void shim_on_cgroup_event(Shim *s) {
    s->procs.wait_events = false;
    if (s->awaits_paused && shim_procs_is_paused(&s->procs) == s->paused)
        tell_paused(s);
    s->procs.wait_events = s->awaits_paused;
    shim_reap(s);
}

/* ---- signals and orders ---- */

/* Gives whether, and why, they ask for the end of the task. */
ShimReason shim_read_signals(Shim *s) {
    struct signalfd_siginfo infos[4];
    ShimReason reason = SHIM_REASON_NONE;
    bool child = false;

    ssize_t n = read(s->start->signal_fd, infos, sizeof(infos));
    for (ssize_t i = 0; i < n / (ssize_t)sizeof(infos[0]); i++)
        if (infos[i].ssi_signo == SIGCHLD)
            child = true;
        else
            reason = SHIM_REASON_STOPPED;
    if (child) {
        shim_reap(s);
        if (s->running)
            shim_stop_on_child(&s->stop, clock_usec(CLOCK_MONOTONIC));
    }
    return reason;
}

/* The same for the daemon's messages. */
ShimReason shim_read_orders(Shim *s) {
    ShimReason reason = SHIM_REASON_NONE;
    char buffer[FIELDS_MAX + 1];
    ShimOrders orders;

    while (shim_control_receive(&s->control, buffer, &orders)) {
        if (orders.cancel)
            reason = SHIM_REASON_CANCELLED;
        if (orders.kill > 0 && s->running)
            shim_procs_signal(&s->procs, orders.kill);
        if (orders.pause >= 0)
            on_pause_order(s, orders.pause == 1);
        if (orders.message)
            shim_stdin_put(&s->in, orders.message);
        if (orders.data)
            shim_stdin_put_bytes(&s->in, orders.data, orders.data_size);
        if (orders.end_stdin)
            shim_stdin_end(&s->in);
    }
    shim_stdin_write(&s->in);
    return reason;
}
