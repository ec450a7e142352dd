#include "daemon/exec/shim-message.h"

#include <errno.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/fd-io.h"
#include "common/fields.h"
#include "common/parse.h"
#include "common/shim-protocol.h"

static uint64_t number(const char *value) {
    uint64_t n;
    return parse_u64(value, &n) < 0 ? 0 : n;
}

static int small_number(const char *value) {
    uint64_t n = number(value);
    return n > INT32_MAX ? 0 : (int)n;
}

/* What is no exit status must not be read as success. */
static int exit_status(const char *value) {
    uint64_t n;
    return parse_u64(value, &n) < 0 || n > 255 ? -1 : (int)n;
}

static void parse_news(const char *key, const char *value, ShimMessage *m) {
    if (streq(key, SHIM_STARTED))
        m->started_pid = small_number(value);
    else if (streq(key, SHIM_LOG_SIZE))
        m->log_size = number(value);
    else if (streq(key, SHIM_MAIN_EXITED))
        m->left_behind = (unsigned)small_number(value);
    else if (streq(key, SHIM_PAUSED))
        m->paused = streq(value, "1") ? 1 : streq(value, "0") ? 0 : m->paused;
    else if (streq(key, SHIM_MESSAGES_RECEIVED))
        m->has_inbox |= parse_u64(value, &m->received) >= 0;
    else if (streq(key, SHIM_MESSAGES_TAKEN))
        m->taken = number(value);
    else if (streq(key, SHIM_STDIN_CLOSED))
        m->stdin_closed = streq(value, "1");
    else if (streq(key, SHIM_STDIN_ENDED))
        m->stdin_ended = streq(value, "1");
    else if (streq(key, SHIM_STDIN_RECEIVED))
        m->has_stdin |= parse_u64(value, &m->bytes_received) >= 0;
    else if (streq(key, SHIM_STDIN_TAKEN))
        m->bytes_taken = number(value);
    else if (streq(key, SHIM_MESSAGES_DROPPED))
        m->messages_dropped = number(value);
    else if (streq(key, SHIM_CPU_USEC))
        m->has_usage |= parse_u64(value, &m->usage.cpu_usec) >= 0;
    else if (streq(key, SHIM_MEMORY_PEAK))
        m->has_usage |= parse_u64(value, &m->usage.memory_peak) >= 0;
    else if (streq(key, NOTIFY_STATUS))
        m->status = value;
    else if (streq(key, NOTIFY_PHASE))
        m->phase = value;
    else if (streq(key, NOTIFY_FINAL_MESSAGE))
        m->final_message = value;
    else if (streq(key, NOTIFY_PROGRESS))
        m->has_progress |= parse_fraction(value, &m->fraction) >= 0;
    else if (streq(key, NOTIFY_DONE))
        m->has_progress |= parse_u64(value, &m->done) >= 0;
    else if (streq(key, NOTIFY_TOTAL))
        m->has_progress |= parse_u64(value, &m->total) >= 0;
    else if (streq(key, NOTIFY_UNIT)) {
        m->has_unit = true;
        m->bytes = streq(value, NOTIFY_UNIT_BYTES);
    } else if (streq(key, SHIM_PROGRESS_SOURCE))
        m->source = progress_source_from_string(value);
}

static void parse_end(const char *key, const char *value, ShimMessage *m) {
    if (streq(key, SHIM_EXIT_CODE)) {
        m->is_end = true;
        m->end.exit_code = exit_status(value);
    } else if (streq(key, SHIM_EXIT_SIGNAL)) {
        m->is_end = true;
        m->end.exit_signal = small_number(value);
    } else if (streq(key, SHIM_EXEC_ERRNO)) {
        m->is_end = true;
        m->end.exec_errno = small_number(value);
    } else if (streq(key, SHIM_LOST)) {
        m->is_end = true;
        m->end.lost = true;
    } else if (streq(key, SHIM_EXEC_STEP))
        snprintf(m->end.exec_step, sizeof(m->end.exec_step), "%s", value);
    else if (streq(key, SHIM_CANCELLED))
        m->end.cancelled = true;
    else if (streq(key, SHIM_STOPPED))
        m->end.stopped = true;
    else if (streq(key, SHIM_LIMIT))
        snprintf(m->end.limit, sizeof(m->end.limit), "%s", value);
    else if (streq(key, SHIM_LIMIT_REACHED))
        m->end.limit_reached = number(value);
    else if (streq(key, SHIM_KILLED))
        m->end.killed = true;
    else if (streq(key, SHIM_LOG_DROPPED))
        m->end.log_dropped = number(value);
    else if (streq(key, SHIM_LOG_ERRNO))
        m->end.log_errno = small_number(value);
}

void shim_message_parse(char *data, ShimMessage *ret) {
    const char *key, *value;

    *ret = (ShimMessage){.fraction = -1, .paused = -1, .end = {.exit_code = -1}};
    while (fields_next(&data, &key, &value)) {
        parse_news(key, value, ret);
        parse_end(key, value, ret);
    }
    ret->end.usage = ret->usage;
}

int shim_record_read(const char *runtime_dir, char **ret_data, ShimMessage *ret) {
    _cleanup_free_ char *data = NULL;
    char path[4096];
    ShimMessage m;

    if ((size_t)snprintf(path, sizeof(path), "%s/" SHIM_EXIT_NAME, runtime_dir) >= sizeof(path))
        return -ENAMETOOLONG;
    int r = file_read_all(path, SHIM_EXIT_RECORD_MAX, &data, NULL);
    if (r < 0)
        return r == -ENOTDIR ? -ENOENT : r == -EFBIG || r == -EINVAL ? -EBADMSG : r;
    shim_message_parse(data, &m);
    if (!m.is_end)
        return -EBADMSG;
    *ret_data = TAKE_PTR(data);
    *ret = m;
    return 0;
}
