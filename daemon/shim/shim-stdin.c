#include "daemon/shim/shim-stdin.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/message-queue.h"
#include "common/shim-protocol.h"

/* Bytes come in pieces of any size: however small they are, they fill up chunks of this one. */
#define CHUNK_SIZE (8 * KIB - sizeof(StdinChunk))

/* What was taken is told when it is nothing more that waits, or as much as this. */
#define TELL_BYTES (SHIM_STDIN_MAX / 4)

typedef enum ChunkType {
    CHUNK_DATA,  /* of the job: nobody counts it */
    CHUNK_LINE,  /* a message */
    CHUNK_BYTES, /* there may be room for more of them */
} ChunkType;

struct StdinChunk {
    StdinChunk *next;
    size_t size, room;
    ChunkType type;
    char bytes[];
};

/* ---- what waits ---- */

static StdinChunk *append_chunk(ShimStdin *in, ChunkType type, size_t room) {
    StdinChunk *c = malloc(sizeof(StdinChunk) + room);

    if (!c)
        return NULL;
    *c = (StdinChunk){.type = type, .room = room};
    if (in->last)
        in->last->next = c;
    else
        in->first = c;
    in->last = c;
    return c;
}

static void fill_chunk(StdinChunk *c, const char *data, size_t size) {
    memcpy(c->bytes + c->size, data, size);
    c->size += size;
}

static void drop_first(ShimStdin *in) {
    StdinChunk *c = in->first;

    in->first = c->next;
    if (!in->first)
        in->last = NULL;
    in->done = 0;
    free(c);
}

/* ---- open and close ---- */

static int begin(ShimStdin *in, const char *data, size_t size, int fd) {
    ShimStdin new = {.fd = fd, .is_open = true, .tell = true};

    if (size > 0) {
        StdinChunk *c = append_chunk(&new, CHUNK_DATA, size);
        if (!c)
            return -ENOMEM;
        fill_chunk(c, data, size);
    }
    /* What waits here now and then goes back to the system: else malloc(3) would keep it, and the
     * more of it the larger the job was. */
    (void)mallopt(M_TRIM_THRESHOLD, 64 * KIB);
    (void)mallopt(M_TOP_PAD, 16 * KIB);
    *in = new;
    return 0;
}

int shim_stdin_open(ShimStdin *in, const char *data, size_t size, int *ret_read_fd) {
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    /* Of our end alone: the command expects that its reads wait. */
    int r = fcntl(fds[1], F_SETFL, O_NONBLOCK) < 0 ? -errno : begin(in, data, size, fds[1]);
    if (r < 0) {
        close_fd(fds[0]);
        close_fd(fds[1]);
        return r;
    }
    *ret_read_fd = fds[0];
    return 0;
}

int shim_stdin_open_terminal(ShimStdin *in, const char *data, size_t size, int fd,
                             char (*end_of_input)(int fd)) {
    int r = begin(in, data, size, fd);

    if (r < 0) {
        close_fd(fd);
        return r;
    }
    in->end_of_input = end_of_input;
    return 0;
}

void shim_stdin_close(ShimStdin *in) {
    in->fd = close_fd(in->fd);
    while (in->first)
        drop_first(in);
    in->n_lines = 0;
    in->n_bytes = 0;
    in->taken = in->received;
    in->bytes_taken = in->bytes_received;
    in->tell = in->is_open;
}

int shim_stdin_open_file(const char *path) {
    /* A FIFO would be waited for, or, opened as here, have ended before its writer came. */
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;

    if (fd < 0)
        return errno == ENXIO ? -ESPIPE : -errno;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
        return -ESPIPE;
    if (fcntl(fd, F_SETFL, 0) < 0)
        return -errno;
    return TAKE_FD(fd);
}

/* ---- what comes ---- */

static bool takes_more(const ShimStdin *in) {
    return in->fd >= 0 && !in->ending;
}

static bool put_line(ShimStdin *in, const char *text) {
    size_t size = strlen(text);
    StdinChunk *c = NULL;

    if (takes_more(in) && in->n_lines < MESSAGE_QUEUE_MAX)
        c = append_chunk(in, CHUNK_LINE, size + 1);
    if (!c)
        return false;
    fill_chunk(c, text, size);
    fill_chunk(c, "\n", 1); /* one write with the text */
    in->n_lines++;
    return true;
}

