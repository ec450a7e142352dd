#include "client-gtk/log/log-scan.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/gap-file.h"

#define CUT LOG_SCAN_CUT
#define PIECE (256 * 1024)
/* The room for what is left of the pieces before: a row that has not ended, and a half more. */
#define REST (2 * LOG_SCAN_ROW_MAX)
#define BUFFER (PIECE + REST)

/* A character that was cut in two needs so much of the next row. */
#define CHARACTER_REST 3u

/* The beginning of a line that is written over and over is not looked for beyond. */
#define BACK_MAX (16 * 1024 * 1024)
/* A file with more holes is none of ours. */
#define HOLES_MAX 65536

void log_scan_init(LogScan *s, int fd, guint64 row, guint64 from) {
    *s = (LogScan){.fd = fd, .offset = MAX(row, from), .row = row};
    s->buffer = g_malloc(BUFFER);
}

void log_scan_done(LogScan *s) {
    g_clear_pointer(&s->buffer, g_free);
}

/* ---- cuts ---- */

static guint64 align_up(guint64 offset) {
    return (offset + CUT - 1) / CUT * CUT;
}

/* The first cut in the line's bytes that are at hand, as a size; 0: none. */
static gsize find_cut(const LogScan *s, gsize line) {
    guint64 looked = s->looked > 2 * CUT ? s->looked - 2 * CUT : 0, last = s->offset + line;
    gsize size = s->size - s->at;

    for (guint64 cut = align_up(MAX(s->row, s->offset + looked)) + CUT; cut <= last; cut += CUT)
        if (cut - s->offset + CHARACTER_REST <= size &&
            !memchr(s->buffer + s->at + (cut - s->offset) - CUT, '\r', CUT))
            return (gsize)(cut - s->offset);
    return 0;
}

static gsize count_continuation(const char *data, gsize size) {
    gsize n = 0;

    while (n < MIN(size, CHARACTER_REST) && ((unsigned char)data[n] & 0xc0) == 0x80)
        n++;
    return n;
}

/* ---- rows ---- */

/* A character that a cut goes through is part of the row before. */
static void give(LogScan *s, gsize size, gboolean is_cut, LogRow *ret) {
    const char *data = s->buffer + s->at;
    gsize skip = s->cut ? count_continuation(data, size) : 0,
          more = is_cut ? count_continuation(data + size, s->size - s->at - size) : 0;

    *ret = (LogRow){
        .offset = s->row,
        .data = data + skip,
        .size = size + more - skip,
        .continued = s->cut,
        .from = s->offset + skip,
    };
}

static void step(LogScan *s, gsize size, gboolean is_cut) {
    s->at += size;
    s->offset += size;
    s->row = s->offset;
    s->looked = 0;
    s->cut = is_cut;
}

static gboolean take_row(LogScan *s, LogRow *ret) {
    const char *data = s->buffer + s->at;
    gsize size = s->size - s->at;
    const char *feed = memchr(data + s->looked, '\n', size - s->looked);
    gsize line = feed ? (gsize)(feed - data) : size, cut = line >= CUT ? find_cut(s, line) : 0;

    if (cut > 0) {
        give(s, cut, TRUE, ret);
        step(s, cut, TRUE);
    } else if (feed) {
        give(s, line, FALSE, ret);
        step(s, line + 1, FALSE);
    } else {
        s->looked = size;
        return FALSE;
    }
    ret->end = s->offset;
    return TRUE;
}

/* Of a line that is written over and over, what was written over is dropped. */
static void trim(LogScan *s) {
    gsize size = s->size - s->at;

    if (size <= REST - CUT)
        return;
    const char *data = s->buffer + s->at, *from = data + size - LOG_SCAN_ROW_MAX,
               *back = memchr(from, '\r', LOG_SCAN_ROW_MAX);
    gsize drop = (gsize)((back ? back : from) - data);
    s->at += drop;
    s->offset += drop;
    s->looked -= MIN(s->looked, drop);
}

