#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/cleanup.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/shim-protocol.h"
#include "daemon/exec/exec-shim-private.h"

/* One command with its shim, seen from the loop: what the control socket tells and is told. */

/* Messages read of one shim before others get their turn. */
#define MESSAGES_A_ROUND 16

/* ---- states ---- */

static struct ShimJobList *list_of(ShimExecutor *x, ShimJobState state) {
    switch (state) {
    case SHIM_JOB_WAITING:
        return &x->waiting;
    case SHIM_JOB_SILENT:
    case SHIM_JOB_STRAYS:
        return &x->settling;
    case SHIM_JOB_ENDED:
        return &x->ended;
    case SHIM_JOB_RUNNING:
    case SHIM_JOB_TOLD:
        break;
    }
    return NULL;
}

void shim_job_set_state(ShimJob *j, ShimJobState state) {
    ShimExecutor *x = j->executor;
    struct ShimJobList *from = list_of(x, j->state), *to = list_of(x, state);

    if (from)
        TAILQ_REMOVE(from, j, link);
    if (to)
        TAILQ_INSERT_TAIL(to, j, link);
    j->state = state;
    if (to && to != &x->waiting)
        shim_settle_soon(x);
}

void shim_job_close_control(ShimJob *j) {
    j->control_source = sd_event_source_disable_unref(j->control_source);
    j->control_fd = close_fd(j->control_fd);
    j->inbox_known = false;
}

/* ---- the end ---- */

void shim_job_end(ShimJob *j, const ShimEnd *end) {
    shim_job_close_control(j);
    j->end = *end;
    shim_job_set_state(j, SHIM_JOB_ENDED);
}

void shim_job_end_by_errno(ShimJob *j, int error) {
    ShimEnd end = {.exit_code = -1, .exec_errno = -error, .exec_step = SHIM_STEP_SETUP};

    end.cancelled = j->cancel_requested && error == -ECANCELED;
    shim_job_end(j, &end);
}

static void report_end(ShimJob *j) {
    ShimEndContext context = {
        .program = j->program,
        .cwd = j->cwd,
        .stdin_file = j->stdin_file,
        .isolated = j->isolated,
        .in_unit = streq(j->executor->isolation, ISOLATION_CGROUP),
        .limits = j->limits,
        .final_message = j->final_message,
    };
    char message[4096];
    ExecOutcome outcome;

    /* From here on the task may be started anew. */
    shim_job_set_state(j, SHIM_JOB_TOLD);
    HASH_DEL(j->executor->jobs, j);
    shim_end_to_outcome(&j->end, &context, message, sizeof(message), &outcome);
    outcome.usage = j->usage;
    j->job.events->ended(j->job.userdata, &outcome);
}

/* ---- what the shim tells ---- */

/* A worker that has done everything may still fail to end well: the last unit counts when it has.
 */
static uint64_t done_so_far(const ShimJob *j, const ShimMessage *m) {
    return j->isolated && m->total > 0 ? MIN(m->done, m->total - 1) : m->done;
}

/* A unit that is said once holds; a shim that names the source says all of it each time. */
static void handle_progress(ShimJob *j, const ShimMessage *m) {
    if (m->has_unit || m->source != PROGRESS_SOURCE_NONE)
        j->bytes = m->bytes;
    if (!m->has_progress)
        return;
    ProgressNews news = {
        .fraction = m->fraction,
        .done = done_so_far(j, m),
        .total = m->total,
        .bytes = j->bytes,
        .trusted = j->isolated,
        .source = m->source == PROGRESS_SOURCE_NONE ? PROGRESS_SOURCE_NOTIFY : m->source,
    };
    j->job.events->progress(j->job.userdata, &news);
}

static void handle_usage(ShimJob *j, const TaskUsage *usage) {
    if (usage->cpu_usec > 0)
        j->usage.cpu_usec = usage->cpu_usec;
    if (usage->memory_peak > 0)
        j->usage.memory_peak = usage->memory_peak;
    j->job.events->usage(j->job.userdata, &j->usage);
}

