#include "client-cli/log-open.h"

#include <errno.h>
#include <fcntl.h>

#include "client-cli/output.h"

static int open_file(sd_bus *bus, uint64_t id, const char *method) {
    _cleanup_message_ sd_bus_message *reply = NULL;
    int fd, r;

    r = client_call_task(bus, id, &reply, method, NULL);
    if (r < 0)
        return r;
    r = sd_bus_message_read(reply, "h", &fd);
    if (r < 0)
        return client_report(NULL, r);
    /* The message owns its own. */
    fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (fd >= 0)
        return fd;
    r = -errno;
    print_error("cannot open the log: %s", strerror(-r));
    return r;
}

int log_open(sd_bus *bus, uint64_t id, bool with_index, LogSource *ret) {
    _cleanup_close_ int log_fd = open_file(bus, id, "OpenLog"), index_fd = -EBADF;

    if (log_fd < 0)
        return log_fd;
    if (with_index) {
        index_fd = open_file(bus, id, "OpenLogIndex");
        if (index_fd < 0)
            return index_fd;
    }
    *ret = (LogSource)LOG_SOURCE_NONE;
    ret->log_fd = TAKE_FD(log_fd);
    ret->index_fd = TAKE_FD(index_fd);
    return 0;
}
