#pragma once

#include <gtk/gtk.h>

#include "client-gtk/log/log-needle.h"
#include "client-gtk/log/log-window.h"

/* The text of a window of a log in a text buffer, a line for each row, and an empty one behind
 * them; with the colours of the terminal. */
typedef struct LogText LogText;

LogText *log_text_new(GtkTextBuffer *buffer);
void log_text_free(LogText *t);

/* Colours for a dark or a light background. */
void log_text_set_dark(LogText *t, gboolean dark);

/* What came from stderr is marked. */
void log_text_set_marks(LogText *t, gboolean marks);

/* Brings the text up to date with a change of the window; what is inserted comes behind or before
 * what is kept. b may be NULL. */
void log_text_change(LogText *t, LogChange change, const LogBlock *b, gboolean before);

/* Marks what is searched for, also in what comes; NULL: nothing. n is referenced. */
void log_text_set_needle(LogText *t, const LogNeedle *n);

/* Marks one of the matches in a line, the others are not: FALSE when there is none such. Gives
 * where it is. */
gboolean log_text_set_current(LogText *t, guint line, guint number, GtkTextIter *ret);
