#pragma once

#include <gtk/gtk.h>

/* A scrollbar of a text view whose adjustment changes while a frame is made: as a text view's does
 * when that lays out its lines. A scrollbar that is told of it then is not drawn, with a warning;
 * so this one has an adjustment of its own, and is told behind the frame. Hidden when there is
 * nothing to scroll to, unless it is always shown. */
typedef struct LogBar LogBar;

LogBar *log_bar_new(GtkScrollbar *bar, GtkAdjustment *text, gboolean always);
void log_bar_free(LogBar *b);
