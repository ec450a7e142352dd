#include "daemon/shim/shim-notify.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "daemon/shim/shim-socket.h"

#define DATAGRAM_MAX FIELDS_MAX
#define DATAGRAMS_PER_ROUND 1024 /* more than any queue holds: systemd sets 512 */

static const char *const notify_keys[SHIM_NOTIFY_KEYS] = {
    NOTIFY_STATUS, NOTIFY_PROGRESS, NOTIFY_DONE,          NOTIFY_TOTAL,
    NOTIFY_UNIT,   NOTIFY_PHASE,    NOTIFY_FINAL_MESSAGE,
};

/* What is pending always fits into one message. */
_Static_assert(SHIM_NOTIFY_KEYS *(NOTIFY_VALUE_MAX + 32) < FIELDS_MAX - 512, "FIELDS_MAX");

/* A socket that an earlier supervisor could not remove is in the way of nobody else. */
static int bind_over(int fd, const struct sockaddr_un *address) {
    if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) >= 0)
        return 0;
    if (errno != EADDRINUSE || unlink(address->sun_path) < 0)
        return -errno;
    return bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;
}

int shim_notify_open(ShimNotify *n, const char *path) {
    static const int yes = 1;
    struct sockaddr_un address;

    int r = shim_socket_address(path, &address);
    if (r < 0)
        return r;
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)) < 0)
        return -errno;
    /* The mode of an unbound socket becomes that of its file: there is no moment at which others
     * could connect. */
    if (fchmod(fd, 0600) < 0)
        return -errno;
    r = bind_over(fd, &address);
    if (r < 0)
        return r;
    n->address = address;
    n->fd = TAKE_FD(fd);
    return 0;
}

void shim_notify_close(ShimNotify *n) {
    if (n->fd < 0)
        return;
    (void)unlink(n->address.sun_path);
    n->fd = close_fd(n->fd);
}

static bool is_progress(const char *key) {
    return streq(key, NOTIFY_PROGRESS) || streq(key, NOTIFY_DONE) || streq(key, NOTIFY_TOTAL);
}

static const char *last_phase(const ShimNotify *n) {
    for (size_t i = 0; i < SHIM_NOTIFY_KEYS; i++)
        if (streq(notify_keys[i], NOTIFY_PHASE))
            return n->values[i].text;
    return "";
}

/* How far a phase got that is over must not be taken for the progress of the one that a datagram
 * begins, wherever in it that is said. */
static void forget_progress_of_old_phase(ShimNotify *n, const char *datagram) {
    static const char key[] = NOTIFY_PHASE "=";
    const char *p = strncmp(datagram, key, strlen(key)) == 0
                        ? datagram
                        : strstr(datagram, "\n" NOTIFY_PHASE "=");
    if (!p)
        return;
    const char *phase = strchr(p, '=') + 1, *last = last_phase(n);
    size_t len = strcspn(phase, "\n");
    if (strlen(last) == len && memcmp(last, phase, len) == 0)
        return;
    for (size_t i = 0; i < SHIM_NOTIFY_KEYS; i++)
        if (is_progress(notify_keys[i]))
            n->values[i].known = n->values[i].pending = false;
}

static void note_value(ShimNotify *n, const char *key, const char *value) {
    for (size_t i = 0; i < SHIM_NOTIFY_KEYS; i++) {
        if (!streq(key, notify_keys[i]))
            continue;
        size_t len = strnlen(value, NOTIFY_VALUE_MAX);
        while (len > 0 && ((unsigned char)value[len] & 0xc0) == 0x80)
            len--; /* do not cut a UTF-8 sequence */
        if (!n->values[i].known || strlen(n->values[i].text) != len ||
            memcmp(n->values[i].text, value, len) != 0)
            n->n_changes++;
        memcpy(n->values[i].text, value, len);
        n->values[i].text[len] = '\0';
        n->values[i].known = n->values[i].pending = n->pending = true;
        return;
    }
}

