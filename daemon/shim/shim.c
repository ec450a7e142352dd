#include "daemon/shim/shim.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "common/clock.h"
#include "common/shim-protocol.h"
#include "daemon/shim/shim-record.h"
#include "daemon/shim/shim-task.h"

#ifndef __has_feature
#define __has_feature(x) 0 /* of clang, which builds with the sanitizers */
#endif
#if __has_feature(address_sanitizer)
#include <sanitizer/lsan_interface.h>
#endif

/* ---- the loop ---- */

enum {
    WATCH_SIGNALS,
    WATCH_CONTROL,
    WATCH_LISTEN,
    WATCH_IN,
    WATCH_OUT,
    WATCH_ERR,
    WATCH_NOTIFY,
    WATCH_CGROUP,
    _WATCH_MAX,
};

/* Waits for an event or for the time at which something is due. */
static void wait_for_events(Shim *s, struct pollfd fds[static _WATCH_MAX]) {
    uint64_t due = s->stop.requested ? s->stop.next_usec : shim_guard_due(&s->guard);

    due = MIN(due, shim_progress_due(&s->progress));

    fds[WATCH_SIGNALS] = (struct pollfd){.fd = s->start->signal_fd, .events = POLLIN};
    fds[WATCH_CONTROL] = (struct pollfd){
        .fd = s->control.fd, .events = (short)(s->control.full ? POLLIN | POLLOUT : POLLIN)};
    fds[WATCH_LISTEN] = (struct pollfd){.fd = s->control.listen_fd, .events = POLLIN};
    fds[WATCH_IN] = (struct pollfd){.fd = s->in.fd, .events = shim_stdin_events(&s->in)};
    fds[WATCH_OUT] = (struct pollfd){.fd = s->out.fd, .events = POLLIN};
    fds[WATCH_ERR] = (struct pollfd){.fd = s->err.fd, .events = POLLIN};
    fds[WATCH_NOTIFY] = (struct pollfd){.fd = s->notify.fd, .events = POLLIN};
    fds[WATCH_CGROUP] =
        (struct pollfd){.fd = s->procs.wait_events ? s->procs.events_fd : -1, .events = POLLPRI};

    if (s->control.fd >= 0 && !s->control.full)
        due = MIN(due, shim_report_due(&s->report));
    uint64_t now = due == USEC_INFINITY ? 0 : clock_usec(CLOCK_MONOTONIC);
    uint64_t left = due > now ? due - now : 0;
    struct timespec timeout = {.tv_sec = (time_t)(left / USEC_PER_SEC),
                               .tv_nsec = (long)(left % USEC_PER_SEC * NSEC_PER_USEC)};
    if (ppoll(fds, _WATCH_MAX, due == USEC_INFINITY ? NULL : &timeout, NULL) < 0)
        for (size_t i = 0; i < _WATCH_MAX; i++)
            fds[i].revents = 0;
}

/* What came on the old connection comes before what comes on the new one. */
static void accept_daemon(Shim *s) {
    shim_stop(s, shim_read_orders(s));
    if (shim_control_accept(&s->control))
        shim_report_retell(&s->report);
}

static void pump_output(Shim *s, bool out_ready, bool err_ready) {
    bool err_first = shim_order_err_first(&s->order, out_ready, err_ready);

    if (err_first)
        shim_output_pump(&s->err, &s->log, &s->progress);
    if (out_ready)
        shim_output_pump(&s->out, &s->log, &s->progress);
    if (err_ready && !err_first)
        shim_output_pump(&s->err, &s->log, &s->progress);
}

/* The ends of processes are looked at before the daemon's orders, see shim_stop(). */
static void dispatch(Shim *s, const struct pollfd fds[static _WATCH_MAX]) {
    pump_output(s, fds[WATCH_OUT].revents != 0, fds[WATCH_ERR].revents != 0);
    if (fds[WATCH_NOTIFY].revents)
        shim_notify_receive(&s->notify, &s->progress);
    if (fds[WATCH_CGROUP].revents)
        shim_on_cgroup_event(s);
    if (fds[WATCH_SIGNALS].revents)
        shim_stop(s, shim_read_signals(s));
    if (fds[WATCH_CONTROL].revents & (POLLIN | POLLHUP | POLLERR))
        shim_stop(s, shim_read_orders(s));
    if (fds[WATCH_IN].revents & POLLERR)
        shim_stdin_close(&s->in);
    else if (fds[WATCH_IN].revents)
        shim_stdin_write(&s->in);
    if (fds[WATCH_LISTEN].revents)
        accept_daemon(s);
}

