#include "daemon/shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fd-io.h"
#include "common/log-file.h"
#include "common/proc-tree.h"
#include "common/shim-protocol.h"
#include "daemon/shim/shim-control.h"
#include "daemon/shim/shim-end.h"
#include "daemon/shim/shim-job.h"
#include "daemon/shim/shim-notify.h"
#include "daemon/shim/shim-output.h"
#include "daemon/shim/shim-record.h"
#include "daemon/shim/shim-report.h"
#include "daemon/shim/shim-spawn.h"
#include "daemon/shim/shim-stop.h"

typedef struct Shim {
    const ShimStart *start;
    ShimControl control;
    ShimOutput out, err;
    char *log_dir;
    LogFile log;
    ShimNotify notify;
    ShimReport report;
    ShimStop stop;
    pid_t main_pid; /* 0 before the command was executed and after it has ended */
    bool running;   /* there is, or may be, a process of the task */
    ShimEnd end;
} Shim;

/* 0, 1 and 2 are taken: no pipe ends up there, in the way of the command's. */
static int open_stdin(const ShimJob *job) {
    if (job->stdin_data)
        return memfd_new("stdin", job->stdin_data, job->stdin_size);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return fd < 0 ? -errno : fd;
}

/* A command can do without the socket: it only cannot say how far it is. */
static int offer_notify_socket(Shim *s, ShimJob *job) {
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s/" SHIM_NOTIFY_NAME, job->runtime_dir) >= PATH_MAX ||
        shim_notify_open(&s->notify, path) < 0)
        return 0;
    return shim_job_set_notify_env(job, path);
}

static int spawn(Shim *s, ShimJob *job, const char **ret_step) {
    _cleanup_close_ int in = -EBADF, out = -EBADF, err = -EBADF;
    int r;

    *ret_step = SHIM_STEP_SETUP;
    in = open_stdin(job);
    if (in < 0)
        return in;
    r = shim_output_open(&s->out, LOG_STREAM_STDOUT, &out);
    if (r < 0)
        return r;
    r = shim_output_open(&s->err, LOG_STREAM_STDERR, &err);
    if (r < 0)
        return r;
    r = offer_notify_socket(s, job);
    if (r < 0)
        return r;

    ShimStdio stdio = {.fds = {in, out, err}};
    r = shim_spawn(job, &stdio, &s->main_pid, ret_step);
    if (r < 0)
        return r;
    s->running = true;
    shim_report_started(&s->report, s->main_pid);
    return 0;
}

/* As the subreaper we inherit what a dying process leaves behind before its end can be seen here:
 * without a child there is no descendant either. */
static void reap(Shim *s) {
    bool main_ended = false;

    while (s->running) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid == 0)
            break;
        if (pid < 0) {
            s->running = false;
        } else if (pid == s->main_pid) {
            s->end.wait_status = status;
            s->main_pid = 0;
            main_ended = true;
        }
    }
    if (s->running && main_ended)
        shim_report_survivors(&s->report, MAX(proc_tree_count(getpid()), 1));
}

/* Those that have ended by now ended without our doing: a cancel that finds nobody else came too
 * late. */
static void stop(Shim *s, ShimReason reason) {
    if (reason == SHIM_REASON_NONE)
        return;
    reap(s);
    if (!s->running || s->stop.requested)
        return;
    s->end.reason = reason;
    shim_stop_request(&s->stop, clock_usec(CLOCK_MONOTONIC));
}

/* Gives whether, and why, they ask for the end of the task. */
static ShimReason read_signals(Shim *s) {
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
        reap(s);
        if (s->running)
            shim_stop_on_child(&s->stop, clock_usec(CLOCK_MONOTONIC));
    }
    return reason;
}

/* The same for the daemon's messages. */
static ShimReason read_orders(Shim *s) {
    ShimReason reason = SHIM_REASON_NONE;
    ShimOrders orders;

    while (shim_control_receive(&s->control, &orders)) {
        if (orders.cancel)
            reason = SHIM_REASON_CANCELLED;
        if (orders.kill > 0 && s->running)
            (void)proc_tree_signal(getpid(), orders.kill);
    }
    return reason;
}

enum {
    WATCH_SIGNALS,
    WATCH_CONTROL,
    WATCH_LISTEN,
    WATCH_OUT,
    WATCH_ERR,
    WATCH_NOTIFY,
    _WATCH_MAX,
};

/* Waits for an event or for the time at which something is due. */
static void wait_for_events(Shim *s, struct pollfd fds[static _WATCH_MAX]) {
    uint64_t due = s->stop.next_usec;

    fds[WATCH_SIGNALS] = (struct pollfd){.fd = s->start->signal_fd, .events = POLLIN};
    fds[WATCH_CONTROL] = (struct pollfd){
        .fd = s->control.fd, .events = (short)(s->control.full ? POLLIN | POLLOUT : POLLIN)};
    fds[WATCH_LISTEN] = (struct pollfd){.fd = s->control.listen_fd, .events = POLLIN};
    fds[WATCH_OUT] = (struct pollfd){.fd = s->out.fd, .events = POLLIN};
    fds[WATCH_ERR] = (struct pollfd){.fd = s->err.fd, .events = POLLIN};
    fds[WATCH_NOTIFY] = (struct pollfd){.fd = s->notify.fd, .events = POLLIN};

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
    stop(s, read_orders(s));
    if (shim_control_accept(&s->control))
        shim_report_retell(&s->report);
}