static void handle_left_behind(ShimJob *j, unsigned n) {
    char text[128];

    snprintf(text, sizeof(text), "the command has ended; %u processes that it left still run", n);
    j->job.events->reason(j->job.userdata, text);
}

static void handle_news(ShimJob *j, const ShimMessage *m) {
    const ExecEvents *events = j->job.events;
    void *userdata = j->job.userdata;

    if (m->started_pid > 0)
        events->started(userdata, m->started_pid);
    if (m->phase)
        events->phase(userdata, m->phase);
    handle_progress(j, m);
    if (m->status)
        events->status(userdata, m->status);
    if (m->log_size > 0)
        events->log_grew(userdata, m->log_size);
    if (m->left_behind > 0)
        handle_left_behind(j, m->left_behind);
    if (m->paused >= 0)
        events->paused(userdata, m->paused > 0);
    if (m->has_usage)
        handle_usage(j, &m->usage);
    shim_job_note_inbox(j, m);
    if (m->final_message) {
        free(j->final_message);
        j->final_message = strdup(m->final_message);
    }
}

void shim_job_tell_end(ShimJob *j) {
    if (j->record_data)
        handle_news(j, &j->record);
    report_end(j);
}

/* A keeper that is being stopped makes no shims any more. Nothing of the task has run: the next one
 * gets it, after the daemon itself was stopped perhaps. */
static bool is_refused(const ShimJob *j, const ShimMessage *m) {
    return m->is_end && m->end.stopped && m->end.exec_errno == ECANCELED && !j->heard &&
           !shim_left_trace(j->runtime_dir);
}

static void wait_for_next_keeper(ShimJob *j) {
    shim_job_close_control(j);
    if (j->cancel_requested)
        shim_job_end_by_errno(j, -ECANCELED);
    else
        shim_job_set_state(j, SHIM_JOB_WAITING);
}

/* True when it was the last; the job may be gone then. */
static bool handle_message(ShimJob *j, char *data) {
    ShimMessage m;

    if (shim_is_texts(data)) {
        shim_job_report_texts(j, data);
        return false;
    }
    shim_message_parse(data, &m);
    if (is_refused(j, &m)) {
        wait_for_next_keeper(j);
        return true;
    }
    j->heard = true;
    j->connects = 0;
    j->job_fd = close_fd(j->job_fd);
    handle_news(j, &m);
    if (!m.is_end)
        return false;
    shim_job_close_control(j);
    j->end = m.end;
    report_end(j);
    return true;
}

/* Bytes of the message, 0 at the end of file, or -errno. */
static ssize_t receive(int fd, char *data) {
    ssize_t n = recv(fd, data, FIELDS_MAX, MSG_DONTWAIT);

    /* A shim that ended with something unread leaves an error, ahead of what it sent. */
    if (n < 0 && errno == ECONNRESET)
        n = recv(fd, data, FIELDS_MAX, MSG_DONTWAIT);
    if (n < 0)
        return errno == EINTR ? -EAGAIN : -errno;
    data[n] = '\0';
    return n;
}

/* True when there may be more; otherwise the job may be gone. */
static bool read_round(ShimJob *j) {
    for (int i = 0; i < MESSAGES_A_ROUND; i++) {
        char data[FIELDS_MAX + 1];
        ssize_t n = receive(j->control_fd, data);
        if (n == -EAGAIN)
            return false;
        if (n <= 0) {
            /* No last message: the record tells what happened, if there is one. */
            shim_job_close_control(j);
            shim_job_set_state(j, SHIM_JOB_SILENT);
            return false;
        }
        if (handle_message(j, data))
            return false;
    }
    return true;
}

void shim_job_drain(ShimJob *j) {
    while (j->control_source && read_round(j))
        ;
}

/* ---- what the shim is told ---- */

