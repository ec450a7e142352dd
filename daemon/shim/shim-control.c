#include "daemon/shim/shim-control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/parse.h"
#include "common/shim-protocol.h"
#include "daemon/shim/shim-socket.h"

int shim_control_init(ShimControl *c, int fd, int listen_fd) {
    *c = (ShimControl){.fd = fd, .listen_fd = listen_fd};
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
        else if (streq(key, SHIM_PAUSE) && (streq(value, "1") || streq(value, "0")))
            ret->pause = streq(value, "1");
        else if (streq(key, SHIM_MESSAGE))
            ret->message = value;
        else if (streq(key, SHIM_STDIN_END))
            ret->end_stdin = streq(value, "1");
    }
}

/* A packet that has bytes, which may be anything, has nothing else. */
static bool parse_bytes(const char *packet, size_t size, ShimOrders *ret) {
    size_t before = strlen(SHIM_STDIN "=");

    if (size < before || memcmp(packet, SHIM_STDIN "=", before) != 0)
        return false;
    ret->data = packet + before;
    ret->data_size = size - before;
    return true;
}

bool shim_control_receive(ShimControl *c, char buffer[static FIELDS_MAX + 1], ShimOrders *ret) {
    if (c->fd < 0)
        return false;
    ssize_t n = recv(c->fd, buffer, FIELDS_MAX, 0);
    /* A peer that closed with something unread leaves an error, ahead of what it sent. */
    if (n < 0 && errno == ECONNRESET)
        n = recv(c->fd, buffer, FIELDS_MAX, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        shim_control_close(c);
        return false;
    }
    *ret = (ShimOrders){.pause = -1};
    buffer[n] = '\0';
    if (!parse_bytes(buffer, (size_t)n, ret))
        parse_orders(buffer, ret);
    return true;
}

bool shim_control_accept(ShimControl *c) {
    int fd = shim_socket_accept(c->listen_fd);

    if (fd < 0)
        return false;
    shim_control_close(c);
    c->fd = fd;
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
    /* The end of the other side is seen by the reader. */
    return true;
}

void shim_control_send_wait(ShimControl *c, const Fields *fields, int signal_fd) {
    while (!shim_control_send(c, fields)) {
        struct pollfd p[] = {{.fd = c->fd, .events = POLLOUT}, {.fd = signal_fd, .events = POLLIN}};
        if (poll(p, ELEMENTSOF(p), -1) >= 0 &&
            ((p[0].revents & (POLLERR | POLLHUP)) || p[1].revents))
            return;
    }
}

void shim_control_stop_listening(ShimControl *c) {
    char unread;

    c->listen_fd = close_fd(c->listen_fd);
    if (c->fd < 0)
        return;
    (void)shutdown(c->fd, SHUT_RD);
    while (recv(c->fd, &unread, sizeof(unread), 0) > 0)
        ;
}
