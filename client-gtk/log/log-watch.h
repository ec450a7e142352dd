#pragma once

#include <glib.h>

/* Tells that a file grows, however fast it does: once, and then no more until it is asked to
 * again. So a busy file wakes nobody up more often than he wants. */
typedef struct LogWatch LogWatch;

LogWatch *log_watch_new(int fd, GSourceFunc changed, gpointer userdata);
void log_watch_free(LogWatch *w);

/* From now on, the next change is told. What changed before is not: look at the file after this
 * call. */
void log_watch_arm(LogWatch *w);
