#include "daemon/exec/exec-shim.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/fd-io.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/proc-tree.h"
#include "common/shim-protocol.h"
#include "daemon/exec/shim-end.h"
#include "daemon/exec/shim-message.h"

/* Messages read of one shim before others get their turn. */
#define MESSAGES_A_ROUND 16

/* What does not die of SIGKILL hangs in the kernel or belongs to another user: the pause grows. */
#define STRAYS_INTERVAL_MIN_USEC (10 * USEC_PER_MSEC)
#define STRAYS_INTERVAL_MAX_USEC (1 * USEC_PER_SEC)

typedef struct ShimJob ShimJob;

/* A shim's process: it outlives the job by the moment that it takes to exit after its last message.
 */
typedef struct ShimProcess {
    ShimExecutor *executor; /* not owned */
    ShimJob *job;           /* not owned; NULL once the last message has come */
    pid_t pid;
    sd_event_source *source;
    TAILQ_ENTRY(ShimProcess) link;
} ShimProcess;

struct ShimExecutor {
    sd_event *event; /* not owned */
    char *path;
    TAILQ_HEAD(, ShimProcess) processes;
    size_t n_processes;
};

struct ShimJob {
    ExecJob job;
    ShimExecutor *executor; /* not owned */
    ShimProcess *process;   /* not owned */
    uint64_t id;
    int control_fd;
    sd_event_source *control_source;
    sd_event_source *strays_timer;
    uint64_t strays_interval_usec;
    char *program, *cwd, *final_message;
    bool isolated;
    bool cancel_requested;
    bool cancel_pending; /* the socket was full: to be sent when there is room */
    uint64_t stop_timeout_usec;
    ShimEnd end;
};

/* ---- ends ---- */

static void report_end(ShimJob *j) {
    ShimEndContext context = {
        .program = j->program,
        .cwd = j->cwd,
        .isolated = j->isolated,
        .stop_timeout_usec = j->stop_timeout_usec,
        .final_message = j->final_message,
    };
    char message[4096];
    ExecOutcome outcome;

    shim_end_to_outcome(&j->end, &context, message, sizeof(message), &outcome);
    j->job.events->ended(j->job.userdata, &outcome);
}

/* With its shim gone, the task's processes are children of the daemon, a subreaper whose other
 * children are all shims. */
static int end_strays(ShimExecutor *x) {
    _cleanup_free_ pid_t *keep = calloc(x->n_processes + 1, sizeof(pid_t));
    ShimProcess *p;
    size_t n = 0;

    if (!keep)
        return -ENOMEM;
    TAILQ_FOREACH (p, &x->processes, link)
        keep[n++] = p->pid;
    return proc_tree_end_strays(keep, n);
}

static int on_strays_timer(sd_event_source *s, uint64_t usec, void *userdata) {
    ShimJob *j = userdata;
    int r = end_strays(j->executor);

    if (r != 0) {
        if (r < 0)
            log_warning_errno(r, "Cannot look for processes without a shim, trying again");
        r = sd_event_source_set_time_relative(s, j->strays_interval_usec);
        j->strays_interval_usec = MIN(j->strays_interval_usec * 2, STRAYS_INTERVAL_MAX_USEC);
        return r < 0 ? r : sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
    }
    report_end(j);
    return 0;
}

static void shim_lost(ShimJob *j, const siginfo_t *si) {
    log_full(LOG_WARNING, j->id, "longrun-shim (pid %d) was lost (%s %d): ending its processes",
             si->si_pid, si->si_code == CLD_EXITED ? "exit code" : "signal", si->si_status);
    j->end = (ShimEnd){.exit_code = -1, .lost = true};
    j->strays_interval_usec = STRAYS_INTERVAL_MIN_USEC;
    j->control_source = sd_event_source_disable_unref(j->control_source);

    int r = sd_event_add_time_relative(j->executor->event, &j->strays_timer, CLOCK_MONOTONIC, 0, 1,
                                       on_strays_timer, j);
    if (r < 0) {
        log_warning_errno(r, "Cannot wait for the processes of a lost shim, ignoring");
        (void)end_strays(j->executor);
        report_end(j);
    }
}

static ShimProcess *shim_process_free(ShimProcess *p) {
    sd_event_source_disable_unref(p->source);
    TAILQ_REMOVE(&p->executor->processes, p, link);
    p->executor->n_processes--;
    free(p);
    return NULL;
}

static int on_control(sd_event_source *s, int fd, uint32_t revents, void *userdata);

