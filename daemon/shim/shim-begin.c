#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fd-io.h"
#include "common/log.h"
#include "common/shim-protocol.h"
#include "daemon/shim/shim-spawn.h"
#include "daemon/shim/shim-task.h"
#include "daemon/shim/shim-terminal.h"

/* From the job to the command. */

/* ---- what it reads and prints to ---- */

static int copy_fd(int fd) {
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    return copy < 0 ? -errno : copy;
}

/* What comes for its stdin is typed. */
static int open_typing(Shim *s, const ShimJob *job) {
    _cleanup_close_ int own = copy_fd(s->out.fd);

    if (own < 0)
        return own;
    int r = shim_stdin_open_terminal(&s->in, job->stdin_data, job->stdin_size, own,
                                     shim_terminal_end_of_input);
    if (r < 0)
        return r;
    TAKE_FD(own);
    return copy_fd(s->terminal_fd);
}

/* 0, 1 and 2 are taken: no pipe ends up there, in the way of the command's. */
static int open_stdin(Shim *s, const ShimJob *job, const char **ret_step) {
    int fd;

    if (job->stdin_open && job->has_terminal)
        return open_typing(s, job);
    if (job->stdin_open) {
        int r = shim_stdin_open(&s->in, job->stdin_data, job->stdin_size, &fd);
        return r < 0 ? r : fd;
    }
    if (job->stdin_file) {
        *ret_step = SHIM_STEP_STDIN;
        return shim_stdin_open_file(job->stdin_file);
    }
    if (job->stdin_data)
        return memfd_new("stdin", job->stdin_data, job->stdin_size);
    fd = open("/dev/null", O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return fd < 0 ? -errno : fd;
}

static int open_pipes(Shim *s, ShimStdio *stdio) {
    int r = shim_output_open(&s->out, LOG_STREAM_STDOUT, &stdio->fds[STDOUT_FILENO]);

    if (r >= 0)
        r = shim_output_open(&s->err, LOG_STREAM_STDERR, &stdio->fds[STDERR_FILENO]);
    if (r >= 0)
        shim_order_init(&s->order, s->out.fd, s->err.fd);
    return r;
}

static int open_terminal(Shim *s, ShimJob *job, ShimStdio *stdio) {
    int own, r = shim_terminal_open(&job->terminal_size, &own, &s->terminal_fd);

    if (r < 0)
        return r;
    shim_output_open_terminal(&s->out, own);
    shim_job_set_default_term(job, "TERM=" SHIM_TERMINAL_TYPE);
    stdio->is_terminal = true;
    for (int fd = STDOUT_FILENO; r >= 0 && fd <= STDERR_FILENO; fd++)
        r = stdio->fds[fd] = copy_fd(s->terminal_fd);
    return r;
}

static void close_stdio(ShimStdio *stdio) {
    for (size_t i = 0; i < ELEMENTSOF(stdio->fds); i++)
        close_fd(stdio->fds[i]);
}

/* ---- what else it gets ---- */

/* A task can do without a journal: its log has all of it. */
static void open_journal(Shim *s, const ShimJob *job) {
    const JournalTask task = {
        .socket = job->journal, .id = job->id, .label = job->label, .identifier = job->identifier};
    int r = job->journal ? journal_lines_new(&s->journal, &task) : 0;

    if (r < 0)
        log_full(LOG_WARNING, job->id, "Cannot send its output to the journal, ignoring: %s",
                 strerror(-r));
    s->out.journal = s->err.journal = s->journal;
}

/* A command can do without the socket: it only cannot say how far it is. */
static int offer_notify_socket(Shim *s, ShimJob *job) {
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s/" SHIM_NOTIFY_NAME, job->runtime_dir) >= PATH_MAX ||
        shim_notify_open(&s->notify, path) < 0)
        return 0;
    return shim_job_set_notify_env(job, path);
}

/* Where it cannot be made the task has none: its descendants are its processes then. */
static void make_cgroup(Shim *s, const ShimJob *job) {
    if (!s->start->cgroup[0])
        return;
    int r = shim_procs_make_cgroup(&s->procs, s->start->cgroup, job);
    if (r < 0)
        log_full(LOG_WARNING, job->id, "Cannot make a cgroup, ignoring: %s", strerror(-r));
}

static int spawn(Shim *s, ShimJob *job, const char **ret_step) {
    _cleanup_(close_stdio) ShimStdio stdio = {.fds = {-EBADF, -EBADF, -EBADF}};
    int r;

    *ret_step = job->has_terminal ? SHIM_STEP_TERMINAL : SHIM_STEP_SETUP;
    r = job->has_terminal ? open_terminal(s, job, &stdio) : open_pipes(s, &stdio);
    if (r < 0)
        return r;
    open_journal(s, job);
    *ret_step = SHIM_STEP_SETUP;
    r = stdio.fds[STDIN_FILENO] = open_stdin(s, job, ret_step);
    if (r < 0)
        return r;
    *ret_step = SHIM_STEP_SETUP;
    r = offer_notify_socket(s, job);
    if (r < 0)
        return r;
    r = shim_spawn(job, &stdio, s->procs.cgroup_fd, &s->main_pid, ret_step);
    if (r < 0)
        return r;
    s->running = true;
    shim_stdin_write(&s->in);
    s->usage.due_usec = clock_usec(CLOCK_MONOTONIC) + USEC_PER_SEC;
    shim_guard_begin(&s->guard, &job->limits, s->procs.limits_memory, s->procs.limits_pids,
                     clock_usec(CLOCK_MONOTONIC));
    shim_report_started(&s->report, s->main_pid);
    if (s->paused)
        shim_pause(s, true);
    return 0;
}

int shim_begin(Shim *s, const char **ret_step) {
    ShimJob job;

    *ret_step = SHIM_STEP_SETUP;
    int r = shim_job_read(s->start->spec_fd, &job);
    (void)close(s->start->spec_fd);
    if (r < 0)
        return r;

    s->log_dir = strdup(job.log_dir);
    log_file_init(&s->log, s->log_dir, job.id, job.log_max);
    shim_stop_init(&s->stop, &s->procs, job.stop_timeout_usec);
    s->end.reason = shim_read_orders(s) ?: shim_read_signals(s);
    if (!s->log_dir)
        r = -ENOMEM;
    else if (s->end.reason != SHIM_REASON_NONE)
        r = -ECANCELED;
    else if (job.id != s->start->id)
        r = -EINVAL;
    else {
        make_cgroup(s, &job);
        r = spawn(s, &job, ret_step);
    }
    shim_job_done(&job);
    return r;
}
