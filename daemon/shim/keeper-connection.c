#include "daemon/shim/keeper-connection.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/shim-protocol.h"
#include "daemon/shim/shim-socket.h"
#include "version.h"

bool keeper_answers(const char *path) {
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un address;

    return fd >= 0 && shim_socket_address(path, &address) >= 0 &&
           (connect(fd, (struct sockaddr *)&address, sizeof(address)) >= 0 || errno == EAGAIN);
}

int keeper_listen(const char *path, int *ret_fd) {
    if (keeper_answers(path))
        return -EADDRINUSE;
    if (unlink(path) < 0 && errno != ENOENT)
        return -errno;
    return shim_socket_listen(path, ret_fd);
}

bool keeper_connection_accept(KeeperConnection *c, int listen_fd) {
    int fd = shim_socket_accept(listen_fd);

    if (fd < 0)
        return false;
    keeper_connection_close(c);
    c->fd = fd;
    return true;
}

void keeper_connection_close(KeeperConnection *c) {
    close_fd(c->fd);
    free(c->lost);
    *c = (KeeperConnection){.fd = -EBADF};
}

static void take_fds(struct msghdr *msg, int ret_fds[static 2]) {
    struct cmsghdr *c = CMSG_FIRSTHDR(msg);

    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
        return;
    size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(ret_fds, CMSG_DATA(c), MIN(n, (size_t)2) * sizeof(int));
}

bool keeper_connection_receive(KeeperConnection *c, KeeperMessage *ret) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(ret->fds))];
    } control;
    struct iovec iov = {.iov_base = ret->text, .iov_len = FIELDS_MAX};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof(control)};

    if (c->fd < 0)
        return false;
    ret->fds[0] = ret->fds[1] = -EBADF;
    ssize_t n = recvmsg(c->fd, &msg, MSG_CMSG_CLOEXEC);
    /* A peer that closed with something unread leaves an error, ahead of what it sent. */
    if (n < 0 && errno == ECONNRESET)
        n = recvmsg(c->fd, &msg, MSG_CMSG_CLOEXEC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        keeper_connection_close(c);
        return false;
    }
    ret->text[n] = '\0';
    take_fds(&msg, ret->fds);
    return true;
}

void keeper_connection_greet(KeeperConnection *c) {
    c->answer = KEEPER_ANSWER_HEAD;
    c->live_told = 0;
}

/* Whom this cannot be told finds the exit record. */
void keeper_connection_add_lost(KeeperConnection *c, uint64_t id) {
    if (c->fd < 0 || c->answer == KEEPER_ANSWER_NONE)
        return;
    if (c->n_lost == c->lost_allocated) {
        size_t n = MAX(c->lost_allocated * 2, (size_t)16);
        uint64_t *grown = realloc(c->lost, n * sizeof(uint64_t));
        if (!grown)
            return;
        c->lost = grown;
        c->lost_allocated = n;
    }
    c->lost[c->n_lost++] = id;
}

bool keeper_connection_pending(const KeeperConnection *c) {
    return c->fd >= 0 &&
           (c->answer == KEEPER_ANSWER_HEAD || c->answer == KEEPER_ANSWER_LIVE || c->n_lost > 0);
}

static bool send_fields(KeeperConnection *c, const Fields *fields) {
    ssize_t n = send(c->fd, fields->data, fields->size, MSG_NOSIGNAL);

    c->full = n < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS);
    /* The end of the other side is seen by the reader. */
    return !c->full;
}

static bool send_head(KeeperConnection *c, const KeeperFacts *facts) {
    Fields fields;

    fields.size = 0;
    fields_add(&fields, KEEPER_VERSION, LONGRUN_VERSION);
    fields_add(&fields, KEEPER_ISOLATION, facts->isolation);
    fields_add(&fields, KEEPER_CGROUP, facts->cgroup);
    fields_add(&fields, KEEPER_CONTROLLERS, facts->controllers);
    if (!send_fields(c, &fields))
        return false;
    c->answer = KEEPER_ANSWER_LIVE;
    return true;
}

/* One message of ids. Those of shims that were made meanwhile may be among them. */
static bool send_live(KeeperConnection *c, const KeeperTable *t) {
    const KeeperShim *s = keeper_table_after(t, c->live_told);
    uint64_t told = c->live_told;
    Fields fields;

    fields.size = 0;
    for (; s && fields.size + 64 < FIELDS_MAX; s = keeper_table_after(t, told)) {
        fields_addf(&fields, KEEPER_LIVE, "%" PRIu64, s->id);
        told = s->id;
    }
    if (!s)
        fields_add(&fields, KEEPER_LIVE_END, "1");
    if (!send_fields(c, &fields))
        return false;
    c->live_told = told;
    if (!s)
        c->answer = KEEPER_ANSWER_DONE;
    return true;
}

static bool send_lost(KeeperConnection *c) {
    Fields fields;
    size_t n;

    fields.size = 0;
    for (n = 0; n < c->n_lost && fields.size + 64 < FIELDS_MAX; n++)
        fields_addf(&fields, KEEPER_LOST, "%" PRIu64, c->lost[n]);
    if (!send_fields(c, &fields))
        return false;
    c->n_lost -= n;
    memmove(c->lost, c->lost + n, c->n_lost * sizeof(uint64_t));
    return true;
}

void keeper_connection_send(KeeperConnection *c, const KeeperFacts *facts, const KeeperTable *t) {
    bool room = true;

    while (room && keeper_connection_pending(c))
        switch (c->answer) {
        case KEEPER_ANSWER_HEAD:
            room = send_head(c, facts);
            break;
        case KEEPER_ANSWER_LIVE:
            room = send_live(c, t);
            break;
        default:
            room = send_lost(c);
            break;
        }
}
