#include "client-gtk/log/log-window.h"

void log_window_init(LogWindow *w) {
    *w = (LogWindow){.rows = g_array_new(FALSE, FALSE, sizeof(LogBlockRow))};
}

void log_window_done(LogWindow *w) {
    g_clear_pointer(&w->rows, g_array_unref);
}

static const LogBlockRow *row_at(const LogWindow *w, guint i) {
    return &g_array_index(w->rows, LogBlockRow, i);
}

static void take_file(LogWindow *w, const LogBlock *b) {
    w->at_end = w->at_end && b->size == w->size;
    w->size = b->size;
    w->removed = b->removed;
}

/* A log whose end has been left out, or cut off, has no more rows than there are. */
static void take_end(LogWindow *w, const LogBlock *b) {
    w->end = b->end;
    w->open = b->open;
    w->at_end = b->open || b->end.row >= b->size || b->rows->len == 0;
}

void log_window_look(LogWindow *w, const LogBlock *b) {
    take_file(w, b);
}

LogChange log_window_clear(LogWindow *w) {
    LogChange change = {.first = w->rows->len};

    g_array_set_size(w->rows, 0);
    *w = (LogWindow){.rows = w->rows};
    return change;
}

LogChange log_window_set(LogWindow *w, const LogBlock *b) {
    LogChange change = log_window_clear(w);

    g_array_append_vals(w->rows, b->rows->data, b->rows->len);
    take_file(w, b);
    take_end(w, b);
    return change;
}

LogChange log_window_append(LogWindow *w, const LogBlock *b) {
    LogChange change = {.last = w->open};

    if (b->begin != w->end.row)
        return log_window_set(w, b);
    g_array_set_size(w->rows, w->rows->len - change.last);
    if (w->rows->len + b->rows->len > LOG_WINDOW_ROWS)
        change.first = MIN(w->rows->len, w->rows->len + b->rows->len - LOG_WINDOW_ROWS);
    if (change.first > 0)
        g_array_remove_range(w->rows, 0, change.first);
    g_array_append_vals(w->rows, b->rows->data, b->rows->len);
    take_file(w, b);
    take_end(w, b);
    return change;
}

LogChange log_window_prepend(LogWindow *w, const LogBlock *b) {
    LogChange change = {};
    guint all = w->rows->len + b->rows->len;

    if (all > LOG_WINDOW_ROWS) {
        change.last = MIN(w->rows->len, all - LOG_WINDOW_ROWS);
        const LogBlockRow *first = row_at(w, w->rows->len - change.last);
        w->end = (LogPlace){.row = first->offset, .style = first->style};
        w->open = w->at_end = FALSE;
        g_array_set_size(w->rows, w->rows->len - change.last);
    }
    g_array_prepend_vals(w->rows, b->rows->data, b->rows->len);
    take_file(w, b);
    return change;
}

LogPlace log_window_begin(const LogWindow *w) {
    return w->rows->len > 0 ? (LogPlace){.row = row_at(w, 0)->offset} : w->end;
}

guint64 log_window_row(const LogWindow *w, guint i) {
    return i < w->rows->len ? row_at(w, i)->offset : w->end.row;
}

int log_window_find(const LogWindow *w, guint64 offset) {
    guint low = 0, high = w->rows->len;

    if (high == 0 || offset < row_at(w, 0)->offset || (!w->open && offset >= w->end.row))
        return -1;
    while (high - low > 1) {
        guint middle = low + (high - low) / 2;
        if (row_at(w, middle)->offset <= offset)
            low = middle;
        else
            high = middle;
    }
    return (int)low;
}
