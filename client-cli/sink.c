#include "client-cli/sink.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

static int wait_for(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    return poll(&p, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

static int write_all(int fd, const char *data, size_t size) {
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n >= 0) {
            data += n;
            size -= (size_t)n;
        } else if (errno == EAGAIN) {
            int r = wait_for(fd);
            if (r < 0)
                return r;
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

int sink_flush(Sink *s) {
    size_t size = s->size;

    s->size = 0;
    return write_all(s->fd, s->data, size);
}

int sink_put(Sink *s, const char *data, size_t size) {
    if (size > SINK_BUFFER - s->size) {
        int r = sink_flush(s);
        if (r < 0)
            return r;
    }
    if (size >= SINK_BUFFER / 2 && s->size == 0)
        return write_all(s->fd, data, size);
    if (!s->data)
        s->data = malloc(SINK_BUFFER);
    if (!s->data)
        return -ENOMEM;
    memcpy(s->data + s->size, data, size);
    s->size += size;
    return 0;
}

void sink_done(Sink *s) {
    free(s->data);
    s->data = NULL;
    s->size = 0;
}
