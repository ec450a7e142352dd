#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/message-queue.h"
#include "common/shim-protocol.h"
#include "common/text.h"
#include "daemon/exec/exec-shim-private.h"

/* What is written to the stdin of a command, through its shim: messages, each a line, and bytes, in
 * the order in which they came. And the messages that the command sends to its parent. */

/* Bytes in a packet; less than a page is worth none, unless it is all there is. */
#define BYTES_MAX (FIELDS_MAX - strlen(SHIM_STDIN "="))
#define BYTES_MIN (4 * KIB)

/* ---- what waits ---- */

/* A message that waits like what others write; nobody is told when it goes. */
typedef struct Line {
    StdinWrite write;
    char text[];
} Line;

static bool is_line(const StdinWrite *w) {
    return !w->done;
}

static void remove_write(ShimJob *j, StdinWrite *w) {
    TAILQ_REMOVE(&j->outbox, w, link);
    if (is_line(w))
        j->n_lines--;
    else
        j->n_writes--;
}

static void end_write(ShimJob *j, StdinWrite *w, int error) {
    remove_write(j, w);
    if (is_line(w))
        free(CONTAINER_OF(w, Line, write));
    else
        w->done(w, error);
}

void shim_job_drop_outbox(ShimJob *j, int error, const char *why) {
    if (why && j->n_lines > 0)
        log_full(LOG_WARNING, j->id, "%u messages to it were lost: %s", j->n_lines, why);
    for (StdinWrite *w; (w = TAILQ_FIRST(&j->outbox));)
        end_write(j, w, error);
}

/* ---- sending ---- */

