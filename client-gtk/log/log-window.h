#pragma once

#include "client-gtk/log/log-block.h"

/* Which rows of a log are shown: a part of it that moves, and never is more than LOG_WINDOW_ROWS
 * rows. It says what is to be done to the text; it does not have it. */

#define LOG_WINDOW_ROWS 3000u

typedef struct LogWindow {
    GArray *rows;  /* LogBlockRow: text is what it was in its block */
    LogPlace end;  /* of the last row that had ended */
    gboolean open; /* the last row of all has not, and goes when the next block is appended */
    gboolean at_end;
    guint64 size; /* of the log, as it was last known */
    gboolean removed;
} LogWindow;

/* Rows that are to be removed, before the block's are inserted between them. */
typedef struct LogChange {
    guint first, last;
} LogChange;

void log_window_init(LogWindow *w);
void log_window_done(LogWindow *w);

/* Nothing any more. */
LogChange log_window_clear(LogWindow *w);

/* Of a block without rows: how large the log is. */
void log_window_look(LogWindow *w, const LogBlock *b);

/* The block alone. */
LogChange log_window_set(LogWindow *w, const LogBlock *b);

/* Behind what there is. One that does not begin there (LogRequest.skip) takes the place of it. */
LogChange log_window_append(LogWindow *w, const LogBlock *b);
LogChange log_window_prepend(LogWindow *w, const LogBlock *b);

/* The place that a block to be prepended ends at. */
LogPlace log_window_begin(const LogWindow *w);

/* Where the row begins; one behind the last: where that would. */
guint64 log_window_row(const LogWindow *w, guint i);

/* Which row the byte is part of; -1: of none. */
int log_window_find(const LogWindow *w, guint64 offset);
