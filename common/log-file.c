#include "common/log-file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/parse.h"

/* Output of one stream within this span shares an index entry: a gigabyte at full speed needs a few
 * hundred. */
#define INDEX_RESOLUTION_USEC (10 * USEC_PER_MSEC)
/* The same for a task that prints a dot now and then, and does so for days: when the index has
 * become long beside the log. */
#define INDEX_RESOLUTION_COARSE_USEC USEC_PER_SEC
#define INDEX_FINE_SIZE (64 * KIB)
#define INDEX_FINE_SHARE 8

const char *log_stream_to_string(LogStream stream) {
    switch (stream) {
    case LOG_STREAM_UNKNOWN:
        break;
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
    *f =
        (LogFile){.dir = dir, .id = id, .max = max, .log = {.fd = -EBADF}, .index = {.fd = -EBADF}};
}

static void count(LogFile *f) {
    f->size = f->log.size;
    f->kept = f->log.size - (f->log.end - f->log.begin);
}

/* ---- the mark ---- */

/* Always of the same length, since it is written over itself. */
static int write_mark(LogFile *f) {
    char mark[LOG_MARK_SIZE + 1], buf[FORMAT_MAX];
    uint64_t begin = f->log.begin - LOG_MARK_SIZE;
    int n =
        snprintf(mark, sizeof(mark), "\n[longrun] %" PRIu64 " bytes are left out here (log-max %s)",
                 f->log.end - begin, format_size(buf, f->max));

    if (n < 0 || n >= LOG_MARK_SIZE)
        return -EOVERFLOW;
    memset(mark + n, ' ', LOG_MARK_SIZE - 1 - (size_t)n);
    mark[LOG_MARK_SIZE - 1] = '\n';
    return gap_file_overwrite(&f->log, begin, mark, LOG_MARK_SIZE);
}

/* ---- opening ---- */

static int open_one(GapFile *g, const LogFile *f, const char *ending, uint64_t max) {
    char path[4096];
    int r = log_file_path(path, sizeof(path), f->dir, f->id, ending);

    return r < 0 ? r : gap_file_open(g, path, max);
}

/* What a full disk or the loss of power leaves at the end of an index: half an entry, entries of
 * bytes that never came. All that comes after them would be misread. */
static int index_trim(GapFile *index, uint64_t log_size) {
    uint64_t size = index->size - index->size % sizeof(LogIndexEntry);
    LogIndexEntry entry;

    while (size > 0 && pread(index->fd, &entry, sizeof(entry), (off_t)(size - sizeof(entry))) ==
                           (ssize_t)sizeof(entry)) {
        if (entry.where != 0 && log_index_entry_offset(&entry) <= log_size)
            break;
        size -= sizeof(entry);
    }
    if (size == index->size)
        return 0;
    if (ftruncate(index->fd, (off_t)size) < 0)
        return -errno;
    index->size = size;
    index->end = MAX(MIN(index->end, size), index->begin);
    return 0;
}

static int open_both(LogFile *f) {
    GapFile log, index;
    int r = open_one(&log, f, ".log", f->max);

    if (r < 0)
        return r;
    r = open_one(&index, f, ".idx", MAX(MIN(f->max / 8, LOG_INDEX_MAX), LOG_INDEX_MIN));
    if (r >= 0) {
        r = index_trim(&index, log.size);
        if (r < 0)
            gap_file_close(&index);
    }
    if (r < 0) {
        gap_file_close(&log);
        return r;
    }
    f->log = log;
    f->index = index;
    count(f);
    /* Whoever made the hole may not have come to it. */
    return f->log.end > f->log.begin ? write_mark(f) : 0;
}

/* ---- the index ---- */

static uint64_t index_resolution(const LogFile *f) {
    bool fine = f->index.size <= INDEX_FINE_SIZE + f->log.size / INDEX_FINE_SHARE;

    return fine ? INDEX_RESOLUTION_USEC : INDEX_RESOLUTION_COARSE_USEC;
}

/* The entry is written before its bytes: a reader that sees bytes can always tell whose they are.
 */
static int index_mark(LogFile *f, LogStream stream, uint64_t time_usec) {
    if (f->index_full)
        return 0;
    if (f->last_stream == stream && time_usec >= f->last_time_usec &&
        time_usec - f->last_time_usec < index_resolution(f))
        return 0;

    if (gap_file_make_room(&f->index, sizeof(LogIndexEntry)) < 0) {
        /* One entry more, so that what follows is not taken for the last one's. */
        f->index_full = true;
        stream = LOG_STREAM_UNKNOWN;
    }
    LogIndexEntry entry = {.time_usec = time_usec, .where = f->log.size << 8 | (uint64_t)stream};
    int r = gap_file_write(&f->index, &entry, sizeof(entry), NULL);
    if (r < 0)
        return r;
    f->last_stream = stream;
    f->last_time_usec = time_usec;
    return 0;
}

/* ---- the log ---- */

/* The hole first: only when there is one, bytes may be written over. A reader in between sees the
 * bytes that were there before, which is no harm. */
static int make_room(LogFile *f, size_t size) {
    uint64_t end = f->log.end;
    int r = gap_file_make_room(&f->log, size);

    if (r <= 0)
        return r;
    if (end == f->log.begin)
        f->dropped += LOG_MARK_SIZE;
    f->dropped += f->log.end - end;
    r = write_mark(f);
    if (r < 0)
        f->error = r;
    return 0;
}

/* Data may be written in part, a note only as a whole (ret_written is NULL). */
static int append_raw(LogFile *f, LogStream stream, uint64_t time_usec, const void *data,
                      size_t size, size_t *ret_written) {
    int r = index_mark(f, stream, time_usec);

    if (r < 0)
        return r;
    r = gap_file_write(&f->log, data, size, ret_written);
    count(f);
    return r;
}

static void append_full_note(LogFile *f, uint64_t time_usec) {
    char note[128], buf[FORMAT_MAX];
    int n = snprintf(note, sizeof(note),
                     "\n[longrun] the log is full (log-max %s): what follows is not kept\n",
                     format_size(buf, f->max));

    f->full = true;
    int r = append_raw(f, LOG_STREAM_LONGRUN, time_usec, note, (size_t)n, NULL);
    if (r < 0)
        f->error = r;
}

/* Tells of what was lost, when there is room for that again. */
static int append_lost_note(LogFile *f, uint64_t time_usec) {
    char note[256];
    int n = snprintf(note, sizeof(note), "\n[longrun] %" PRIu64 " bytes were lost: %.128s\n",
                     f->lost, strerror(-f->error));

    int r = make_room(f, (size_t)n);
    if (r >= 0 || r == -EOPNOTSUPP) /* without holes a note may come above the cap */
        r = append_raw(f, LOG_STREAM_LONGRUN, time_usec, note, (size_t)n, NULL);
    if (r >= 0)
        f->lost = 0;
    return r;
}

/* All that fits without a hole, and the note. */
static size_t append_last(LogFile *f, LogStream stream, uint64_t time_usec, const char *data,
                          size_t size) {
    uint64_t left = f->max == 0 ? 0 : gap_file_left(&f->log);
    size_t written = 0;

    size = MIN((uint64_t)size, left);
    if (size > 0) {
        int r = append_raw(f, stream, time_usec, data, size, &written);
        if (r < 0)
            f->error = r;
    }
    append_full_note(f, time_usec);
    return written;
}

/* Gives how many of the bytes were written; where that is not all of them, and the log is not full
 * by now, *ret_error says why. */
static size_t append_pieces(LogFile *f, LogStream stream, uint64_t time_usec, const char *data,
                            size_t size, int *ret_error) {
    size_t done = 0;
    int r = f->max == 0 ? -EOPNOTSUPP : 0;

    while (done < size && r >= 0) {
        size_t piece = MIN((uint64_t)(size - done), gap_file_step(&f->log)), written = 0;
        r = make_room(f, piece);
        if (r >= 0)
            r = append_raw(f, stream, time_usec, data + done, piece, &written);
        done += written;
    }
    if (r == -EOPNOTSUPP)
        done += append_last(f, stream, time_usec, data + done, size - done);
    else if (r < 0)
        *ret_error = r;
    return done;
}

static int ready(LogFile *f, uint64_t time_usec) {
    int r = f->log.fd < 0 ? open_both(f) : 0;

    return r >= 0 && f->lost > 0 ? append_lost_note(f, time_usec) : r;
}

void log_file_append(LogFile *f, LogStream stream, uint64_t time_usec, const void *data,
                     size_t size) {
    size_t done = 0;
    int error = 0;

    if (!f->full && size > 0) {
        error = ready(f, time_usec);
        if (error >= 0)
            done = append_pieces(f, stream, time_usec, data, size, &error);
    }
    f->dropped += size - done;
    if (error < 0) {
        f->error = error;
        f->lost += size - done;
    }
}

void log_file_done(LogFile *f) {
    if (f->log.fd >= 0 && f->lost > 0)
        (void)append_lost_note(f, clock_usec(CLOCK_REALTIME));
    gap_file_close(&f->log);
    gap_file_close(&f->index);
}
