#pragma once

#include <glib.h>

/* When something was, for people: the time of today, else date and time. microseconds since the
 * epoch. NULL when it is not known; g_free(). */
char *chat_time(guint64 usec, GDateTime *now);
