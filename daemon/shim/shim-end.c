#include "daemon/shim/shim-end.h"

#include <inttypes.h>
#include <sys/wait.h>

#include "common/shim-protocol.h"

static void add_result(const ShimEnd *end, Fields *fields) {
    if (end->exec_error < 0) {
        fields_addf(fields, SHIM_EXEC_ERRNO, "%d", -end->exec_error);
        fields_add(fields, SHIM_EXEC_STEP, end->step);
    } else if (WIFSIGNALED(end->wait_status)) {
        fields_addf(fields, SHIM_EXIT_SIGNAL, "%d", WTERMSIG(end->wait_status));
    } else {
        fields_addf(fields, SHIM_EXIT_CODE, "%d", WEXITSTATUS(end->wait_status));
    }
}

static void add_reason(const ShimEnd *end, Fields *fields) {
    switch (end->reason) {
    case SHIM_REASON_NONE:
        break;
    case SHIM_REASON_CANCELLED:
        fields_add(fields, SHIM_CANCELLED, "1");
        break;
    case SHIM_REASON_STOPPED:
        fields_add(fields, SHIM_STOPPED, "1");
        break;
    case SHIM_REASON_LIMIT:
        fields_add(fields, SHIM_LIMIT, end->limit);
        fields_addf(fields, SHIM_LIMIT_REACHED, "%" PRIu64, end->limit_reached);
        break;
    }
}

void shim_end_add_fields(const ShimEnd *end, const LogFile *log, Fields *fields) {
    add_result(end, fields);
    add_reason(end, fields);
    if (end->killed)
        fields_add(fields, SHIM_KILLED, "1");
    fields_addf(fields, SHIM_LOG_SIZE, "%" PRIu64, log->size);
    if (log->dropped > 0)
        fields_addf(fields, SHIM_LOG_DROPPED, "%" PRIu64, log->dropped);
    if (log->error < 0)
        fields_addf(fields, SHIM_LOG_ERRNO, "%d", -log->error);
}
