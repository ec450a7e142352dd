#include "daemon/shim/shim-report.h"

#include <inttypes.h>
#include <sys/wait.h>

#define REPORT_INTERVAL_USEC (50 * USEC_PER_MSEC)

uint64_t shim_report_due(const ShimReport *r) {
    uint64_t due = USEC_INFINITY;

    if (r->started > 0 || r->survivors > 0)
        return 0;
    if (r->log->size != r->told_size)
        due = r->log_due_usec;
    if (r->notify->pending)
        due = MIN(due, r->notify_due_usec);
    return due;
}

static void add_lifecycle(const ShimReport *r, Fields *fields) {
    if (r->started > 0)
        fields_addf(fields, SHIM_STARTED, "%d", r->started);
    if (r->survivors > 0)
        fields_addf(fields, SHIM_MAIN_EXITED, "%d", r->survivors);
}

static void lifecycle_sent(ShimReport *r) {
    r->started = 0;
    r->survivors = 0;
}

void shim_report_send(ShimReport *r, ShimControl *control, uint64_t now) {
    bool with_log = r->log->size != r->told_size && now >= r->log_due_usec;
    bool with_notify = r->notify->pending && now >= r->notify_due_usec;
    Fields fields;

    fields.size = 0;
    add_lifecycle(r, &fields);
    if (with_log)
        fields_addf(&fields, SHIM_LOG_SIZE, "%" PRIu64, r->log->size);
    if (with_notify)
        shim_notify_add_fields(r->notify, &fields);
    if (fields.size == 0 || !shim_control_send(control, &fields))
        return;

    lifecycle_sent(r);
    if (with_log) {
        r->told_size = r->log->size;
        r->log_due_usec = now + REPORT_INTERVAL_USEC;
    }
    if (with_notify) {
        shim_notify_sent(r->notify);
        r->notify_due_usec = now + REPORT_INTERVAL_USEC;
    }
}

static void add_result(Fields *fields, const ShimEnd *end) {
    if (end->exec_error < 0) {
        fields_addf(fields, SHIM_EXEC_ERRNO, "%d", -end->exec_error);
        fields_add(fields, SHIM_EXEC_STEP, end->step);
    } else if (WIFSIGNALED(end->wait_status)) {
        fields_addf(fields, SHIM_EXIT_SIGNAL, "%d", WTERMSIG(end->wait_status));
    } else {
        fields_addf(fields, SHIM_EXIT_CODE, "%d", WEXITSTATUS(end->wait_status));
    }
}

void shim_report_end(ShimReport *r, ShimControl *control, const ShimEnd *end) {
    Fields fields;

    fields.size = 0;
    add_lifecycle(r, &fields);
    shim_notify_add_fields(r->notify, &fields);
    if (fields.size > 0)
        shim_control_send_wait(control, &fields);

    fields.size = 0;
    add_result(&fields, end);
    fields_addf(&fields, SHIM_LOG_SIZE, "%" PRIu64, r->log->size);
    if (end->cancelled)
        fields_add(&fields, SHIM_CANCELLED, "1");
    if (end->killed)
        fields_add(&fields, SHIM_KILLED, "1");
    if (r->log->dropped > 0)
        fields_addf(&fields, SHIM_LOG_DROPPED, "%" PRIu64, r->log->dropped);
    if (r->log->error < 0)
        fields_addf(&fields, SHIM_LOG_ERRNO, "%d", -r->log->error);
    shim_control_send_wait(control, &fields);
}