static bool is_from_our_user(struct msghdr *msg) {
    struct cmsghdr *c = CMSG_FIRSTHDR(msg);
    struct ucred creds;

    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS ||
        c->cmsg_len != CMSG_LEN(sizeof(creds)))
        return false;
    memcpy(&creds, CMSG_DATA(c), sizeof(creds));
    return creds.uid == getuid();
}

/* Gives the size of the datagram, 0 for one to pass over, or -errno. */
static ssize_t receive_one(int fd, char *buffer, size_t size) {
    /* Room for the credentials, which come first, and nothing else: descriptors that come along
     * find none and are closed by the kernel. */
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec iov = {.iov_base = buffer, .iov_len = size};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof(control)};

    ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
    if (n < 0)
        return -errno;
    if (n > 0 && buffer[n - 1] == '\0')
        n--;
    if (!is_from_our_user(&msg) || (msg.msg_flags & MSG_TRUNC) || memchr(buffer, '\0', (size_t)n))
        return 0;
    return n;
}

static void note_message(ShimNotify *n, const char *text) {
    n->n_changes++;
    if (message_check(text) < 0 || message_queue_put(&n->messages, text) < 0)
        n->dropped++;
}

void shim_notify_receive(ShimNotify *n) {
    char buffer[DATAGRAM_MAX + 1];

    for (int i = 0; n->fd >= 0 && i < DATAGRAMS_PER_ROUND; i++) {
        ssize_t size = receive_one(n->fd, buffer, DATAGRAM_MAX);
        if (size == -EINTR)
            continue;
        if (size < 0)
            return;
        buffer[size] = '\0';
        char *cursor = buffer;
        forget_progress_of_old_phase(n, buffer);
        for (const char *key, *value; fields_next(&cursor, &key, &value);)
            if (streq(key, NOTIFY_MESSAGE))
                note_message(n, value);
            else
                note_value(n, key, value);
    }
}

void shim_notify_retell(ShimNotify *n) {
    for (size_t i = 0; i < SHIM_NOTIFY_KEYS; i++)
        if (n->values[i].known)
            n->values[i].pending = n->pending = true;
}

void shim_notify_add_known(const ShimNotify *n, Fields *fields) {
    for (size_t i = 0; i < SHIM_NOTIFY_KEYS; i++)
        if (n->values[i].known)
            fields_add(fields, notify_keys[i], n->values[i].text);
}

void shim_notify_add_fields(const ShimNotify *n, Fields *fields) {
    for (size_t i = 0; i < SHIM_NOTIFY_KEYS; i++)
        if (n->values[i].pending)
            fields_add(fields, notify_keys[i], n->values[i].text);
}

void shim_notify_sent(ShimNotify *n) {
    for (size_t i = 0; i < SHIM_NOTIFY_KEYS; i++)
        n->values[i].pending = false;
    n->pending = false;
    n->dropped = 0;
}

/* ---- messages ---- */

unsigned shim_notify_add_messages(const ShimNotify *n, Fields *fields) {
    unsigned added = 0;

    for (const Message *m = n->messages.first; m; m = m->next) {
        if (fields->size + strlen(NOTIFY_MESSAGE "=\n") + m->size > FIELDS_MAX)
            break;
        fields_add(fields, NOTIFY_MESSAGE, m->text);
        added++;
    }
    return added;
}

void shim_notify_messages_sent(ShimNotify *n, unsigned sent) {
    while (sent-- > 0)
        free(message_queue_take(&n->messages));
}

void shim_notify_drop_messages(ShimNotify *n) {
    n->dropped += n->messages.n;
    message_queue_clear(&n->messages);
}

void shim_notify_add_dropped(const ShimNotify *n, Fields *fields) {
    if (n->dropped > 0)
        fields_addf(fields, SHIM_MESSAGES_DROPPED, "%u", n->dropped);
}
