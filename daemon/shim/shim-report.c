#include "daemon/shim/shim-report.h"

#include <inttypes.h>

#define REPORT_INTERVAL_USEC (50 * USEC_PER_MSEC)

void shim_report_started(ShimReport *r, pid_t pid) {
    r->pid = pid;
    r->tell_started = true;
}

void shim_report_survivors(ShimReport *r, int n) {
    r->survivors = n;
    r->tell_survivors = true;
}

void shim_report_paused(ShimReport *r, bool paused) {
    r->paused = paused;
    r->tell_paused = true;
}

void shim_report_retell(ShimReport *r) {
    r->tell_started = r->pid > 0;
    r->tell_survivors = r->survivors > 0;
    r->tell_paused = r->paused;
    r->in->tell = r->in->is_open;
    r->told_size = UINT64_MAX;
    r->log_due_usec = r->words_due_usec = r->usage->due_usec = 0;
    shim_notify_retell(r->notify);
    shim_progress_retell(r->progress);
}

/* What the command says about itself, and what is read from its output. */
static bool has_words(const ShimReport *r) {
    return r->notify->pending || r->notify->dropped > 0 || r->progress->pending;
}

uint64_t shim_report_due(const ShimReport *r) {
    uint64_t due = USEC_INFINITY;

    if (r->tell_started || r->tell_survivors || r->tell_paused || r->in->tell)
        return 0;
    if (r->log->size != r->told_size)
        due = r->log_due_usec;
    if (has_words(r))
        due = MIN(due, r->words_due_usec);
    if (r->notify->messages.first)
        due = MIN(due, r->messages_due_usec);
    return due;
}

static void add_lifecycle(const ShimReport *r, Fields *fields) {
    if (r->tell_started)
        fields_addf(fields, SHIM_STARTED, "%d", r->pid);
    if (r->tell_survivors)
        fields_addf(fields, SHIM_MAIN_EXITED, "%d", r->survivors);
    if (r->tell_paused)
        fields_add(fields, SHIM_PAUSED, r->paused ? "1" : "0");
    if (r->in->tell)
        shim_stdin_add_fields(r->in, fields);
}

static void lifecycle_sent(ShimReport *r) {
    r->tell_started = r->tell_survivors = r->tell_paused = r->in->tell = false;
}

static void add_words(const ShimReport *r, Fields *fields) {
    shim_notify_add_fields(r->notify, fields);
    if (r->progress->pending)
        shim_progress_add_fields(r->progress, fields);
}

/* Each is told once, and in its order, unlike all that is kept as a state. */
static void send_messages(ShimReport *r, ShimControl *control, uint64_t now) {
    Fields fields;

    if (!r->notify->messages.first || now < r->messages_due_usec)
        return;
    fields.size = 0;
    unsigned n = shim_notify_add_messages(r->notify, &fields);
    if (!shim_control_send(control, &fields))
        return;
    shim_notify_messages_sent(r->notify, n);
    r->messages_due_usec = now + n * NOTIFY_MESSAGE_INTERVAL_USEC;
}

static void send_news(ShimReport *r, ShimControl *control, uint64_t now) {
    bool with_log = r->log->size != r->told_size && now >= r->log_due_usec;
    bool with_words = has_words(r) && now >= r->words_due_usec;
    Fields fields;

    fields.size = 0;
    add_lifecycle(r, &fields);
    if (with_log)
        fields_addf(&fields, SHIM_LOG_SIZE, "%" PRIu64, r->log->size);
    if (with_words) {
        add_words(r, &fields);
        shim_notify_add_dropped(r->notify, &fields);
    }
    if (fields.size == 0)
        return;
    shim_usage_add_due(r->usage, now, &fields);
    if (!shim_control_send(control, &fields))
        return;

    lifecycle_sent(r);
    if (with_log) {
        r->told_size = r->log->size;
        r->log_due_usec = now + REPORT_INTERVAL_USEC;
    }
    if (with_words) {
        shim_notify_sent(r->notify);
        shim_progress_sent(r->progress);
        r->words_due_usec = now + REPORT_INTERVAL_USEC;
    }
}

void shim_report_send(ShimReport *r, ShimControl *control, uint64_t now) {
    send_news(r, control, now);
    if (!control->full)
        send_messages(r, control, now);
}

void shim_report_rest(ShimReport *r, ShimControl *control, int signal_fd) {
    Fields fields;

    fields.size = 0;
    add_lifecycle(r, &fields);
    add_words(r, &fields);
    if (fields.size > 0)
        shim_control_send_wait(control, &fields, signal_fd);
    while (r->notify->messages.first) {
        fields.size = 0;
        unsigned n = shim_notify_add_messages(r->notify, &fields);
        shim_control_send_wait(control, &fields, signal_fd);
        shim_notify_messages_sent(r->notify, n);
    }
}
