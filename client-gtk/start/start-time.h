#pragma once

#include <glib.h>
#include <stdbool.h>

/* Moments to come, as people write them:
 *   18:00, 9:30:15        today, or tomorrow when that is past
 *   tomorrow, 2026-12-24  the beginning of that day; with a time behind it, that
 *   +2h 30min             from now on
 * in the local time zone. Result in microseconds since the epoch. False for a text that is none,
 * and for a day or time that there is not. One that is past is read as well. */
bool start_time_parse(const char *text, gint64 now_usec, guint64 *ret_usec);
