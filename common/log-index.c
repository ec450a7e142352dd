#include "common/log-index.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENTRY_SIZE ((uint64_t)sizeof(LogIndexEntry))
/* So much is read rather than searched. */
#define FAR_AHEAD (16 * KIB)
/* Of a search that the writer overtakes. */
#define FIND_TRIES 16

/* NULs stand for what has been left out. */
static bool is_entry(const LogIndexEntry *e) {
    return e->where != 0;
}

/* Gives an entry, zeroed where there is none. */
static LogIndexEntry entry_at(int fd, uint64_t position) {
    LogIndexEntry e;

    if (pread(fd, &e, sizeof(e), (off_t)position) != (ssize_t)sizeof(e))
        return (LogIndexEntry){};
    return e;
}

/* The first position in [low, high) whose entry begins behind the offset. What has just been left
 * out lies before it. */
static uint64_t search(int fd, uint64_t low, uint64_t high, uint64_t offset) {
    while (low < high) {
        uint64_t middle = low + (high - low) / ENTRY_SIZE / 2 * ENTRY_SIZE;
        LogIndexEntry e = entry_at(fd, middle);
        if (!is_entry(&e) || log_index_entry_offset(&e) <= offset)
            low = middle + ENTRY_SIZE;
        else
            high = middle;
    }
    return low;
}

/* Goes to the entry that holds the offset, or to where it would be. */
static void jump(LogIndex *i, int fd, uint64_t offset, uint64_t size) {
    uint64_t gap_end;
    bool gap = gap_file_has_gap(fd, 0, size, 0, &gap_end);
    LogIndexEntry first = gap ? entry_at(fd, gap_end) : (LogIndexEntry){};
    bool in_tail = gap && log_index_entry_offset(&first) <= offset;
    uint64_t low = 0, high = size;

    if (in_tail)
        low = gap_end;
    else if (gap)
        high = (uint64_t)lseek(fd, 0, SEEK_HOLE);
    uint64_t behind = search(fd, low, high, offset);
    i->run = behind > low ? entry_at(fd, behind - ENTRY_SIZE) : (LogIndexEntry){};
    i->next = (LogIndexEntry){};
    i->at = i->count = 0;
    i->position = behind;
    if (gap && !in_tail && behind == high) {
        /* The last entry before the gap does not tell how far it reaches. */
        i->run.where = LOG_STREAM_UNKNOWN;
        i->position = gap_end;
    }
}

static bool fill(LogIndex *i, int fd) {
    ssize_t n = pread(fd, i->buffer, sizeof(i->buffer), (off_t)i->position);

    i->at = 0;
    i->count = n > 0 ? (size_t)n / sizeof(LogIndexEntry) : 0;
    i->position += i->count * ENTRY_SIZE;
    return i->count > 0;
}

static uint64_t file_size(int fd) {
    struct stat st;

    return fstat(fd, &st) < 0 ? 0 : (uint64_t)st.st_size / ENTRY_SIZE * ENTRY_SIZE;
}

uint64_t log_index_seek(LogIndex *i, int fd, uint64_t offset) {
    for (bool jumped = false;;) {
        if (!is_entry(&i->next)) {
            if (i->at == i->count) {
                uint64_t size = file_size(fd);
                if (!jumped && size > i->position + FAR_AHEAD) {
                    jump(i, fd, offset, size);
                    jumped = true;
                }
                if (!fill(i, fd))
                    return UINT64_MAX;
            }
            i->next = i->buffer[i->at++];
            if (!is_entry(&i->next)) {
                /* The writer has overtaken us. */
                jump(i, fd, offset, file_size(fd));
                jumped = true;
                continue;
            }
        }
        if (log_index_entry_offset(&i->next) > offset)
            return log_index_entry_offset(&i->next);
        i->run = i->next;
        i->next = (LogIndexEntry){};
    }
}

/* ---- by time ---- */

/* The first position in [low, high) whose entry is of the time or later. */
static uint64_t search_time(int fd, uint64_t low, uint64_t high, uint64_t time_usec) {
    while (low < high) {
        uint64_t middle = low + (high - low) / ENTRY_SIZE / 2 * ENTRY_SIZE;
        LogIndexEntry e = entry_at(fd, middle);
        if (!is_entry(&e) || e.time_usec < time_usec)
            low = middle + ENTRY_SIZE;
        else
            high = middle;
    }
    return low;
}

/* -EAGAIN: the writer has just left out what was found. */
static int find_time(int fd, uint64_t time_usec, uint64_t *ret_offset, uint64_t *ret_unknown) {
    uint64_t size = file_size(fd), head = size, gap_end = size, unknown = 0;

    if (gap_file_has_gap(fd, 0, size, 0, &gap_end)) {
        off_t hole = lseek(fd, 0, SEEK_HOLE);
        if (hole < 0)
            return -errno;
        head = (uint64_t)hole;
    }
    uint64_t at = search_time(fd, 0, head, time_usec);
    if (at == head && head < size)
        at = search_time(fd, gap_end, size, time_usec);
    if (at >= size)
        return -ENOENT;
    LogIndexEntry e = entry_at(fd, at);
    if (!is_entry(&e))
        return -EAGAIN;
    /* It is the first one behind the gap: what lies in there may have come since, too. */
    if (head < size && at == gap_end) {
        LogIndexEntry last = entry_at(fd, head - ENTRY_SIZE);
        unknown = log_index_entry_offset(&e) - log_index_entry_offset(&last);
    }
    *ret_offset = log_index_entry_offset(&e);
    *ret_unknown = unknown;
    return 0;
}

int log_index_find_time(int fd, uint64_t time_usec, uint64_t *ret_offset, uint64_t *ret_unknown) {
    int r = -EAGAIN;

    for (int i = 0; i < FIND_TRIES && r == -EAGAIN; i++)
        r = find_time(fd, time_usec, ret_offset, ret_unknown);
    return r == -EAGAIN ? -ENOENT : r;
}
