/* longrun-shim: the supervisor of one command. It executes the command, pumps its output into the
 * log, passes its progress on, and says how it ended, when the last process of it is gone. What it
 * is told and what it says is in common/shim-protocol.h. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
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
#include "daemon/shim/shim-job.h"
#include "daemon/shim/shim-notify.h"
#include "daemon/shim/shim-output.h"
#include "daemon/shim/shim-report.h"
#include "daemon/shim/shim-spawn.h"
#include "daemon/shim/shim-stop.h"

typedef struct Shim {
    ShimControl control;
    ShimOutput out, err;
    char *log_dir;
    LogFile log;
    ShimNotify notify;
    ShimReport report;
    ShimStop stop;
    int signal_fd;
    pid_t main_pid; /* 0 before the command was executed and after it has ended */
    bool running;   /* there is, or may be, a process of the task */
    ShimEnd end;
} Shim;

/* All signals are blocked, none is ignored: a write to a closed socket or beyond a size limit gives
 * an error then, and there is nothing to undo for the command. */
static int take_signals(void) {
    sigset_t all, ours;

    sigfillset(&all);
    if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
        return -errno;
    sigemptyset(&ours);
    sigaddset(&ours, SIGCHLD);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGHUP);
    int fd = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

/* Gives /dev/null, and sees to it that 0, 1 and 2 are taken, so that no pipe ends up there, in the
 * way of the command's. */
static int open_null(void) {
    int fd;

    do {
        fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
            return -errno;
    } while (fd < 3);
    return fd;
}

static int open_stdin(const ShimJob *job) {
    int fd = open_null();

    if (fd < 0 || !job->stdin_data)
        return fd;
    close(fd);
    return memfd_new("stdin", job->stdin_data, job->stdin_size);
}

/* A command can do without the socket: it only cannot say how far it is. */
static int offer_notify_socket(Shim *s, ShimJob *job) {
    if (!job->notify_socket || shim_notify_open(&s->notify, job->notify_socket) < 0)
        return 0;
    return shim_job_set_notify_env(job, job->notify_socket);
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
    s->report.started = s->main_pid;
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
        s->report.survivors = MAX(proc_tree_count(getpid()), 1);
}

/* Those that have ended by now ended without our doing: a cancel that finds nobody else came too
 * late. */
static void cancel(Shim *s) {
    reap(s);
    if (s->running)
        shim_stop_request(&s->stop, clock_usec(CLOCK_MONOTONIC));
}

/* Gives whether one of them asks for the end of the task. */
static bool read_signals(Shim *s) {
    struct signalfd_siginfo infos[4];
    bool child = false, stop = false;

    ssize_t n = read(s->signal_fd, infos, sizeof(infos));
    for (ssize_t i = 0; i < n / (ssize_t)sizeof(infos[0]); i++)
        if (infos[i].ssi_signo == SIGCHLD)
            child = true;
        else
            stop = true;
    if (child) {
        reap(s);
        if (s->running)
            shim_stop_on_child(&s->stop, clock_usec(CLOCK_MONOTONIC));
    }
    return stop;
}

/* The same for the daemon's messages. */
static bool read_orders(Shim *s) {
    ShimOrders orders;
    bool stop = false;

    while (shim_control_receive(&s->control, &orders)) {
        stop = stop || orders.cancel;
        if (orders.kill > 0 && s->running)
            (void)proc_tree_signal(getpid(), orders.kill);
    }
    return stop;
}

enum {
    WATCH_SIGNALS,
    WATCH_CONTROL,
    WATCH_OUT,
    WATCH_ERR,
    WATCH_NOTIFY,
    _WATCH_MAX,
};

/* Waits for an event or for the time at which something is due. */
static void wait_for_events(Shim *s, struct pollfd fds[static _WATCH_MAX]) {
    uint64_t due = s->stop.next_usec;

    fds[WATCH_SIGNALS] = (struct pollfd){.fd = s->signal_fd, .events = POLLIN};
    fds[WATCH_CONTROL] = (struct pollfd){
        .fd = s->control.fd, .events = (short)(s->control.full ? POLLIN | POLLOUT : POLLIN)};
    fds[WATCH_OUT] = (struct pollfd){.fd = s->out.fd, .events = POLLIN};
    fds[WATCH_ERR] = (struct pollfd){.fd = s->err.fd, .events = POLLIN};
    fds[WATCH_NOTIFY] = (struct pollfd){.fd = s->notify.fd, .events = POLLIN};

    if (!s->control.full)
        due = MIN(due, shim_report_due(&s->report));
    uint64_t now = due == USEC_INFINITY ? 0 : clock_usec(CLOCK_MONOTONIC);
    uint64_t left = due > now ? due - now : 0;
    struct timespec timeout = {.tv_sec = (time_t)(left / USEC_PER_SEC),
                               .tv_nsec = (long)(left % USEC_PER_SEC * NSEC_PER_USEC)};
    if (ppoll(fds, _WATCH_MAX, due == USEC_INFINITY ? NULL : &timeout, NULL) < 0)
        for (size_t i = 0; i < _WATCH_MAX; i++)
            fds[i].revents = 0;
}

