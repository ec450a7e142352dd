#include "client-cli/log-range.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

#define BLOCK LOG_SOURCE_BUFFER

static int log_size(const LogSource *s, uint64_t *ret) {
    struct stat st;

    if (fstat(s->log_fd, &st) < 0)
        return -errno;
    *ret = (uint64_t)st.st_size;
    return 0;
}

/* ---- by lines ---- */

/* What is found in a block. */
typedef struct Feeds {
    uint64_t count;
    uint64_t behind_nth; /* where the line after the wanted one of them begins */
    bool any;            /* there are bytes at all */
    bool ends_in_feed;
} Feeds;

static void count_feeds(const LogPiece *p, uint64_t nth, Feeds *f) {
    const char *at = p->data, *end = p->data + p->size;

    while (at < end && (at = memchr(at, '\n', (size_t)(end - at)))) {
        at++;
        if (++f->count == nth)
            f->behind_nth = p->offset + (uint64_t)(at - p->data);
    }
    f->any = true;
    f->ends_in_feed = end[-1] == '\n';
}

/* Looks through [begin, end) by a reader of its own. nth: of the line feeds, the one that is looked
 * for; 0 = none yet. */
static int scan(const LogSource *s, uint64_t begin, uint64_t end, uint64_t nth, Feeds *ret) {
    LogSource block = *s;
    Feeds f = {};
    LogPiece piece;
    int r;

    block.offset = begin;
    block.end = end;
    block.index = (LogIndex){};
    while ((r = log_source_read(&block, &piece)) > 0)
        if (piece.size > 0)
            count_feeds(&piece, nth, &f);
    free(block.buffer);
    if (r >= 0)
        *ret = f;
    return r;
}

/* Where a block begins that ends there. One that would lie in the gap is not read. */
static uint64_t block_before(const LogSource *s, uint64_t end) {
    uint64_t begin = end > BLOCK ? MAX(end - BLOCK, s->offset) : s->offset, gap_end;

    if (end - begin < BLOCK || lseek(s->log_fd, (off_t)begin, SEEK_DATA) < (off_t)end)
        return begin;
    if (!gap_file_has_gap(s->log_fd, s->offset, end - s->offset, 0, &gap_end))
        return begin;
    off_t hole = lseek(s->log_fd, (off_t)s->offset, SEEK_HOLE);
    return hole >= 0 && (uint64_t)hole < begin ? (uint64_t)hole : begin;
}

/* Passes over what is of other streams before the line; but a gap there is to be told of. */
static int begin_at_line(LogSource *s) {
    LogSource line = *s;
    LogPiece piece;

    if (s->streams == LOG_STREAMS_ALL)
        return 0;
    line.index = (LogIndex){};
    int r = log_source_read(&line, &piece);
    free(line.buffer);
    if (r > 0 && piece.left_out == 0)
        s->offset = piece.offset;
    return r < 0 ? r : 0;
}

int log_range_last_lines(LogSource *s, uint64_t n) {
    uint64_t size = 0, end, wanted = n;
    bool any = false;
    int r = log_size(s, &size);

    if (r < 0)
        return r;
    end = MAX(MIN(size, s->end), s->offset);
    if (n == 0)
        s->offset = end;
    while (n > 0 && end > s->offset) {
        uint64_t begin = block_before(s, end);
        Feeds feeds;
        r = scan(s, begin, end, 0, &feeds);
        if (r < 0)
            return r;
        /* The last line feed of all ends the last line. */
        if (feeds.any && !any && feeds.ends_in_feed && wanted < UINT64_MAX)
            wanted++;
        any |= feeds.any;
        if (feeds.count >= wanted) {
            r = scan(s, begin, end, feeds.count - wanted + 1, &feeds);
            if (r < 0)
                return r;
            /* unless it has been left out by now */
            s->offset = feeds.behind_nth > 0 ? feeds.behind_nth : begin;
            return begin_at_line(s);
        }
        wanted -= feeds.count;
        end = begin;
    }
    /* One more: that many there are, and no line feed before the first of them. */
    return any && wanted == 1 ? begin_at_line(s) : 0;
}

/* ---- by time ---- */

int log_range_since(LogSource *s, uint64_t time_usec, uint64_t *ret_unknown) {
    uint64_t size = 0, offset, unknown = 0;
    /* The size comes first: what comes later has come since, and the index may not have it yet. */
    int r = log_size(s, &size);

    if (r < 0)
        return r;
    r = log_index_find_time(s->index_fd, time_usec, &offset, &unknown);
    if (r == -ENOENT)
        offset = size;
    else if (r < 0)
        return r;
    if (offset - unknown > s->offset)
        s->offset = MIN(offset - unknown, s->end);
    else
        unknown = offset > s->offset ? offset - s->offset : 0;
    *ret_unknown = MIN(unknown, s->end - s->offset);
    return 0;
}
