#include "daemon/shim/shim-stdin.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/shim-protocol.h"

int shim_stdin_open(ShimStdin *in, const char *data, size_t size, int *ret_read_fd) {
    _cleanup_free_ char *copy = NULL;
    int fds[2];

    if (size > 0) {
        copy = malloc(size);
        if (!copy)
            return -ENOMEM;
        memcpy(copy, data, size);
    }
    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    /* Of our end alone: the command expects that its reads wait. */
    if (fcntl(fds[1], F_SETFL, O_NONBLOCK) < 0) {
        int error = errno;
        close_fd(fds[0]);
        close_fd(fds[1]);
        return -error;
    }
    *in = (ShimStdin){
        .fd = fds[1], .data = TAKE_PTR(copy), .size = size, .is_open = true, .tell = true};
    *ret_read_fd = fds[0];
    return 0;
}

int shim_stdin_open_terminal(ShimStdin *in, const char *data, size_t size, int fd) {
    char *copy = NULL;

    if (size > 0) {
        copy = malloc(size);
        if (!copy) {
            close_fd(fd);
            return -ENOMEM;
        }
        memcpy(copy, data, size);
    }
    *in = (ShimStdin){.fd = fd, .data = copy, .size = size, .is_open = true, .tell = true};
    return 0;
}

void shim_stdin_close(ShimStdin *in) {
    in->fd = close_fd(in->fd);
    free(TAKE_PTR(in->data));
    message_queue_clear(&in->waiting);
    in->taken = in->received;
    in->tell = in->is_open;
}

void shim_stdin_put(ShimStdin *in, const char *text) {
    if (!in->is_open)
        return;
    in->received++;
    in->tell = true;
    if (in->fd < 0 || message_queue_put(&in->waiting, text) < 0)
        in->taken++;
}

/* Gives what comes first, without what of it has been written; 0 bytes when there is nothing. The
 * line feed goes where the NUL is: it is one write with the text, and the text is not needed
 * again. */
static size_t first_bytes(ShimStdin *in, const char **ret) {
    Message *m = in->waiting.first;

    if (in->data) {
        *ret = in->data + in->done;
        return in->size - in->done;
    }
    if (!m)
        return 0;
    m->text[m->size] = '\n';
    *ret = m->text + in->done;
    return m->size + 1 - in->done;
}

static void first_is_written(ShimStdin *in) {
    in->done = 0;
    if (in->data) {
        free(TAKE_PTR(in->data));
        return;
    }
    free(message_queue_take(&in->waiting));
    in->taken++;
    in->tell = true;
}

/* SIGPIPE is blocked, as all signals are. */
void shim_stdin_write(ShimStdin *in) {
    const char *bytes;

    for (size_t left; in->fd >= 0 && (left = first_bytes(in, &bytes)) > 0;) {
        ssize_t n = write(in->fd, bytes, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0) {
            shim_stdin_close(in);
            return;
        }
        in->done += (size_t)n;
        if ((size_t)n == left)
            first_is_written(in);
    }
}

short shim_stdin_events(const ShimStdin *in) {
    return in->data || in->waiting.first ? POLLOUT : 0;
}

void shim_stdin_add_fields(const ShimStdin *in, Fields *fields) {
    fields_addf(fields, SHIM_MESSAGES_RECEIVED, "%" PRIu64, in->received);
    fields_addf(fields, SHIM_MESSAGES_TAKEN, "%" PRIu64, in->taken);
    if (in->fd < 0)
        fields_add(fields, SHIM_STDIN_CLOSED, "1");
}