/* 0, or -errno: -EAGAIN when the shim has not read what it was sent before. */
static int send_field(const ShimJob *j, const char *key, const char *value) {
    Fields f = {};

    fields_add(&f, key, value);
    return send(j->control_fd, f.data, f.size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* The shim drops those that are too many. */
static int send_line(ShimJob *j, const StdinWrite *w) {
    if (j->sent - MIN(j->sent, j->taken) >= MESSAGE_QUEUE_MAX)
        return 0;
    int r = send_field(j, SHIM_MESSAGE, w->data);
    if (r < 0)
        return r;
    j->sent++;
    return 1;
}

static int send_packet(const ShimJob *j, const char *data, size_t size) {
    struct iovec parts[] = {{(char *)SHIM_STDIN "=", strlen(SHIM_STDIN "=")}, {(char *)data, size}};
    struct msghdr packet = {.msg_iov = parts, .msg_iovlen = ELEMENTSOF(parts)};

    return sendmsg(j->control_fd, &packet, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void tell_size(const ShimJob *j) {
    j->job.events->stdin_size(j->job.userdata, j->bytes_sent);
}

static int send_bytes(ShimJob *j, StdinWrite *w) {
    uint64_t before = j->bytes_sent;
    int r = 1;

    while (r > 0 && w->sent < w->size) {
        uint64_t waiting = j->bytes_sent - MIN(j->bytes_sent, j->bytes_taken);
        size_t left = w->size - w->sent, room = SHIM_STDIN_MAX - MIN(waiting, SHIM_STDIN_MAX);
        if (room < MIN(left, (size_t)BYTES_MIN)) {
            r = 0;
            break;
        }
        size_t fits = MIN(room, (size_t)BYTES_MAX), n = MIN(left, fits);
        int e = send_packet(j, w->data + w->sent, n);
        if (e < 0) {
            r = e;
            break;
        }
        w->sent += n;
        j->bytes_sent += n;
    }
    if (j->bytes_sent != before)
        tell_size(j);
    return r;
}

/* 1: all of it is with the shim, in its socket at least, where it reads it whatever becomes of us;
 * 0: that waits for its word; or -errno as send_field(). */
static int send_write(ShimJob *j, StdinWrite *w) {
    int r;

    if (is_line(w))
        return send_line(j, w);
    r = send_bytes(j, w);
    if (r <= 0 || !w->close)
        return r;
    r = send_field(j, SHIM_STDIN_END, "1");
    j->end_sent |= r >= 0;
    return r < 0 ? r : 1;
}

/* What came before it was known how much the shim has waits, for nothing may be too much. */
static bool may_send(const ShimJob *j) {
    return j->inbox_known && j->control_fd >= 0;
}

void shim_job_send_outbox(ShimJob *j) {
    int r = 1;

    for (StdinWrite *w; r > 0 && may_send(j) && (w = TAILQ_FIRST(&j->outbox));) {
        r = send_write(j, w);
        if (r > 0)
            end_write(j, w, 0);
    }
    /* When the shim is ending by itself, or lost, those that are left go with it. */
    if (r < 0 && r != -EAGAIN)
        shim_job_drop_outbox(j, -ESRCH, NULL);
    j->message_pending = r == -EAGAIN;
    shim_job_update_interest(j);
}

/* ---- what is asked for ---- */

static int check(const ShimJob *j) {
    if (!j->takes_messages)
        return -EOPNOTSUPP;
    if (!j->executor || j->state >= SHIM_JOB_SILENT)
        return -ESRCH;
    return j->stdin_ended ? -ESHUTDOWN : j->stdin_closed ? -EPIPE : 0;
}

int shim_job_send(ExecJob *job, const char *text) {
    ShimJob *j = CONTAINER_OF(job, ShimJob, job);
    size_t size = strlen(text);
    int r = check(j);

    if (r < 0)
        return r;
    if (j->sent - MIN(j->sent, j->taken) + j->n_lines >= MESSAGE_QUEUE_MAX)
        return -ENOBUFS;
    Line *l = malloc(sizeof(Line) + size + 1);
    if (!l)
        return -ENOMEM;
    memcpy(l->text, text, size + 1);
    l->write = (StdinWrite){.data = l->text, .size = size};
    TAILQ_INSERT_TAIL(&j->outbox, &l->write, link);
    j->n_lines++;
    shim_job_send_outbox(j);
    return 0;
}

/* What is closed already need not be closed. */
static bool is_closed(const ShimJob *j, int error) {
    return j->takes_messages && (error == -ESHUTDOWN || error == -EPIPE);
}

/* Whoever asked for it may leave, and take the wish along: so others wait behind it. */
static bool close_waits(const ShimJob *j) {
    StdinWrite *w;

    TAILQ_FOREACH (w, &j->outbox, link)
        if (w->close)
            return true;
    return false;
}

int shim_job_write(ExecJob *job, StdinWrite *w) {
    ShimJob *j = CONTAINER_OF(job, ShimJob, job);
    int r = check(j);

    if (r < 0 && !(w->close && is_closed(j, r)))
        return r;
    if (r < 0 && !close_waits(j))
        return 1;
    if (j->inbox_known && !j->takes_bytes)
        return -EOPNOTSUPP;
    if (j->n_writes >= STDIN_WRITES_MAX)
        return -ENOBUFS;
    r = TAILQ_EMPTY(&j->outbox) && may_send(j) ? send_write(j, w) : 0;
    if (r < 0 && r != -EAGAIN)
        return -ESRCH; /* it is ending by itself */
    j->stdin_ended |= w->close;
    if (r > 0)
        return 1;
    TAILQ_INSERT_TAIL(&j->outbox, w, link);
    j->n_writes++;
    j->message_pending |= r == -EAGAIN;
    shim_job_update_interest(j);
    return 0;
}

void shim_job_drop_write(ExecJob *job, StdinWrite *w) {
    ShimJob *j = CONTAINER_OF(job, ShimJob, job);

    remove_write(j, w);
    if (w->close)
        j->stdin_ended = j->end_sent || close_waits(j);
    shim_job_send_outbox(j); /* what was behind it */
}

/* ---- what the shim tells ---- */

static void note_counts(ShimJob *j, const ShimMessage *m) {
    if (!j->inbox_known) {
        j->sent = m->received;
        j->bytes_sent = m->bytes_received;
        j->takes_bytes = m->has_stdin;
        j->inbox_known = true;
        tell_size(j);
    }
    j->taken = m->taken;
    j->bytes_taken = m->bytes_taken;
    j->stdin_ended |= m->stdin_ended;
    j->stdin_closed = m->stdin_closed;
}

/* Others wait on, behind those that go. */
static void refuse_bytes(ShimJob *j) {
    for (StdinWrite *w = TAILQ_FIRST(&j->outbox), *next; w; w = next) {
        next = TAILQ_NEXT(w, link);
        if (!is_line(w))
            end_write(j, w, -EOPNOTSUPP);
    }
}

static void note_inbox(ShimJob *j, const ShimMessage *m) {
    note_counts(j, m);
    if (!j->takes_bytes)
        refuse_bytes(j);
    if (j->stdin_closed)
        shim_job_drop_outbox(j, -EPIPE, "it has closed its stdin");
    shim_job_send_outbox(j);
}

void shim_job_note_inbox(ShimJob *j, const ShimMessage *m) {
    if (m->messages_dropped > 0)
        log_full(LOG_WARNING, j->id,
                 "%" PRIu64 " messages to its parent were lost: at most %u may wait at a time, of "
                 "%" PRIu64 " bytes each",
                 m->messages_dropped, MESSAGE_QUEUE_MAX, MESSAGE_MAX);
    if (m->has_inbox)
        note_inbox(j, m);
    else if (m->started_pid > 0 && j->takes_messages && !j->inbox_known) {
        /* An older version of the shim: it was upgraded while the task runs. */
        j->takes_messages = false;
        shim_job_drop_outbox(j, -EOPNOTSUPP, "its longrun-shim is of a version that takes none");
    }
}

/* Looks at the first message, which has all of it, and leaves it for the loop to read. */
static void listen_to(ShimJob *j, uint64_t deadline_usec) {
    struct pollfd p = {.fd = j->control_fd, .events = POLLIN};
    uint64_t now = clock_usec(CLOCK_MONOTONIC);
    int left = now < deadline_usec ? (int)((deadline_usec - now) / USEC_PER_MSEC) : 0;
    char data[FIELDS_MAX + 1];
    ShimMessage m;

    if (poll(&p, 1, left) <= 0)
        return;
    ssize_t n = recv(j->control_fd, data, FIELDS_MAX, MSG_PEEK | MSG_DONTWAIT);
    if (n <= 0)
        return;
    data[n] = '\0';
    shim_message_parse(data, &m);
    if (m.has_inbox)
        note_counts(j, &m);
}

void shim_executor_learn_stdin(ShimExecutor *x, uint64_t timeout_usec) {
    uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + timeout_usec;

    for (ShimJob *j = x->jobs; j; j = j->hh.next) {
        if (!j->takes_messages || j->isolated || j->inbox_known)
            continue;
        if (j->control_fd >= 0)
            listen_to(j, deadline);
        if (!j->inbox_known)
            j->job.events->stdin_size(j->job.userdata, UINT64_MAX);
    }
}

/* ---- from the command ---- */

bool shim_is_texts(const char *data) {
    return strncmp(data, NOTIFY_MESSAGE "=", strlen(NOTIFY_MESSAGE "=")) == 0;
}

/* As it is; but what is no UTF-8 must not get any further. */
static void report_text(ShimJob *j, const char *text) {
    _cleanup_free_ char *clean = NULL;

    if (!utf8_is_valid(text)) {
        clean = text_clean(text, strlen(text), MESSAGE_MAX - strlen("…"));
        text = strempty(clean);
    }
    j->job.events->message(j->job.userdata, text);
}

void shim_job_report_texts(ShimJob *j, char *data) {
    for (const char *key, *value; fields_next(&data, &key, &value);)
        if (streq(key, NOTIFY_MESSAGE))
            report_text(j, value);
}
