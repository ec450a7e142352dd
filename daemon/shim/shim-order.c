#include "daemon/shim/shim-order.h"

#include <sys/epoll.h>

#include "common/cleanup.h"

enum {
    STREAM_OUT,
    STREAM_ERR,
};

static int add(int epoll_fd, int fd, uint32_t stream) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u32 = stream};

    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

void shim_order_init(ShimOrder *o, int out_fd, int err_fd) {
    o->fd = epoll_create1(EPOLL_CLOEXEC);
    if (o->fd >= 0 && (add(o->fd, out_fd, STREAM_OUT) < 0 || add(o->fd, err_fd, STREAM_ERR) < 0))
        shim_order_done(o);
}

void shim_order_done(ShimOrder *o) {
    o->fd = close_fd(o->fd);
}

bool shim_order_err_first(ShimOrder *o, bool out_ready, bool err_ready) {
    struct epoll_event events[2];
    int n = o->fd >= 0 && (out_ready || err_ready) ? epoll_wait(o->fd, events, 2, 0) : 0;

    if (!out_ready || !err_ready || n <= 0)
        return err_ready && !out_ready;
    /* One that is not named had something before, when it was named, and has not been read to its
     * end since. */
    return n == 2 ? events[0].data.u32 == STREAM_ERR : events[0].data.u32 == STREAM_OUT;
}
