#include "daemon/shim/shim-notify.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/parse.h"
#include "daemon/shim/shim-socket.h"

#define DATAGRAM_MAX FIELDS_MAX
#define DATAGRAMS_PER_ROUND 1024 /* more than any queue holds: systemd sets 512 */

/* The first ones are passed on as they are; the others are the progress reader's, and kept to see
 * whether they change. */
static const char *const notify_keys[SHIM_NOTIFY_KEYS] = {
    NOTIFY_STATUS, NOTIFY_FINAL_MESSAGE, NOTIFY_PROGRESS, NOTIFY_DONE,
    NOTIFY_TOTAL,  NOTIFY_UNIT,          NOTIFY_PHASE,
};
#define N_PASSED_ON 2

/* What is pending always fits into one message. */
_Static_assert(N_PASSED_ON *(NOTIFY_VALUE_MAX + 32) < FIELDS_MAX - 1024, "FIELDS_MAX");

/* What one datagram says about progress. */
typedef struct NotifyProgress {
    double fraction; /* negative: nothing */
    bool has_done, has_total;
    uint64_t done, total;
    const char *unit, *phase; /* into the datagram; NULL: nothing */
} NotifyProgress;

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

/* ---- what is said ---- */

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
        n->values[i].known = true;
        if (i < N_PASSED_ON)
            n->values[i].pending = n->pending = true;
        return;
    }
}

static void note_message(ShimNotify *n, const char *text) {
    n->n_changes++;
    if (message_check(text) < 0 || message_queue_put(&n->messages, text) < 0)
        n->dropped++;
}

static void note_number(const char *value, bool *ret_known, uint64_t *ret) {
    if (parse_u64(value, ret) >= 0)
        *ret_known = true;
}

static void note_progress(NotifyProgress *p, const char *key, const char *value) {
    if (streq(key, NOTIFY_PROGRESS))
        (void)parse_fraction(value, &p->fraction);
    else if (streq(key, NOTIFY_DONE))
        note_number(value, &p->has_done, &p->done);
    else if (streq(key, NOTIFY_TOTAL))
        note_number(value, &p->has_total, &p->total);
    else if (streq(key, NOTIFY_UNIT))
        p->unit = value;
    else if (streq(key, NOTIFY_PHASE))
        p->phase = value;
}

static void begin_phase(ShimNotify *n, const char *phase) {
    if (strncmp(n->phase, phase, sizeof(n->phase) - 1) == 0)
        return;
    strncpy(n->phase, phase, sizeof(n->phase) - 1);
    n->done = n->total = 0;
}

/* What is counted may be told in more than one datagram: each has what has changed. How far a phase
 * got that is over is not the progress of the one that a datagram begins, wherever in it that is
 * said. */
static void tell_progress(ShimNotify *n, const NotifyProgress *p, ShimProgress *progress) {
    ProgressReading r;

    if (p->phase)
        begin_phase(n, p->phase);
    if (p->unit)
        n->bytes = streq(p->unit, NOTIFY_UNIT_BYTES);
    if (p->has_done)
        n->done = p->done;
    if (p->has_total)
        n->total = p->total;
    progress_reading_init(&r, PROGRESS_SOURCE_NOTIFY);
    r.fraction = p->fraction;
    r.bytes = n->bytes;
    if (p->has_done || p->fraction < 0)
        r.done = n->done;
    if ((p->has_done && p->has_total) || p->fraction < 0)
        r.total = n->total;
    memcpy(r.phase, n->phase, sizeof(r.phase));
    shim_progress_notify(progress, &r);
}

/* The longest time holds; none is shortened. */
static void note_extension(ShimNotify *n, const char *value) {
    uint64_t usec;

    if (parse_u64(value, &usec) >= 0)
        n->extend_usec = MAX(n->extend_usec, usec);
}

void shim_notify_take(ShimNotify *n, ShimProgress *progress, char *datagram) {
    NotifyProgress p = {.fraction = -1};

    for (const char *key, *value; fields_next(&datagram, &key, &value);)
        if (streq(key, NOTIFY_MESSAGE)) {
            note_message(n, value);
        } else if (streq(key, NOTIFY_EXTEND_TIMEOUT)) {
            note_extension(n, value);
        } else {
            note_value(n, key, value);
            note_progress(&p, key, value);
        }
    if (p.fraction >= 0 || p.has_done || p.has_total || p.unit || p.phase)
        tell_progress(n, &p, progress);
}

uint64_t shim_notify_take_extension(ShimNotify *n) {
    uint64_t usec = n->extend_usec;

    n->extend_usec = 0;
    return usec;
}

/* ---- the socket ---- */

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

void shim_notify_receive(ShimNotify *n, ShimProgress *progress) {
    char buffer[DATAGRAM_MAX + 1];

    for (int i = 0; n->fd >= 0 && i < DATAGRAMS_PER_ROUND; i++) {
        ssize_t size = receive_one(n->fd, buffer, DATAGRAM_MAX);
        if (size == -EINTR)
            continue;
        if (size < 0)
            return;
        buffer[size] = '\0';
        shim_notify_take(n, progress, buffer);
    }
}

/* ---- what is passed on ---- */

void shim_notify_retell(ShimNotify *n) {
    for (size_t i = 0; i < N_PASSED_ON; i++)
        if (n->values[i].known)
            n->values[i].pending = n->pending = true;
}

void shim_notify_add_known(const ShimNotify *n, Fields *fields) {
    for (size_t i = 0; i < N_PASSED_ON; i++)
        if (n->values[i].known)
            fields_add(fields, notify_keys[i], n->values[i].text);
}

void shim_notify_add_fields(const ShimNotify *n, Fields *fields) {
    for (size_t i = 0; i < N_PASSED_ON; i++)
        if (n->values[i].pending)
            fields_add(fields, notify_keys[i], n->values[i].text);
}

void shim_notify_sent(ShimNotify *n) {
    for (size_t i = 0; i < N_PASSED_ON; i++)
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
