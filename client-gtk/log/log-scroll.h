#pragma once

#include <gtk/gtk.h>

/* Where a text view that is changed all the time is scrolled to. A text view lays out its lines bit
 * by bit, and knows no height of those that it has not got to: so what is to be seen is aimed at
 * again and again, until somebody scrolls. */
typedef struct LogScroll LogScroll;

typedef enum LogScrolled {
    LOG_SCROLLED,        /* somewhere */
    LOG_SCROLLED_UP,     /* away from the end */
    LOG_SCROLLED_TO_END, /* of the text that there is */
} LogScrolled;

/* What somebody has done; what is done here is not told. */
typedef void (*LogScrollMoved)(LogScrolled how, gpointer userdata);

LogScroll *log_scroll_new(GtkTextView *view, GtkAdjustment *vertical, LogScrollMoved moved,
                          gpointer userdata);
void log_scroll_free(LogScroll *s);

/* The line at the top of what can be seen (0), or at its bottom (1). */
guint log_scroll_line(LogScroll *s, int where);

/* What is to be seen from now on: */
void log_scroll_to_end(LogScroll *s);
void log_scroll_to_begin(LogScroll *s);
/* the line on top, wherever it comes to be: before the text is changed above it, */
void log_scroll_keep_top(LogScroll *s);
/* a place in the text, with some lines around it, unless it can be seen already, */
void log_scroll_to(LogScroll *s, const GtkTextIter *at);
/* whatever it is now. */
void log_scroll_release(LogScroll *s);

/* Around each change of the text: between them, the text view moves, not somebody. The second is
 * called when it has had the time to. */
void log_scroll_begin_change(LogScroll *s);
void log_scroll_end_change(LogScroll *s);