static int on_shim_exit(sd_event_source *s, const siginfo_t *si, void *userdata) {
    ShimProcess *p = userdata;
    ShimJob *j = p->job;

    if (j) {
        /* Messages are read before exits (priorities), but a flood may have left some. */
        while (p->job && on_control(j->control_source, j->control_fd, 0, j) > 0)
            ;
        j = p->job;
    }
    shim_process_free(p);
    if (j) {
        j->process = NULL;
        shim_lost(j, si);
    }
    return 0;
}

/* ---- messages ---- */

/* A worker that has done everything may still fail to end well: the last unit counts when it has.
 */
static uint64_t done_so_far(const ShimJob *j, const ShimMessage *m) {
    return j->isolated && m->total > 0 ? MIN(m->done, m->total - 1) : m->done;
}

static void handle_news(ShimJob *j, const ShimMessage *m) {
    const ExecEvents *events = j->job.events;
    void *userdata = j->job.userdata;
    char text[128];

    if (m->started_pid > 0)
        events->started(userdata, m->started_pid);
    if (m->phase)
        events->phase(userdata, m->phase);
    if (m->has_progress)
        events->progress(userdata, m->fraction, done_so_far(j, m), m->total, j->isolated);
    if (m->status)
        events->status(userdata, m->status);
    if (m->log_size > 0)
        events->log_grew(userdata, m->log_size);
    if (m->left_behind > 0) {
        snprintf(text, sizeof(text), "the command has ended; %u processes that it left still run",
                 m->left_behind);
        events->reason(userdata, text);
    }
    if (m->final_message) {
        free(j->final_message);
        j->final_message = strdup(m->final_message);
    }
}

