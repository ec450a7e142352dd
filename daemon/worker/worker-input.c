#include "daemon/worker/worker-input.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"

#define READ_SIZE (64 * KIB)

/* The longest wait at once: no deadline is too far away for a time_t. */
#define WAIT_MAX_USEC USEC_PER_DAY

void worker_input_done(WorkerInput *in) {
    free(in->data);
    *in = (WorkerInput){.fd = -EBADF};
}

int worker_input_take(WorkerInput *in, size_t max, char **ret) {
    const char *end = in->size > 0 ? memchr(in->data, '\n', in->size) : NULL;

    if (!end && (in->fd >= 0 || in->size == 0))
        return -EAGAIN;
    size_t n = end ? (size_t)(end - in->data) : in->size;
    char *line = strndup(in->data, MIN(n, max));
    if (!line)
        return -ENOMEM;
    n += end != NULL;
    in->size -= n;
    memmove(in->data, in->data + n, in->size);
    *ret = line;
    return 0;
}

static void fill(WorkerInput *in) {
    if (in->room - in->size < READ_SIZE) {
        char *grown = realloc(in->data, in->size + READ_SIZE);
        if (!grown)
            return;
        in->data = grown;
        in->room = in->size + READ_SIZE;
    }
    ssize_t n = read(in->fd, in->data + in->size, in->room - in->size);
    if (n > 0)
        in->size += (size_t)n;
    else if (n == 0 || (errno != EINTR && errno != EAGAIN))
        in->fd = -EBADF;
}

void worker_input_wait(WorkerInput *in, uint64_t deadline_usec, const sigset_t *while_waiting) {
    struct pollfd p = {.fd = in->fd, .events = POLLIN};
    uint64_t now = clock_usec(CLOCK_MONOTONIC);
    uint64_t left = deadline_usec > now ? MIN(deadline_usec - now, WAIT_MAX_USEC) : 0;
    struct timespec ts = {.tv_sec = (time_t)(left / USEC_PER_SEC),
                          .tv_nsec = (long)(left % USEC_PER_SEC * NSEC_PER_USEC)};

    if (ppoll(&p, 1, &ts, while_waiting) > 0)
        fill(in);
}