/* 1 when there is more in the buffer than before. */
static int fill(LogScan *s) {
    trim(s);
    memmove(s->buffer, s->buffer + s->at, s->size - s->at);
    s->size -= s->at;
    s->at = 0;
    guint64 next = s->offset + s->size, at = next;
    gssize n = gap_file_read(s->fd, &at, s->buffer + s->size, PIECE);
    s->at_end = n == 0;
    if (n <= 0)
        return (int)n;
    if (at == next) {
        s->size += (gsize)n;
        return 1;
    }
    /* The rest of the row is not there any more. It is taken up as a row of its own, read again. */
    s->left_out += at - next;
    if (s->size > 0)
        return 2;
    s->size = (gsize)n;
    s->offset = s->row = at;
    s->cut = FALSE;
    s->looked = 0;
    return 1;
}

int log_scan_next(LogScan *s, LogRow *ret) {
    while (!take_row(s, ret)) {
        int r = fill(s);
        if (r <= 0)
            return r;
        if (r == 2) {
            give(s, s->size, FALSE, ret);
            step(s, s->size, FALSE);
            ret->end = s->row = s->offset = log_scan_data_at(s->fd, s->offset);
            return 1;
        }
    }
    return 1;
}

gboolean log_scan_open_row(LogScan *s, LogRow *ret) {
    gsize size = s->size - s->at;

    if (size == 0)
        return FALSE;
    give(s, size, FALSE, ret);
    ret->end = s->offset + size;
    return TRUE;
}

/* ---- where rows begin ---- */

guint64 log_scan_data_at(int fd, guint64 offset) {
    off_t data = lseek(fd, (off_t)offset, SEEK_DATA);

    return data < 0 ? offset : (guint64)data;
}

guint64 log_scan_data_before(int fd, guint64 offset) {
    guint64 at = 0;

    if (offset == 0)
        return 0;
    off_t data = lseek(fd, (off_t)offset - 1, SEEK_DATA);
    if (data == (off_t)offset - 1 || (data < 0 && errno != ENXIO))
        return offset;
    for (guint i = 0; i < HOLES_MAX; i++) {
        off_t hole = lseek(fd, (off_t)at, SEEK_HOLE);
        if (hole < 0 || (guint64)hole >= offset)
            return offset;
        data = lseek(fd, hole, SEEK_DATA);
        if (data < 0 || (guint64)data >= offset)
            return (guint64)hole;
        at = (guint64)data;
    }
    return offset;
}

static gssize find_last(const char *data, gsize size, char c) {
    const char *at = memrchr(data, c, size);

    return at ? at - data : -1;
}

/* 1, 0 when not all of the bytes are there, or -errno. */
static int read_block(int fd, guint64 begin, char *block, gsize size) {
    guint64 at = begin;
    gssize n = gap_file_read(fd, &at, block, size);

    if (n < 0)
        return (int)n;
    return at == begin && (gsize)n == size ? 1 : 0;
}

int log_scan_row_at(int fd, guint64 offset, guint64 *ret) {
    char block[CUT];
    guint64 end = offset, limit = offset > BACK_MAX ? offset - BACK_MAX : 0;

    /* Each round, [end, offset) has no line feed. */
    while (end > limit) {
        guint64 begin = (end - 1) / CUT * CUT;
        int r = read_block(fd, begin, block, (gsize)(end - begin));
        if (r < 0)
            return r;
        if (r == 0) { /* the gap is in between */
            *ret = MIN(log_scan_data_at(fd, begin), end);
            return 0;
        }
        gssize feed = find_last(block, (gsize)(end - begin), '\n');
        if (feed >= 0) {
            *ret = begin + (guint64)feed + 1;
            return 0;
        }
        if (end - begin == CUT && find_last(block, CUT, '\r') < 0) {
            *ret = end;
            return 0;
        }
        end = begin;
    }
    *ret = end;
    return 0;
}