/* The ends of processes are looked at before the daemon's orders, see cancel(). */
static void dispatch(Shim *s, const struct pollfd fds[static _WATCH_MAX]) {
    bool stop = false;

    if (fds[WATCH_OUT].revents)
        shim_output_pump(&s->out, &s->log);
    if (fds[WATCH_ERR].revents)
        shim_output_pump(&s->err, &s->log);
    if (fds[WATCH_NOTIFY].revents)
        shim_notify_receive(&s->notify);
    if (fds[WATCH_SIGNALS].revents)
        stop = read_signals(s);
    if (fds[WATCH_CONTROL].revents & (POLLIN | POLLHUP | POLLERR))
        stop = read_orders(s) || stop;
    if (stop)
        cancel(s);
}

static void run(Shim *s) {
    struct pollfd fds[_WATCH_MAX] = {};

    while (s->running) {
        uint64_t now = clock_usec(CLOCK_MONOTONIC);
        shim_stop_tick(&s->stop, now);
        if (!s->control.full || (fds[WATCH_CONTROL].revents & POLLOUT))
            shim_report_send(&s->report, &s->control, now);
        wait_for_events(s, fds);
        dispatch(s, fds);
    }
}

static int start(Shim *s, const char **ret_step) {
    ShimJob job;
    bool stop;

    *ret_step = SHIM_STEP_SETUP;
    int r = shim_job_read(SHIM_FD_SPEC, &job);
    (void)close(SHIM_FD_SPEC);
    if (r < 0)
        return r;

    s->log_dir = strdup(job.log_dir);
    log_file_init(&s->log, s->log_dir, job.id, job.log_max);
    shim_stop_init(&s->stop, job.stop_timeout_usec);
    stop = read_signals(s);
    stop = read_orders(s) || stop;
    if (!s->log_dir) {
        r = -ENOMEM;
    } else if (stop) {
        s->end.cancelled = true;
        r = -ECANCELED;
    } else {
        r = spawn(s, &job, ret_step);
    }
    shim_job_done(&job);
    return r;
}

/* What the command left in pipes and sockets comes first, then the end. */
static void finish(Shim *s) {
    shim_output_drain(&s->out, &s->log);
    shim_output_drain(&s->err, &s->log);
    shim_notify_receive(&s->notify);
    shim_notify_close(&s->notify);
    log_file_done(&s->log);

    if (s->stop.requested)
        s->end.cancelled = true;
    s->end.killed = s->stop.killing;
    shim_control_stop_listening(&s->control);
    shim_report_end(&s->report, &s->control, &s->end);
    shim_control_close(&s->control);
    free(s->log_dir);
}

static int setup(Shim *s) {
    int r = shim_control_init(&s->control, SHIM_FD_CONTROL);

    if (r < 0)
        return r;
    /* What the daemon failed to mark close-on-exec is not for the command. */
    if (close_range(SHIM_FD_CONTROL + 1, ~0U, 0) < 0)
        return -errno;
    s->signal_fd = take_signals();
    if (s->signal_fd < 0)
        return s->signal_fd;
    return prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 ? -errno : 0;
}

int main(void) {
    static Shim shim; /* what is never touched of it costs no memory */
    Shim *s = &shim;

    s->out.fd = s->err.fd = s->notify.fd = -EBADF;
    log_file_init(&s->log, NULL, 0, 0);
    s->report = (ShimReport){.log = &s->log, .notify = &s->notify};

    int r = setup(s);
    if (r < 0) {
        fprintf(stderr, "longrun-shim: %s; longrund starts this program, see shim-protocol.h\n",
                strerror(-r));
        return EXIT_FAILURE;
    }
    s->end.exec_error = start(s, &s->end.step);
    run(s);
    finish(s);
    return EXIT_SUCCESS;
}
