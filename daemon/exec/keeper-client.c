#include "daemon/exec/keeper-client.h"

#include "version.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/parse.h"
#include "common/shim-protocol.h"

/* Messages read before others on the loop get their turn. */
#define MESSAGES_A_ROUND 64

/* A keeper that has much to do first, or executes itself anew, takes a moment to answer. */
#define HELLO_TIMEOUT_USEC (10 * USEC_PER_SEC)

struct KeeperClient {
    sd_event_source *source, *timer;
    const KeeperClientEvents *events; /* not owned */
    void *userdata;                   /* not owned */
    int fd;
    bool ready;
    bool wants_room;
    char version[64], isolation[32], controllers[128];
    char cgroup[4096];
    uint64_t *live; /* sorted once it is ready */
    size_t n_live, allocated_live;
};

/* ---- what it says ---- */

static int compare_ids(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static int add_live(KeeperClient *k, uint64_t id) {
    if (k->n_live == KEEPER_LIVE_MAX)
        return -E2BIG;
    if (k->n_live == k->allocated_live) {
        size_t n = MAX(k->allocated_live * 2, (size_t)64);
        uint64_t *grown = realloc(k->live, n * sizeof(uint64_t));
        if (!grown)
            return -ENOMEM;
        k->live = grown;
        k->allocated_live = n;
    }
    k->live[k->n_live++] = id;
    return 0;
}

static void copy(char *buf, size_t size, const char *value) {
    snprintf(buf, size, "%s", value);
}

/* One line of the answer to the hello. */
static int take_answer(KeeperClient *k, const char *key, const char *value, bool *ready) {
    uint64_t id;

    if (streq(key, KEEPER_VERSION))
        copy(k->version, sizeof(k->version), value);
    else if (streq(key, KEEPER_ISOLATION))
        copy(k->isolation, sizeof(k->isolation), value);
    else if (streq(key, KEEPER_CGROUP))
        copy(k->cgroup, sizeof(k->cgroup), value);
    else if (streq(key, KEEPER_CONTROLLERS))
        copy(k->controllers, sizeof(k->controllers), value);
    else if (streq(key, KEEPER_LIVE_END))
        *ready = true;
    else if (streq(key, KEEPER_LIVE) && parse_u64(value, &id) >= 0)
        return add_live(k, id);
    return 0;
}

static void note_ready(KeeperClient *k) {
    if (k->n_live > 0)
        qsort(k->live, k->n_live, sizeof(uint64_t), compare_ids);
    k->timer = sd_event_source_disable_unref(k->timer);
    k->ready = true;
}

/* 0 or -errno, then the connection is of no use. What was lost comes after the answer: the one
 * message that keeper_client_wait() reads last has none of it. */
static int handle_message(KeeperClient *k, char *data) {
    const char *key, *value;
    bool ready = false;
    uint64_t id;

    while (fields_next(&data, &key, &value)) {
        if (!k->ready) {
            int r = take_answer(k, key, value, &ready);
            if (r < 0)
                return r;
        } else if (streq(key, KEEPER_LOST) && parse_u64(value, &id) >= 0)
            k->events->lost(k->userdata, id);
    }
    if (ready)
        note_ready(k);
    return 0;
}

/* 1: a message; 0: none for now; or -errno, -ECONNRESET at the end of file. */
static int receive(KeeperClient *k) {
    char data[FIELDS_MAX + 1];
    ssize_t n = recv(k->fd, data, FIELDS_MAX, MSG_DONTWAIT);

    /* A peer that closed with something unread leaves an error, ahead of what it sent. */
    if (n < 0 && errno == ECONNRESET)
        n = recv(k->fd, data, FIELDS_MAX, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    if (n == 0)
        return -ECONNRESET;
    data[n] = '\0';
    int r = handle_message(k, data);
    return r < 0 ? r : 1;
}

/* ---- on the loop ---- */

static void gone(KeeperClient *k, int error) {
    k->source = sd_event_source_disable_unref(k->source);
    k->timer = sd_event_source_disable_unref(k->timer);
    k->events->gone(k->userdata, error);
}

static void room_again(KeeperClient *k) {
    k->wants_room = false;
    (void)sd_event_source_set_io_events(k->source, EPOLLIN);
    k->events->writable(k->userdata);
}

/* Events but gone() must not free the client, so it is there all along. */
static int on_keeper(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
    KeeperClient *k = userdata;

    for (int i = 0; i < MESSAGES_A_ROUND; i++) {
        bool before = k->ready;
        int r = receive(k);
        if (r < 0) {
            gone(k, r);
            return 0;
        }
        if (r == 0)
            break;
        if (k->ready && !before)
            k->events->ready(k->userdata);
    }
    if (revents & EPOLLOUT && k->wants_room)
        room_again(k);
    return 0;
}

static int on_hello_timeout(sd_event_source *s, uint64_t usec, void *userdata) {
    gone(userdata, -ETIMEDOUT);
    return 0;
}

static int watch(KeeperClient *k, sd_event *event) {
    int r = sd_event_add_io(event, &k->source, k->fd, EPOLLIN, on_keeper, k);

    if (r >= 0)
        r = sd_event_add_time_relative(event, &k->timer, CLOCK_MONOTONIC, HELLO_TIMEOUT_USEC, 0,
                                       on_hello_timeout, k);
    if (r >= 0)
        (void)sd_event_source_set_description(k->source, "keeper");
    return r;
}

/* ---- without the loop ---- */

int keeper_client_wait(KeeperClient *k, uint64_t timeout_usec) {
    uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + timeout_usec;

    while (!k->ready) {
        uint64_t now = clock_usec(CLOCK_MONOTONIC);
        struct pollfd p = {.fd = k->fd, .events = POLLIN};
        if (now >= deadline)
            return -ETIMEDOUT;
        int msec = (int)((deadline - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC);
        if (poll(&p, 1, msec) < 0 && errno != EINTR)
            return -errno;
        int r = receive(k);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- connection ---- */

/* In what is left of the runtime folder's path: sockaddr_un is short, the daemon looks at its start
 * whether all of its sockets fit. */
static int connect_socket(const char *runtime_dir) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    if ((size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s/" KEEPER_SOCKET,
                         runtime_dir) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    return TAKE_FD(fd);
}

int keeper_client_connect(KeeperClient **ret, sd_event *event, const char *runtime_dir,
                          const KeeperClientEvents *events, void *userdata) {
    Fields hello = {};
    int r, fd = connect_socket(runtime_dir);

    if (fd < 0)
        return fd;
    KeeperClient *k = calloc(1, sizeof(KeeperClient));
    if (!k) {
        close_fd(fd);
        return -ENOMEM;
    }
    *k = (KeeperClient){.events = events, .userdata = userdata, .fd = fd};
    fields_add(&hello, KEEPER_HELLO, LONGRUN_VERSION);
    r = send(fd, hello.data, hello.size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
    if (r >= 0)
        r = watch(k, event);
    if (r < 0) {
        keeper_client_free(k);
        return r == -EPIPE || r == -ECONNRESET ? -ECONNREFUSED : r;
    }
    *ret = k;
    return 0;
}

KeeperClient *keeper_client_free(KeeperClient *k) {
    if (!k)
        return NULL;
    sd_event_source_disable_unref(k->source);
    sd_event_source_disable_unref(k->timer);
    close_fd(k->fd);
    free(k->live);
    free(k);
    return NULL;
}

/* ---- what it is asked ---- */

static ssize_t send_with_fds(int fd, const Fields *f, const int *fds, size_t n_fds) {
    union {
        struct cmsghdr header;
        char data[CMSG_SPACE(2 * sizeof(int))];
    } control = {};
    struct iovec part = {.iov_base = (char *)f->data, .iov_len = f->size};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.data,
                             .msg_controllen = sizeof(control.data)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
    memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
    return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

int keeper_client_spawn(KeeperClient *k, uint64_t id, int job_fd, int control_fd) {
    const int fds[] = {job_fd, control_fd};
    Fields f = {};

    fields_addf(&f, KEEPER_SPAWN, "%" PRIu64, id);
    if (send_with_fds(k->fd, &f, fds, ELEMENTSOF(fds)) >= 0)
        return 0;
    /* An end of file is seen to by the loop; what waits then goes to the next keeper. */
    if (errno != EAGAIN && errno != EPIPE && errno != ECONNRESET)
        return -errno;
    if (errno == EAGAIN) {
        k->wants_room = true;
        (void)sd_event_source_set_io_events(k->source, EPOLLIN | EPOLLOUT);
    }
    return -EAGAIN;
}

bool keeper_client_is_ready(const KeeperClient *k) {
    return k->ready;
}

const char *keeper_client_version(const KeeperClient *k) {
    return k->version;
}

const char *keeper_client_isolation(const KeeperClient *k) {
    return k->isolation;
}

const char *keeper_client_cgroup(const KeeperClient *k) {
    return k->cgroup;
}

const char *keeper_client_controllers(const KeeperClient *k) {
    return k->controllers;
}

bool keeper_client_has(const KeeperClient *k, uint64_t id) {
    return k->n_live > 0 && bsearch(&id, k->live, k->n_live, sizeof(uint64_t), compare_ids);
}
