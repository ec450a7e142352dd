#include <errno.h>
#include <inttypes.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/shim-protocol.h"
#include "common/text.h"
#include "daemon/exec/exec-shim-private.h"

/* Messages to a command, through its shim, which writes them to its stdin, and those that it sends
 * to its parent. */

/* ---- to the command ---- */

static uint64_t count_waiting(const ShimJob *j) {
    return j->sent - MIN(j->sent, j->taken) + j->outbox.n;
}

int shim_job_send(ExecJob *job, const char *text) {
    ShimJob *j = CONTAINER_OF(job, ShimJob, job);

    if (!j->takes_messages)
        return -EOPNOTSUPP;
    if (!j->executor || j->state >= SHIM_JOB_SILENT)
        return -ESRCH;
    if (j->stdin_closed)
        return -EPIPE;
    if (count_waiting(j) >= MESSAGE_QUEUE_MAX)
        return -ENOBUFS;
    int r = message_queue_put(&j->outbox, text);
    if (r >= 0)
        shim_job_send_outbox(j);
    return r;
}

/* 0, or -errno: -EAGAIN when the shim has not read what it was sent before. */
static int send_text(const ShimJob *j, const Message *m) {
    Fields f = {};

    fields_add(&f, SHIM_MESSAGE, m->text);
    return send(j->control_fd, f.data, f.size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* The shim drops those that are too many: what came before it was known how many it has waits. */
static bool may_send(const ShimJob *j) {
    return j->outbox.first && j->inbox_known && j->control_fd >= 0 &&
           j->sent - MIN(j->sent, j->taken) < MESSAGE_QUEUE_MAX;
}

/* When the shim is ending by itself, or lost, those that are left go with it. */
void shim_job_send_outbox(ShimJob *j) {
    int r = 0;

    while (may_send(j)) {
        r = send_text(j, j->outbox.first);
        if (r < 0)
            break;
        free(message_queue_take(&j->outbox));
        j->sent++;
    }
    if (r < 0 && r != -EAGAIN)
        message_queue_clear(&j->outbox);
    j->message_pending = r == -EAGAIN;
    shim_job_update_interest(j);
}

/* Nobody reads them, or will. */
static void drop_outbox(ShimJob *j, const char *why) {
    if (j->outbox.n > 0)
        log_full(LOG_WARNING, j->id, "%u messages to it were lost: %s", j->outbox.n, why);
    message_queue_clear(&j->outbox);
}

void shim_job_note_inbox(ShimJob *j, const ShimMessage *m) {
    if (m->messages_dropped > 0)
        log_full(LOG_WARNING, j->id,
                 "%" PRIu64 " messages to its parent were lost: at most %u may wait at a time, of "
                 "%" PRIu64 " bytes each",
                 m->messages_dropped, MESSAGE_QUEUE_MAX, MESSAGE_MAX);
    if (m->has_inbox) {
        if (!j->inbox_known)
            j->sent = m->received;
        j->inbox_known = true;
        j->taken = m->taken;
        j->stdin_closed = m->stdin_closed;
        if (j->stdin_closed)
            drop_outbox(j, "it has closed its stdin");
        shim_job_send_outbox(j);
    } else if (m->started_pid > 0 && j->takes_messages && !j->inbox_known) {
        /* An older version of the shim: it was upgraded while the task runs. */
        j->takes_messages = false;
        drop_outbox(j, "its longrun-shim is of a version that takes none");
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
