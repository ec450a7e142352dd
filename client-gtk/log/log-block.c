#include "client-gtk/log/log-block.h"

#include <errno.h>
#include <sys/stat.h>

static LogBlock *new_block(guint64 begin) {
    LogBlock *b = g_new0(LogBlock, 1);

    b->begin = begin;
    b->text = g_string_new(NULL);
    b->rows = g_array_new(FALSE, FALSE, sizeof(LogBlockRow));
    b->runs = g_array_new(FALSE, FALSE, sizeof(LogRun));
    return b;
}

void log_block_free(LogBlock *b) {
    if (!b)
        return;
    g_string_free(b->text, TRUE);
    g_array_unref(b->rows);
    g_array_unref(b->runs);
    g_free(b);
}

static int look_at_file(const LogFiles *f, LogBlock *b) {
    struct stat st;

    if (fstat(f->log, &st) < 0)
        return -errno;
    b->size = (guint64)st.st_size;
    b->removed = st.st_nlink == 0;
    return 0;
}

/* ---- rows ---- */

typedef struct Reading {
    const LogFiles *files;
    LogBlock *block;
    LogScan scan;
    LogDecoder decoder;
    LogIndex index;
} Reading;

static void begin_reading(Reading *r, const LogFiles *f, LogBlock *b, const LogPlace *place) {
    *r = (Reading){.files = f, .block = b};
    log_scan_init(&r->scan, f->log, place->row, place->from);
    log_decoder_init(&r->decoder);
    r->decoder.style = place->style;
    b->end = *place;
}

static void end_reading(Reading *r) {
    log_scan_done(&r->scan);
    log_decoder_done(&r->decoder);
}

static LogStream stream_at(Reading *r, guint64 offset) {
    if (r->files->index < 0)
        return LOG_STREAM_UNKNOWN;
    log_index_seek(&r->index, r->files->index, offset);
    return log_index_entry_stream(&r->index.run);
}

static void add_row(Reading *r, const LogRow *row) {
    LogBlock *b = r->block;
    LogBlockRow mine = {
        .offset = row->offset,
        .text = b->characters,
        .style = r->decoder.style,
        .stream = stream_at(r, row->offset),
    };
    guint runs = b->runs->len;

    guint n = log_decoder_row(&r->decoder, row->data, row->size, row->continued, b->text, b->runs);
    for (guint i = runs; i < b->runs->len; i++) {
        g_array_index(b->runs, LogRun, i).begin += b->characters;
        g_array_index(b->runs, LogRun, i).end += b->characters;
    }
    g_string_append_c(b->text, '\n');
    b->characters += n + 1;
    g_array_append_val(b->rows, mine);
}

static void add_open_row(Reading *r) {
    LogRow row;

    if (!log_scan_open_row(&r->scan, &row))
        return;
    r->block->end.from = row.from;
    r->block->open = TRUE;
    add_row(r, &row);
}

/* Goes on until one begins at the limit or behind. */
static int read_rows(Reading *r, guint rows, gsize bytes, guint64 limit) {
    LogRow row;
    int n = 1;

    while (r->block->rows->len < rows && r->block->text->len < bytes) {
        if (r->block->end.row >= limit)
            return 0;
        n = log_scan_next(&r->scan, &row);
        if (n <= 0)
            break;
        add_row(r, &row);
        r->block->end = (LogPlace){.row = row.end, .style = r->decoder.style};
    }
    if (n == 0 && limit == G_MAXUINT64)
        add_open_row(r);
    return n < 0 ? n : 0;
}

/* ---- blocks ---- */

static int read_from(const LogFiles *f, const LogPlace *place, guint rows, gsize bytes,
                     guint64 limit, LogBlock **ret) {
    g_autoptr(LogBlock) b = new_block(place->row);
    Reading reading;

    int r = look_at_file(f, b);
    if (r < 0)
        return r;
    begin_reading(&reading, f, b, place);
    r = read_rows(&reading, rows, bytes, limit);
    end_reading(&reading);
    if (r < 0)
        return r;
    *ret = g_steal_pointer(&b);
    return 0;
}

int log_block_read_after(const LogFiles *f, const LogPlace *place, guint rows, gsize bytes,
                         LogBlock **ret) {
    return read_from(f, place, rows, bytes, G_MAXUINT64, ret);
}

/* Finds where the last so many rows before the end begin, at most so many bytes before it. */
static int find_begin(const LogFiles *f, guint64 end, guint rows, gsize bytes, guint64 *ret) {
    g_autofree guint64 *ring = g_new(guint64, rows);
    guint64 begin;
    LogScan scan;
    LogRow row;
    guint64 most = bytes;
    guint n = 0;

    int r = log_scan_row_at(f->log, end > most ? end - most : 0, &begin);
    if (r < 0)
        return r;
    begin = log_scan_data_at(f->log, begin);
    log_scan_init(&scan, f->log, begin, 0);
    while ((r = log_scan_next(&scan, &row)) > 0 && row.offset < end)
        ring[n++ % rows] = row.offset;
    log_scan_done(&scan);
    *ret = n >= rows ? ring[n % rows] : begin;
    return r < 0 ? r : 0;
}

static int file_size(const LogFiles *f, guint64 *ret) {
    struct stat st;

    if (fstat(f->log, &st) < 0)
        return -errno;
    *ret = (guint64)st.st_size;
    return 0;
}

int log_block_read_before(const LogFiles *f, guint64 offset, guint rows, gsize bytes,
                          LogBlock **ret) {
    gboolean to_end = offset == G_MAXUINT64;
    LogPlace place = {};
    guint64 end = offset;

    int r = to_end ? file_size(f, &end) : 0;
    if (r < 0)
        return r;
    end = log_scan_data_before(f->log, end);
    r = find_begin(f, end, rows, bytes, &place.row);
    if (r < 0)
        return r;
    return read_from(f, &place, to_end ? rows + 1 : G_MAXUINT, G_MAXSIZE,
                     to_end ? G_MAXUINT64 : end, ret);
}

int log_block_read_around(const LogFiles *f, guint64 offset, guint rows, gsize bytes,
                          LogBlock **ret) {
    LogPlace place = {};
    guint64 row;

    int r = log_scan_row_at(f->log, offset, &row);
    if (r < 0)
        return r;
    r = find_begin(f, log_scan_data_before(f->log, row), MAX(rows / 2, 1u), bytes / 2, &place.row);
    if (r < 0)
        return r;
    return read_from(f, &place, rows, bytes, G_MAXUINT64, ret);
}