static int send_field(ShimJob *j, const char *key, int value) {
    Fields f = {};

    if (j->control_fd < 0)
        return -ESRCH;
    fields_addf(&f, key, "%d", value);
    if (send(j->control_fd, f.data, f.size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return -errno;
    return 0;
}

void shim_job_update_interest(ShimJob *j) {
    bool pending = j->cancel_pending || j->pause_pending || j->message_pending;

    if (j->control_source)
        (void)sd_event_source_set_io_events(j->control_source,
                                            pending ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* A wish must not be lost: when the shim has not read what it was sent before, it waits. True when
 * it does. Otherwise the shim is ending by itself, or lost, or not there yet: all are seen to. */
static bool send_wish(ShimJob *j, const char *key, int value) {
    int r = send_field(j, key, value);

    if (r < 0 && r != -EAGAIN && r != -EPIPE && r != -ECONNRESET && r != -ESRCH)
        log_full(LOG_WARNING, j->id, "Cannot tell longrun-shim %s=%d, ignoring: %s", key, value,
                 strerror(-r));
    return r == -EAGAIN;
}

static void send_cancel(ShimJob *j) {
    j->cancel_pending = send_wish(j, SHIM_CANCEL, 1);
    shim_job_update_interest(j);
}

static void send_pause(ShimJob *j) {
    j->pause_pending = send_wish(j, SHIM_PAUSE, j->pause_wanted);
    shim_job_update_interest(j);
}

void shim_job_repeat_wishes(ShimJob *j) {
    if (j->cancel_requested)
        send_cancel(j);
    if (j->pause_wanted >= 0)
        send_pause(j);
}

static int on_control(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
    ShimJob *j = userdata;

    if (revents & EPOLLOUT && j->cancel_pending)
        send_cancel(j);
    if (revents & EPOLLOUT && j->pause_pending)
        send_pause(j);
    if (revents & EPOLLOUT)
        shim_job_send_outbox(j);
    if (revents & ~(uint32_t)EPOLLOUT)
        (void)read_round(j);
    return 0;
}

int shim_job_watch(ShimJob *j) {
    int r = sd_event_add_io(j->executor->event, &j->control_source, j->control_fd, EPOLLIN,
                            on_control, j);
    if (r >= 0)
        shim_job_update_interest(j);
    return r;
}

int shim_job_connect(ShimJob *j) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    if ((size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s/" SHIM_CONTROL_NAME,
                         j->runtime_dir) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return errno == ENOTDIR ? -ENOENT : -errno;
    j->control_fd = TAKE_FD(fd);
    int r = shim_job_watch(j);
    if (r < 0)
        shim_job_close_control(j);
    return r;
}

/* ---- the face of the job ---- */

static void shim_job_cancel(ExecJob *job) {
    ShimJob *j = CONTAINER_OF(job, ShimJob, job);

    if (j->cancel_requested || !j->executor)
        return;
    j->cancel_requested = true;
    if (j->state == SHIM_JOB_WAITING)
        shim_job_end_by_errno(j, -ECANCELED);
    else
        send_cancel(j);
}

static int shim_job_kill(ExecJob *job, int signal) {
    return send_field(CONTAINER_OF(job, ShimJob, job), SHIM_KILL, signal);
}

static int shim_job_pause(ExecJob *job, bool pause) {
    ShimJob *j = CONTAINER_OF(job, ShimJob, job);

    if (!j->executor || j->state >= SHIM_JOB_STRAYS)
        return -ESRCH;
    j->pause_wanted = pause;
    send_pause(j);
    return 0;
}

static void shim_job_free(ExecJob *job) {
    ShimJob *j = CONTAINER_OF(job, ShimJob, job);

    if (j->executor && j->state != SHIM_JOB_TOLD) {
        shim_job_set_state(j, SHIM_JOB_TOLD);
        HASH_DEL(j->executor->jobs, j);
    }
    shim_job_close_control(j);
    close_fd(j->job_fd);
    shim_job_drop_outbox(j, -ESRCH, NULL);
    free(j->runtime_dir);
    free(j->program);
    free(j->cwd);
    free(j->stdin_file);
    free(j->final_message);
    free(j->record_data);
    free(j);
}

const ExecJobVTable shim_job_vtable = {
    .cancel = shim_job_cancel,
    .kill = shim_job_kill,
    .pause = shim_job_pause,
    .send = shim_job_send,
    .write = shim_job_write,
    .drop_write = shim_job_drop_write,
    .free = shim_job_free,
};
