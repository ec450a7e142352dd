#include "daemon/core/stdin-write.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* " (12 of 4096 bytes were written)", for those who go on elsewhere; "" when nothing was. */
static const char *describe_part(char buf[static 64], const StdinWrite *w) {
    buf[0] = '\0';
    if (w->sent > 0)
        snprintf(buf, 64, " (%zu of %zu bytes were taken)", w->sent, w->size);
    return buf;
}

static int closed(uint64_t id, const StdinWrite *w, const char *why, Error *ret) {
    char part[64];

    return error_set(ret, ERROR_STDIN_CLOSED, "Nothing reads the stdin of task %" PRIu64 ": %s%s",
                     id, why, describe_part(part, w));
}

int stdin_write_error(uint64_t id, const StdinWrite *w, int error, Error *ret) {
    switch (error) {
    case -EPIPE:
        return closed(id, w, "the command has closed it", ret);
    case -ESHUTDOWN:
        return closed(id, w, "it was closed by CloseStdin", ret);
    case -ESRCH:
        return closed(id, w, "the command has ended", ret);
    case -EOPNOTSUPP:
        return error_set(ret, ERROR_INVALID_OPTION,
                         "The longrun-shim of task %" PRIu64
                         " is of a version that takes no bytes: "
                         "send lines, or start the task again",
                         id);
    case -ENOBUFS:
        return error_set(ret, ERROR_QUEUE_FULL,
                         "%d calls wait to write to the stdin of task %" PRIu64
                         " already: wait for their answers before you send more",
                         STDIN_WRITES_MAX, id);
    default:
        return error;
    }
}
