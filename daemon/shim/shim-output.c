#include "daemon/shim/shim-output.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"

/* This and the pipe stay in the cache of one core: larger is slower. */
#define READ_SIZE (128 * KIB)
#define READS_PER_ROUND 4
#define PIPE_SIZE_DEFAULT (64 * KIB) /* what the kernel gives, see pipe(7) */
#define PIPE_SIZE_LARGE (256 * KIB)
/* A read of a terminal gives no more at a time. */
#define TERMINAL_READ_MAX 4095
/* More than the kernel keeps of what is written to a terminal. */
#define TERMINAL_BUFFER_MAX (64 * KIB)

/* Static, so that a command that prints nothing does not even touch it. */
static char read_buffer[READ_SIZE];

int shim_output_open(ShimOutput *o, LogStream stream, int *ret_write_fd) {
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    /* Of our end alone: the command expects that its writes wait. */
    if (fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0) {
        int error = errno;
        close_fd(fds[0]);
        close_fd(fds[1]);
        return -error;
    }
    *o = (ShimOutput){.fd = fds[0], .stream = stream};
    *ret_write_fd = fds[1];
    return 0;
}

void shim_output_open_terminal(ShimOutput *o, int fd) {
    *o = (ShimOutput){.fd = fd, .stream = LOG_STREAM_STDOUT, .is_terminal = true};
}

void shim_output_close(ShimOutput *o) {
    o->fd = close_fd(o->fd);
}

/* Gives the number of bytes that were there, up to max; at the end of the stream closes it. */
static size_t take(ShimOutput *o, LogFile *log, ShimProgress *progress, size_t max) {
    ssize_t n = read(o->fd, read_buffer, MIN(max, sizeof(read_buffer)));

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0) {
        shim_output_close(o);
        return 0;
    }
    o->bytes += (uint64_t)n;
    log_file_append(log, o->stream, clock_usec(CLOCK_REALTIME), read_buffer, (size_t)n);
    shim_progress_feed(progress, o->stream, read_buffer, (size_t)n);
    journal_lines_feed(o->journal, o->stream, read_buffer, (size_t)n);

    /* A pipe that was full is one that the command waited for. A refusal (the user's limit on
     * memory for pipes) costs speed alone. */
    if ((size_t)n >= PIPE_SIZE_DEFAULT && !o->enlarged) {
        (void)fcntl(o->fd, F_SETPIPE_SZ, PIPE_SIZE_LARGE);
        o->enlarged = true;
    }
    return (size_t)n;
}

void shim_output_pump(ShimOutput *o, LogFile *log, ShimProgress *progress) {
    size_t whole = o->is_terminal ? TERMINAL_READ_MAX : sizeof(read_buffer);

    for (int i = 0; i < READS_PER_ROUND; i++)
        if (take(o, log, progress, sizeof(read_buffer)) < whole)
            break;
}

/* Of a terminal FIONREAD does not count what the kernel has yet to carry from one side to the
 * other; a read that finds nothing has waited for that. */
static size_t left_in(const ShimOutput *o) {
    int left;

    if (o->is_terminal)
        return TERMINAL_BUFFER_MAX;
    return ioctl(o->fd, FIONREAD, &left) >= 0 ? (size_t)left : 0;
}

void shim_output_drain(ShimOutput *o, LogFile *log, ShimProgress *progress) {
    if (o->fd < 0)
        return;
    for (size_t left = left_in(o), n; left > 0 && o->fd >= 0; left -= n) {
        n = take(o, log, progress, left);
        if (n == 0)
            break;
    }
    shim_output_close(o);
}