static int send_field(ShimJob *j, const char *key, int value) {
    Fields f = {};

    if (!j->control_source)
        return -ESRCH;
    fields_addf(&f, key, "%d", value);
    if (send(j->control_fd, f.data, f.size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return -errno;
    return 0;
}

/* A cancel must not be lost: when the shim has not read what it was sent before, it waits. */
static void send_cancel(ShimJob *j) {
    int r = send_field(j, SHIM_CANCEL, 1);

    j->cancel_pending = r == -EAGAIN;
    if (j->control_source)
        (void)sd_event_source_set_io_events(j->control_source,
                                            j->cancel_pending ? EPOLLIN | EPOLLOUT : EPOLLIN);
    /* Otherwise it is ending by itself, or lost: both are seen to. */
    if (r < 0 && r != -EAGAIN && r != -EPIPE && r != -ECONNRESET && r != -ESRCH)
        log_full(LOG_WARNING, j->id, "Cannot tell longrun-shim to cancel, ignoring: %s",
                 strerror(-r));
}

/* Gives how many messages it read; fewer than a round's when there are no more. The job may be gone
 * after that. */
static int on_control(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
    ShimJob *j = userdata;

    if (revents & EPOLLOUT && j->cancel_pending)
        send_cancel(j);
    for (int i = 0; i < MESSAGES_A_ROUND; i++) {
        char data[FIELDS_MAX + 1];
        ssize_t n = recv(fd, data, FIELDS_MAX, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            /* End of file without a last message: the exit of the shim tells what happened. */
            if (n == 0 || errno != EAGAIN)
                (void)sd_event_source_set_enabled(j->control_source, SD_EVENT_OFF);
            return 0;
        }
        data[n] = '\0';

        ShimMessage m;
        shim_message_parse(data, &m);
        handle_news(j, &m);
        if (m.is_end) {
            j->end = m.end;
            j->process->job = NULL;
            j->control_source = sd_event_source_disable_unref(j->control_source);
            report_end(j);
            return 0;
        }
    }
    return MESSAGES_A_ROUND;
}

static void shim_job_cancel(ExecJob *job) {
    ShimJob *j = CONTAINER_OF(job, ShimJob, job);

    if (j->cancel_requested)
        return;
    j->cancel_requested = true;
    send_cancel(j);
}

static int shim_job_kill(ExecJob *job, int signal) {
    return send_field(CONTAINER_OF(job, ShimJob, job), SHIM_KILL, signal);
}

static void shim_job_free(ExecJob *job) {
    ShimJob *j = CONTAINER_OF(job, ShimJob, job);

    if (j->process)
        j->process->job = NULL;
    sd_event_source_disable_unref(j->control_source);
    sd_event_source_disable_unref(j->strays_timer);
    close_fd(j->control_fd);
    free(j->program);
    free(j->cwd);
    free(j->final_message);
    free(j);
}

static const ExecJobVTable job_vtable = {
    .cancel = shim_job_cancel,
    .kill = shim_job_kill,
    .free = shim_job_free,
};

/* ---- starts ---- */

/* Lifts a descriptor above those that the shim expects things at, so that putting one in place
 * cannot close another. */
static int lift_fd(int *fd) {
    if (*fd > SHIM_FD_CONTROL)
        return 0;
    int lifted = fcntl(*fd, F_DUPFD_CLOEXEC, SHIM_FD_CONTROL + 1);
    if (lifted < 0)
        return -errno;
    close_fd(*fd);
    *fd = lifted;
    return 0;
}

static int spawn_with_fds(const char *path, int spec_fd, int control_fd, pid_t *ret) {
    char *argv[] = {(char *)"longrun-shim", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t all, none;

    sigfillset(&all);
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, spec_fd, SHIM_FD_SPEC);
    posix_spawn_file_actions_adddup2(&actions, control_fd, SHIM_FD_CONTROL);
    posix_spawnattr_init(&attr);
    /* A group of its own: Ctrl-C in the daemon's terminal is the daemon's affair. */
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
                                        POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setsigmask(&attr, &none);
    int r = -posix_spawn(ret, path, &actions, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    return r;
}

static int spawn_shim(ShimExecutor *x, const ShimSpec *spec, int *ret_control_fd, pid_t *ret) {
    _cleanup_close_ int spec_fd = -EBADF, ours = -EBADF, theirs = -EBADF;
    int pair[2], r;

    spec_fd = shim_spec_to_memfd(spec);
    if (spec_fd < 0)
        return spec_fd;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    ours = pair[0];
    theirs = pair[1];

    r = lift_fd(&spec_fd);
    if (r >= 0)
        r = lift_fd(&theirs);
    if (r >= 0)
        r = spawn_with_fds(x->path, spec_fd, theirs, ret);
    if (r < 0)
        return r;
    *ret_control_fd = TAKE_FD(ours);
    return 0;
}

static int watch(ShimJob *j, ShimProcess *p) {
    sd_event *event = j->executor->event;
    int r = sd_event_add_child(event, &p->source, p->pid, WEXITED, on_shim_exit, p);

    if (r >= 0)
        r = sd_event_add_io(event, &j->control_source, j->control_fd, EPOLLIN, on_control, j);
    /* What a shim said comes before the news that it is gone. */
    if (r >= 0)
        r = sd_event_source_set_priority(j->control_source, SD_EVENT_PRIORITY_NORMAL - 1);
    return r;
}

int shim_job_start(ShimExecutor *x, const ShimSpec *spec, bool isolated, const ExecEvents *events,
                   void *userdata, ExecJob **ret) {
    ShimJob *j = calloc(1, sizeof(ShimJob));
    ShimProcess *p = calloc(1, sizeof(ShimProcess));
    int r = -ENOMEM;

    if (!j || !p)
        goto fail;
    *j = (ShimJob){
        .job = {.vtable = &job_vtable, .events = events, .userdata = userdata},
        .executor = x,
        .id = spec->id,
        .control_fd = -EBADF,
        .isolated = isolated,
        .stop_timeout_usec = spec->stop_timeout_usec,
        .program = strdup(spec->argv[0]),
        .cwd = strdup(spec->cwd),
    };
    if (!j->program || !j->cwd)
        goto fail;
    r = spawn_shim(x, spec, &j->control_fd, &p->pid);
    if (r < 0)
        goto fail;

    p->executor = x;
    p->job = j;
    j->process = p;
    TAILQ_INSERT_TAIL(&x->processes, p, link);
    x->n_processes++;
    r = watch(j, p);
    if (r < 0) {
        /* The shim sees its control socket close and ends without having run anything for long. */
        log_full(LOG_ERR, j->id, "Cannot watch longrun-shim: %s", strerror(-r));
        shim_process_free(p);
        shim_job_free(&j->job);
        return r;
    }
    *ret = &j->job;
    return 0;

fail:
    if (j)
        shim_job_free(&j->job);
    free(p);
    return r;
}

int shim_executor_new(ShimExecutor **ret, sd_event *event, const char *libexec_dir) {
    ShimExecutor *x = calloc(1, sizeof(ShimExecutor));

    if (!x)
        return -ENOMEM;
    x->event = event;
    TAILQ_INIT(&x->processes);
    if (asprintf(&x->path, "%s/longrun-shim", libexec_dir) < 0) {
        free(x);
        return -ENOMEM;
    }
    *ret = x;
    return 0;
}

ShimExecutor *shim_executor_free(ShimExecutor *x) {
    if (!x)
        return NULL;
    for (ShimProcess *p; (p = TAILQ_FIRST(&x->processes));)
        shim_process_free(p);
    free(x->path);
    free(x);
    return NULL;
}
