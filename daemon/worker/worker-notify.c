#include "daemon/worker/worker-notify.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/cleanup.h"
#include "common/clock.h"

int worker_notify_open(WorkerNotify *n, const char *address) {
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    size_t length = strlen(address);

    *n = (WorkerNotify){.fd = -EBADF};
    if ((address[0] != '/' && address[0] != '@') || length < 2)
        return -EINVAL;
    if (length >= sizeof(sa.sun_path))
        return -ENAMETOOLONG;
    memcpy(sa.sun_path, address, length);
    if (address[0] == '@')
        sa.sun_path[0] = '\0';

    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    /* Connected: only then does poll(2) know when the other side has room. */
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    if (connect(fd, (struct sockaddr *)&sa, size) < 0)
        return -errno;
    n->fd = TAKE_FD(fd);
    return 0;
}

void worker_notify_close(WorkerNotify *n) {
    n->fd = close_fd(n->fd);
}

bool worker_notify_send(WorkerNotify *n, const Fields *f, unsigned timeout_ms, bool patient) {
    uint64_t start = clock_usec(CLOCK_MONOTONIC);

    if (n->stuck && !patient)
        timeout_ms = 0;
    while (n->fd >= 0) {
        if (send(n->fd, f->data, f->size, MSG_NOSIGNAL) >= 0) {
            n->stuck = false;
            return true;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN && errno != ENOBUFS) {
            worker_notify_close(n);
            break;
        }
        uint64_t waited_ms = (clock_usec(CLOCK_MONOTONIC) - start) / USEC_PER_MSEC;
        if (waited_ms >= timeout_ms) {
            n->stuck = true;
            break;
        }
        struct pollfd pfd = {.fd = n->fd, .events = POLLOUT};
        poll(&pfd, 1, (int)(timeout_ms - waited_ms));
    }
    return false;
}
