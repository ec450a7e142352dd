#pragma once

#include <glib.h>

/* Times as people read them, translated. All are fresh strings; times in microseconds since the
 * epoch, spans in microseconds. */

/* "3s", "2min 5s": whole seconds, for parts of them flicker, and of long spans what counts. */
char *time_text_span(guint64 usec);

/* The same for what is over: "201ms" where it is less than a second. */
char *time_text_took(guint64 usec);

/* Of the day of now the time alone, else with the date; "" for 0. */
char *time_text_moment(guint64 usec, guint64 now);
