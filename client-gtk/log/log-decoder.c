#include "client-gtk/log/log-decoder.h"

#include <string.h>

#include "common/text.h"

typedef struct Cell {
    gunichar c;
    LogStyle style;
} Cell;

#define REPLACEMENT 0xfffd
/* Of characters that a text buffer takes for the end of a paragraph, or for a widget. */
#define PARAGRAPH_SEPARATOR 0x2029
#define OBJECT 0xfffc

void log_decoder_init(LogDecoder *d) {
    *d = (LogDecoder){.cells = g_array_new(FALSE, FALSE, sizeof(Cell))};
}

void log_decoder_done(LogDecoder *d) {
    g_clear_pointer(&d->cells, g_array_unref);
}

/* ---- cells ---- */

static void put(LogDecoder *d, gunichar c) {
    static const Cell blank = {.c = ' '};
    Cell cell = {.c = c, .style = d->style};

    if (d->column >= LOG_COLUMNS_MAX)
        return;
    while (d->cells->len < d->column)
        g_array_append_val(d->cells, blank);
    if (d->column < d->cells->len)
        g_array_index(d->cells, Cell, d->column) = cell;
    else
        g_array_append_val(d->cells, cell);
    d->column++;
}

/* EL: from here on, up to here, or all. */
static void erase(LogDecoder *d, guint what) {
    if (what == 0 && d->column < d->cells->len)
        g_array_set_size(d->cells, d->column);
    else if (what == 1)
        for (guint i = 0; i < d->cells->len && i <= d->column; i++)
            g_array_index(d->cells, Cell, i) = (Cell){.c = ' '};
    else if (what == 2)
        g_array_set_size(d->cells, 0);
}

/* ---- sequences ---- */

/* The number of one with at most one number; FALSE for others. */
static gboolean read_number(const EscapeParser *p, guint missing, guint *ret) {
    guint value = 0;

    if (p->size == 3) {
        *ret = missing;
        return TRUE;
    }
    for (gsize i = 2; i + 1 < p->size; i++) {
        if (p->bytes[i] < '0' || p->bytes[i] > '9')
            return FALSE;
        value = MIN(value * 10 + (guint)(p->bytes[i] - '0'), LOG_COLUMNS_MAX);
    }
    *ret = value;
    return TRUE;
}

static void move_to(LogDecoder *d, guint column) {
    d->column = MIN(column, LOG_COLUMNS_MAX);
}

static void obey(LogDecoder *d) {
    const EscapeParser *p = &d->parser;
    guint n;

    if (p->kind != ESCAPE_CSI || p->overlong)
        return;
    switch (p->bytes[p->size - 1]) {
    case 'm':
        log_style_apply(&d->style, p->bytes, p->size);
        break;
    case 'K':
        if (read_number(p, 0, &n))
            erase(d, n);
        break;
    case 'C':
        if (read_number(p, 1, &n))
            move_to(d, d->column + n);
        break;
    case 'D':
        if (read_number(p, 1, &n))
            move_to(d, d->column - MIN(n, d->column));
        break;
    case 'G':
        if (read_number(p, 1, &n) && n > 0)
            move_to(d, n - 1);
        break;
    }
}

/* ---- text ---- */

/* Gives the bytes of the character, at least 1. */
static gsize put_character(LogDecoder *d, const char *at, gsize size) {
    gsize n = utf8_size(at, size);
    gunichar c = n > 0 ? g_utf8_get_char(at) : REPLACEMENT;

    if (c >= 0xa0) /* those of C1 are control characters */
        put(d, c == PARAGRAPH_SEPARATOR || c == OBJECT ? REPLACEMENT : c);
    return n > 0 ? n : 1;
}

static void put_control(LogDecoder *d, char c) {
    if (c == '\r')
        d->column = 0;
    else if (c == '\b' && d->column > 0)
        d->column--;
    else if (c == '\t')
        put(d, '\t');
}

static void feed(LogDecoder *d, const char *data, gsize size) {
    for (gsize i = 0, n; i < size; i += n) {
        unsigned char c = (unsigned char)data[i];
        n = 1;
        EscapeStep step = escape_feed(&d->parser, data[i]);
        if (step == ESCAPE_END)
            obey(d);
        if (step == ESCAPE_END || step == ESCAPE_INSIDE)
            continue;
        if (c < 0x20 || c == 0x7f)
            put_control(d, data[i]);
        else if (c < 0x80)
            put(d, c);
        else
            n = put_character(d, data + i, size - i);
    }
}

static void add_run(GArray *runs, guint begin, guint end, const LogStyle *style) {
    LogRun run = {.begin = begin, .end = end, .style = *style};

    if (runs && begin < end && !log_style_is_plain(style))
        g_array_append_val(runs, run);
}

static guint give_cells(LogDecoder *d, GString *text, GArray *runs) {
    guint begin = 0;

    for (guint i = 0; i < d->cells->len; i++) {
        const Cell *cell = &g_array_index(d->cells, Cell, i),
                   *first = &g_array_index(d->cells, Cell, begin);
        g_string_append_unichar(text, cell->c);
        if (!log_style_equal(&cell->style, &first->style)) {
            add_run(runs, begin, i, &first->style);
            begin = i;
        }
    }
    if (d->cells->len > 0)
        add_run(runs, begin, d->cells->len, &g_array_index(d->cells, Cell, begin).style);
    return d->cells->len;
}

/* Most rows are such. */
static gboolean is_plain(const char *data, gsize size) {
    for (gsize i = 0; i < size; i++)
        if ((unsigned char)(data[i] - 0x20) >= 0x7f - 0x20 && data[i] != '\t')
            return FALSE;
    return TRUE;
}

guint log_decoder_row(LogDecoder *d, const char *data, gsize size, gboolean continued,
                      GString *text, GArray *runs) {
    if (!continued)
        escape_reset(&d->parser);
    if (d->parser.state == 0 && size <= LOG_COLUMNS_MAX && is_plain(data, size)) {
        g_string_append_len(text, data, (gssize)size);
        add_run(runs, 0, (guint)size, &d->style);
        return (guint)size;
    }
    g_array_set_size(d->cells, 0);
    d->column = 0;
    feed(d, data, size);
    return give_cells(d, text, runs);
}
