#include "client-cli/log-source.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cleanup.h"

#define MARK_BEGINNING "\n[longrun] "

/* Of whole pages: the kernel copies into others at a fraction of the speed. */
#define BUFFER_ALIGNMENT (4 * KIB)

/* Less than that is read sooner than it is passed over. */
#define SKIP_MIN LOG_SOURCE_BUFFER

static bool is_wanted(const LogSource *s, LogStream stream) {
    return (s->streams & LOG_STREAM_BIT(stream)) != 0;
}

static LogStream stream_of(const LogIndexEntry *e) {
    LogStream stream = log_index_entry_stream(e);

    return stream > LOG_STREAM_LONGRUN ? LOG_STREAM_UNKNOWN : stream;
}

/* Goes on behind what is of other streams, without reading it. The line at the gap may be among it,
 * which is not in the index: so up to the gap all is read. */
static void skip_unwanted(LogSource *s) {
    uint64_t gap_end;

    while (s->index_fd >= 0 && s->streams != LOG_STREAMS_ALL && s->offset < s->end) {
        uint64_t run_end = log_index_seek(&s->index, s->index_fd, s->offset);
        if (is_wanted(s, stream_of(&s->index.run)) || run_end == UINT64_MAX ||
            run_end - s->offset < SKIP_MIN ||
            gap_file_has_gap(s->log_fd, s->offset, run_end - s->offset, LOG_MARK_SIZE, &gap_end))
            return;
        s->offset = MIN(run_end, s->end);
    }
}

/* When the gap has only just been made, what was read may still be what stood there before. */
static bool is_mark(const LogSource *s, uint64_t mark, uint64_t offset, size_t size) {
    size_t n = strlen(MARK_BEGINNING);
    char beginning[sizeof(MARK_BEGINNING)];

    if (offset == mark)
        return size >= n && memcmp(s->buffer, MARK_BEGINNING, n) == 0;
    return pread(s->log_fd, beginning, n, (off_t)mark) == (ssize_t)n &&
           memcmp(beginning, MARK_BEGINNING, n) == 0;
}

/* The line at the gap is not the stream's that the index names: it is made a piece of its own.
 * Gives how many of the bytes are before it, or within. */
static size_t set_mark_apart(LogSource *s, uint64_t offset, size_t size) {
    uint64_t gap_end;

    s->in_mark = false;
    if (!gap_file_has_gap(s->log_fd, offset, size, LOG_MARK_SIZE, &gap_end))
        return size;
    off_t hole = lseek(s->log_fd, (off_t)offset, SEEK_HOLE);
    if (hole < LOG_MARK_SIZE)
        return size;
    uint64_t mark = (uint64_t)hole - LOG_MARK_SIZE;
    if (offset < mark)
        return (size_t)MIN(mark - offset, (uint64_t)size);
    s->in_mark = is_mark(s, mark, offset, size);
    return size;
}

/* What is left out of the log is said in the log, just before the hole. Who comes upon the hole
 * elsewhere has been overtaken by the task, or begins there, and must be told. */
static void note_gap(LogSource *s, uint64_t from, uint64_t to) {
    s->left_out += to - from;
    s->left_out_told = from > 0 && lseek(s->log_fd, (off_t)from - 1, SEEK_HOLE) == (off_t)from;
}

static int fill(LogSource *s) {
    if (!s->buffer)
        s->buffer = aligned_alloc(BUFFER_ALIGNMENT, LOG_SOURCE_BUFFER);
    if (!s->buffer)
        return -ENOMEM;
    s->at = s->size = 0;
    skip_unwanted(s);
    if (s->offset >= s->end)
        return 0;

    uint64_t at = s->offset;
    ssize_t n = gap_file_read(s->log_fd, &at, s->buffer,
                              (size_t)MIN((uint64_t)LOG_SOURCE_BUFFER, s->end - s->offset));
    if (n < 0)
        return (int)n;
    if (at != s->offset)
        note_gap(s, s->offset, MIN(at, s->end));
    s->offset = at;
    if (at >= s->end)
        return 0;
    n = (ssize_t)MIN((uint64_t)n, s->end - at);
    s->size = s->index_fd >= 0 && n > 0 ? set_mark_apart(s, at, (size_t)n) : (size_t)n;
    return 0;
}

/* Gives of the bytes in the buffer those that the same holds for. */
static void cut(LogSource *s, LogPiece *ret) {
    size_t left = s->size - s->at;

    *ret = (LogPiece){.data = s->buffer + s->at, .size = left, .offset = s->offset};
    if (s->index_fd >= 0 && left > 0) {
        uint64_t run_end = log_index_seek(&s->index, s->index_fd, s->offset);
        ret->stream = s->in_mark ? LOG_STREAM_LONGRUN : stream_of(&s->index.run);
        ret->time_usec = s->index.run.time_usec;
        if (!s->in_mark)
            ret->size = (size_t)MIN(run_end - s->offset, (uint64_t)left);
    }
    s->at += ret->size;
    s->offset += ret->size;
}

int log_source_read(LogSource *s, LogPiece *ret) {
    LogPiece piece;

    do {
        if (s->at == s->size) {
            int r = fill(s);
            if (r < 0)
                return r;
        }
        if (s->size == 0 && s->left_out == 0)
            return 0;
        cut(s, &piece);
        if (piece.size == 0) /* a gap, and nothing behind it */
            break;
    } while (!is_wanted(s, piece.stream));
    piece.left_out = s->left_out;
    piece.left_out_told = s->left_out_told;
    s->left_out = 0;
    *ret = piece;
    return 1;
}

void log_source_done(LogSource *s) {
    s->log_fd = close_fd(s->log_fd);
    s->index_fd = close_fd(s->index_fd);
    free(s->buffer);
    s->buffer = NULL;
    s->at = s->size = 0;
}
