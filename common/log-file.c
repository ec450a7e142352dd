#include "common/log-file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fd-io.h"
#include "common/parse.h"

/* Output of one stream within this span shares an index entry: a gigabyte at full speed needs a few
 * hundred. */
#define INDEX_RESOLUTION_USEC (10 * USEC_PER_MSEC)

const char *log_stream_to_string(LogStream stream) {
    switch (stream) {
    case LOG_STREAM_STDOUT:
        return "stdout";
    case LOG_STREAM_STDERR:
        return "stderr";
    case LOG_STREAM_LONGRUN:
        return "longrun";
    }
    return "unknown";
}

int log_file_path(char *buf, size_t size, const char *dir, uint64_t id, const char *ending) {
    int n = snprintf(buf, size, "%s/%" PRIu64 "%s", dir, id, ending);
    return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

void log_file_init(LogFile *f, const char *dir, uint64_t id, uint64_t max) {
    *f = (LogFile){.dir = dir, .id = id, .max = max, .fd = -EBADF, .index_fd = -EBADF};
}

void log_file_done(LogFile *f) {
    f->fd = close_fd(f->fd);
    f->index_fd = close_fd(f->index_fd);
}

static int open_append(const LogFile *f, const char *ending) {
    char path[4096];
    int r = log_file_path(path, sizeof(path), f->dir, f->id, ending);

    if (r < 0)
        return r;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd < 0 ? -errno : fd;
}

static int open_both(LogFile *f) {
    _cleanup_close_ int fd = open_append(f, ".log");
    struct stat st;

    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0)
        return -errno;
    int index_fd = open_append(f, ".idx");
    if (index_fd < 0)
        return index_fd;

    f->size = (uint64_t)st.st_size;
    f->fd = TAKE_FD(fd);
    f->index_fd = index_fd;
    return 0;
}

/* Takes back half an entry, which a full disk or a file size limit may leave behind: all entries
 * after it would be misread. */
static void index_cut(int fd) {
    struct stat st;

    if (fstat(fd, &st) >= 0)
        (void)!ftruncate(fd, st.st_size - st.st_size % (off_t)sizeof(LogIndexEntry));
}

/* The entry is written before its bytes: a reader that sees bytes can always tell whose they are.
 */
static int index_mark(LogFile *f, LogStream stream, uint64_t time_usec) {
    if (f->last_stream == stream && time_usec >= f->last_time_usec &&
        time_usec - f->last_time_usec < INDEX_RESOLUTION_USEC)
        return 0;

    LogIndexEntry entry = {.time_usec = time_usec, .where = f->size << 8 | (uint64_t)stream};
    int r = fd_write_full(f->index_fd, &entry, sizeof(entry));
    if (r < 0) {
        index_cut(f->index_fd);
        return r;
    }
    f->last_stream = stream;
    f->last_time_usec = time_usec;
    return 0;
}

/* Gives the number of bytes that were written; where that is not all of them, f->error says why. */
static size_t append_raw(LogFile *f, LogStream stream, uint64_t time_usec, const char *data,
                         size_t size) {
    size_t written = 0;

    int r = index_mark(f, stream, time_usec);
    if (r < 0) {
        f->error = r;
        return 0;
    }
    while (written < size) {
        ssize_t n = write(f->fd, data + written, size - written);
        if (n < 0) {
            if (errno == EINTR)
                continue;
            f->error = -errno;
            break;
        }
        f->size += (uint64_t)n;
        written += (size_t)n;
    }
    return written;
}

static void append_full_note(LogFile *f, uint64_t time_usec) {
    char note[128], buf[FORMAT_MAX];
    int n = snprintf(note, sizeof(note),
                     "\n[longrun] the log is full (log-max %s): what follows is not kept\n",
                     format_size(buf, f->max));

    (void)append_raw(f, LOG_STREAM_LONGRUN, time_usec, note, (size_t)n);
}

void log_file_append(LogFile *f, LogStream stream, uint64_t time_usec, const void *data,
                     size_t size) {
    if (f->fd < 0) {
        int r = open_both(f);
        if (r < 0) {
            f->error = r;
            f->dropped += size;
            return;
        }
    }

    size_t keep = f->size < f->max ? MIN((uint64_t)size, f->max - f->size) : 0;
    size_t kept = keep > 0 ? append_raw(f, stream, time_usec, data, keep) : 0;
    f->dropped += size - kept;
    if (keep < size && !f->full) {
        f->full = true;
        append_full_note(f, time_usec);
    }
}
