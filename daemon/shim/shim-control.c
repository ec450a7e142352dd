#include "daemon/shim/shim-control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/parse.h"
#include "common/shim-protocol.h"

int shim_control_init(ShimControl *c, int fd) {
    *c = (ShimControl){.fd = fd};
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
        return -errno;
    return 0;
}

void shim_control_close(ShimControl *c) {
    c->fd = close_fd(c->fd);
    c->full = false;
}

static void parse_orders(char *message, ShimOrders *ret) {
    char *cursor = message;
    uint32_t sig;

    for (const char *key, *value; fields_next(&cursor, &key, &value);) {
        if (streq(key, SHIM_CANCEL) && streq(value, "1"))
            ret->cancel = true;
        else if (streq(key, SHIM_KILL) && parse_u32(value, &sig) >= 0 && sig >= 1 &&
                 sig <= (uint32_t)SIGRTMAX)
            ret->kill = (int)sig;
    }
}

bool shim_control_receive(ShimControl *c, ShimOrders *ret) {
    char message[FIELDS_MAX + 1];

    if (c->fd < 0)
        return false;
    ssize_t n = recv(c->fd, message, FIELDS_MAX, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;

    *ret = (ShimOrders){};
    if (n <= 0) {
        shim_control_close(c);
        ret->cancel = true;
        return true;
    }
    message[n] = '\0';
    parse_orders(message, ret);
    return true;
}

bool shim_control_send(ShimControl *c, const Fields *fields) {
    if (c->fd < 0)
        return true;
    ssize_t n = send(c->fd, fields->data, fields->size, MSG_NOSIGNAL);
    if (n >= 0) {
        c->full = false;
        return true;
    }
    if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) {
        c->full = true;
        return false;
    }
    /* The end of the other side is seen by the reader, which stops the task. */
    return true;
}

void shim_control_send_wait(ShimControl *c, const Fields *fields) {
    while (!shim_control_send(c, fields)) {
        struct pollfd p = {.fd = c->fd, .events = POLLOUT};
        if (poll(&p, 1, -1) >= 0 && (p.revents & (POLLERR | POLLHUP)))
            return;
    }
}

void shim_control_stop_listening(ShimControl *c) {
    char unread;

    if (c->fd < 0)
        return;
    (void)shutdown(c->fd, SHUT_RD);
    while (recv(c->fd, &unread, sizeof(unread), 0) > 0)
        ;
}