static void run(Shim *s) {
    struct pollfd fds[_WATCH_MAX] = {};

    while (s->running) {
        uint64_t now = clock_usec(CLOCK_MONOTONIC);
        shim_progress_tick(&s->progress, now);
        shim_check(s, now);
        if (s->control.fd >= 0 && (!s->control.full || (fds[WATCH_CONTROL].revents & POLLOUT)))
            shim_report_send(&s->report, &s->control, now);
        wait_for_events(s, fds);
        dispatch(s, fds);
    }
}

/* ---- the end ---- */

/* What the command left in pipes and sockets. */
static void drain(Shim *s) {
    if (shim_order_err_first(&s->order, s->out.fd >= 0, s->err.fd >= 0))
        shim_output_drain(&s->err, &s->log, &s->progress);
    shim_output_drain(&s->out, &s->log, &s->progress);
    shim_output_drain(&s->err, &s->log, &s->progress);
    s->journal = journal_lines_free(s->journal);
    shim_order_done(&s->order);
    shim_progress_finish(&s->progress);
    shim_notify_receive(&s->notify, &s->progress);
    shim_notify_close(&s->notify);
    log_file_done(&s->log);
}

static int write_record(const Shim *s, const Fields *last) {
    char from[PATH_MAX], to[PATH_MAX];
    Fields record;

    record.size = 0;
    shim_notify_add_known(&s->notify, &record);
    shim_progress_add_fields(&s->progress, &record);
    memcpy(record.data + record.size, last->data, last->size);
    record.size += last->size;
    if (snprintf(from, sizeof(from), "%s/" SHIM_EXIT_NEW_NAME, s->start->folder) >= PATH_MAX ||
        snprintf(to, sizeof(to), "%s/" SHIM_EXIT_NAME, s->start->folder) >= PATH_MAX)
        return -ENAMETOOLONG;
    return shim_record_write(s->start->record_fd, from, to, &record);
}

/* The kernel has kept the limit, and killed all of them for it. */
static void note_kernel_limit(Shim *s) {
    if (s->end.reason != SHIM_REASON_NONE || !shim_procs_ran_out_of_memory(&s->procs))
        return;
    s->end.reason = SHIM_REASON_LIMIT;
    s->end.limit = "memory-max";
    s->end.limit_reached = s->guard.limits.memory_max;
}

/* AddressSanitizer does it with a process of its own, at the exit if not before. The next attempt
 * has to wait until a shim has no processes, so it is before the end is told. */
static void look_for_leaks(void) {
#if __has_feature(address_sanitizer)
    __lsan_do_leak_check();
#endif
}

/* The record comes first: whatever happens from then on, the end is known. */
static int finish(Shim *s) {
    Fields last;

    drain(s);
    s->end.killed = s->stop.timed_out;
    note_kernel_limit(s);
    last.size = 0;
    shim_end_add_fields(&s->end, &s->log, &last);
    shim_usage_add_last(&s->usage, &last);
    if (s->control.fd < 0)
        shim_notify_drop_messages(&s->notify);
    shim_notify_add_dropped(&s->notify, &last);
    shim_procs_remove_cgroup(&s->procs);
    look_for_leaks();
    int r = write_record(s, &last);

    shim_control_stop_listening(&s->control);
    shim_report_rest(&s->report, &s->control, s->start->signal_fd);
    shim_control_send_wait(&s->control, &last, s->start->signal_fd);
    shim_control_close(&s->control);
    shim_progress_done(&s->progress);
    free(s->log_dir);
    return r;
}

_Noreturn void shim_main(const ShimStart *start) {
    static Shim shim; /* what is never touched of it costs no memory */
    Shim *s = &shim;

    s->start = start;
    s->in.fd = s->out.fd = s->err.fd = s->notify.fd = -EBADF;
    s->terminal_fd = s->order.fd = -EBADF;
    log_file_init(&s->log, NULL, 0, 0);
    s->report = (ShimReport){.log = &s->log,
                             .notify = &s->notify,
                             .progress = &s->progress,
                             .in = &s->in,
                             .usage = &s->usage};
    s->usage.procs = &s->procs;
    s->procs = SHIM_PROCS_NONE;

    (void)prctl(PR_SET_NAME, "longrun-shim");
    shim_record_hold(start->record_fd);
    s->end.exec_error = shim_control_init(&s->control, start->control_fd, start->listen_fd);
    s->end.step = SHIM_STEP_SETUP;
    if (s->end.exec_error >= 0 && prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        s->end.exec_error = -errno;
    if (s->end.exec_error >= 0)
        s->end.exec_error = shim_begin(s, &s->end.step);
    run(s);
    exit(finish(s) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}