void shim_stdin_put(ShimStdin *in, const char *text) {
    if (!in->is_open)
        return;
    in->received++;
    in->tell = true;
    if (!put_line(in, text))
        in->taken++;
}

/* Gives how many it has kept. */
static size_t keep_bytes(ShimStdin *in, const char *data, size_t size) {
    size_t kept = 0;

    while (kept < size) {
        StdinChunk *c = in->last;
        if (!c || c->type != CHUNK_BYTES || c->size == c->room)
            c = append_chunk(in, CHUNK_BYTES, CHUNK_SIZE);
        if (!c)
            break;
        size_t n = MIN(size - kept, c->room - c->size);
        fill_chunk(c, data + kept, n);
        kept += n;
    }
    in->n_bytes += kept;
    return kept;
}

void shim_stdin_put_bytes(ShimStdin *in, const char *data, size_t size) {
    size_t kept = 0;

    if (!in->is_open)
        return;
    if (takes_more(in) && size <= SHIM_STDIN_MAX - in->n_bytes)
        kept = keep_bytes(in, data, size);
    in->bytes_received += size;
    in->bytes_taken += size - kept;
    in->tell = true;
}

void shim_stdin_end(ShimStdin *in) {
    if (!in->is_open || in->ending)
        return;
    in->ending = true;
    in->tell = true;
}

/* ---- what goes ---- */

/* The bytes that came of one call are told in few messages. */
static void count_written(ShimStdin *in, const StdinChunk *c, size_t n) {
    in->done += n;
    in->last_byte = c->bytes[in->done - 1];
    if (c->type == CHUNK_BYTES) {
        in->bytes_taken += n;
        in->n_bytes -= n;
        in->tell |= in->n_bytes == 0 || in->bytes_taken - in->bytes_told >= TELL_BYTES;
    } else if (c->type == CHUNK_LINE && in->done == c->size) {
        in->taken++;
        in->n_lines--;
        in->tell = true;
    }
}

/* What ends the input is typed behind all else, and waits for room as that did; in the middle of a
 * line twice, for the first gives the reader what there is of it. False: nothing is to be typed. */
static bool type_end(ShimStdin *in) {
    char end = in->end_of_input ? in->end_of_input(in->fd) : '\0';
    bool line_begins = in->last_byte == '\n' || in->last_byte == '\0';
    StdinChunk *c = end ? append_chunk(in, CHUNK_DATA, 2) : NULL;

    in->end_of_input = NULL;
    if (!c)
        return false;
    fill_chunk(c, (char[]){end, end}, line_begins ? 1 : 2);
    return true;
}

/* False when it can go no further now. */
static bool write_first(ShimStdin *in) {
    StdinChunk *c = in->first;
    ssize_t n = write(in->fd, c->bytes + in->done, c->size - in->done);

    if (n < 0 && errno == EINTR)
        return true;
    if (n < 0) {
        if (errno != EAGAIN)
            shim_stdin_close(in);
        return false;
    }
    count_written(in, c, (size_t)n);
    if (in->done == c->size)
        drop_first(in);
    return true;
}

/* SIGPIPE is blocked, as all signals are. */
void shim_stdin_write(ShimStdin *in) {
    while (in->fd >= 0 && (in->first || in->ending)) {
        if (in->first && !write_first(in))
            return;
        if (!in->first && in->ending && !type_end(in))
            shim_stdin_close(in);
    }
}

short shim_stdin_events(const ShimStdin *in) {
    return in->first ? POLLOUT : 0;
}

/* ---- what is told ---- */

void shim_stdin_add_fields(ShimStdin *in, Fields *fields) {
    fields_addf(fields, SHIM_MESSAGES_RECEIVED, "%" PRIu64, in->received);
    fields_addf(fields, SHIM_MESSAGES_TAKEN, "%" PRIu64, in->taken);
    fields_addf(fields, SHIM_STDIN_RECEIVED, "%" PRIu64, in->bytes_received);
    fields_addf(fields, SHIM_STDIN_TAKEN, "%" PRIu64, in->bytes_taken);
    if (in->ending)
        fields_add(fields, SHIM_STDIN_ENDED, "1");
    if (in->fd < 0)
        fields_add(fields, SHIM_STDIN_CLOSED, "1");
    in->bytes_told = in->bytes_taken;
}