/* The ends of processes are looked at before the daemon's orders, see stop(). */
static void dispatch(Shim *s, const struct pollfd fds[static _WATCH_MAX]) {
    if (fds[WATCH_OUT].revents)
        shim_output_pump(&s->out, &s->log);
    if (fds[WATCH_ERR].revents)
        shim_output_pump(&s->err, &s->log);
    if (fds[WATCH_NOTIFY].revents)
        shim_notify_receive(&s->notify);
    if (fds[WATCH_SIGNALS].revents)
        stop(s, read_signals(s));
    if (fds[WATCH_CONTROL].revents & (POLLIN | POLLHUP | POLLERR))
        stop(s, read_orders(s));
    if (fds[WATCH_LISTEN].revents)
        accept_daemon(s);
}

static void run(Shim *s) {
    struct pollfd fds[_WATCH_MAX] = {};

    while (s->running) {
        uint64_t now = clock_usec(CLOCK_MONOTONIC);
        shim_stop_tick(&s->stop, now);
        if (s->control.fd >= 0 && (!s->control.full || (fds[WATCH_CONTROL].revents & POLLOUT)))
            shim_report_send(&s->report, &s->control, now);
        wait_for_events(s, fds);
        dispatch(s, fds);
    }
}

static int begin(Shim *s, const char **ret_step) {
    ShimJob job;

    *ret_step = SHIM_STEP_SETUP;
    int r = shim_job_read(s->start->spec_fd, &job);
    (void)close(s->start->spec_fd);
    if (r < 0)
        return r;

    s->log_dir = strdup(job.log_dir);
    log_file_init(&s->log, s->log_dir, job.id, job.log_max);
    shim_stop_init(&s->stop, job.stop_timeout_usec);
    s->end.reason = read_orders(s) ?: read_signals(s);
    if (!s->log_dir)
        r = -ENOMEM;
    else if (s->end.reason != SHIM_REASON_NONE)
        r = -ECANCELED;
    else if (job.id != s->start->id)
        r = -EINVAL;
    else
        r = spawn(s, &job, ret_step);
    shim_job_done(&job);
    return r;
}

/* What the command left in pipes and sockets. */
static void drain(Shim *s) {
    shim_output_drain(&s->out, &s->log);
    shim_output_drain(&s->err, &s->log);
    shim_notify_receive(&s->notify);
    shim_notify_close(&s->notify);
    log_file_done(&s->log);
}

static int write_record(const Shim *s, const Fields *last) {
    char from[PATH_MAX], to[PATH_MAX];
    Fields record;

    record.size = 0;
    shim_notify_add_known(&s->notify, &record);
    memcpy(record.data + record.size, last->data, last->size);
    record.size += last->size;
    if (snprintf(from, sizeof(from), "%s/" SHIM_EXIT_NEW_NAME, s->start->folder) >= PATH_MAX ||
        snprintf(to, sizeof(to), "%s/" SHIM_EXIT_NAME, s->start->folder) >= PATH_MAX)
        return -ENAMETOOLONG;
    return shim_record_write(s->start->record_fd, from, to, &record);
}

/* The record comes first: whatever happens from then on, the end is known. */
static int finish(Shim *s) {
    Fields last;

    drain(s);
    s->end.killed = s->stop.killing;
    last.size = 0;
    shim_end_add_fields(&s->end, &s->log, &last);
    int r = write_record(s, &last);

    shim_control_stop_listening(&s->control);
    shim_report_rest(&s->report, &s->control, s->start->signal_fd);
    shim_control_send_wait(&s->control, &last, s->start->signal_fd);
    shim_control_close(&s->control);
    free(s->log_dir);
    return r;
}

_Noreturn void shim_main(const ShimStart *start) {
    static Shim shim; /* what is never touched of it costs no memory */
    Shim *s = &shim;

    s->start = start;
    s->out.fd = s->err.fd = s->notify.fd = -EBADF;
    log_file_init(&s->log, NULL, 0, 0);
    s->report = (ShimReport){.log = &s->log, .notify = &s->notify};

    (void)prctl(PR_SET_NAME, "longrun-shim");
    shim_record_hold(start->record_fd);
    s->end.exec_error = shim_control_init(&s->control, start->control_fd, start->listen_fd);
    s->end.step = SHIM_STEP_SETUP;
    if (s->end.exec_error >= 0 && prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        s->end.exec_error = -errno;
    if (s->end.exec_error >= 0)
        s->end.exec_error = begin(s, &s->end.step);
    run(s);
    exit(finish(s) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}
