#pragma once

#include <glib.h>

/* What is searched for in text, whatever the case of its letters. Immutable, and counted by atomic
 * references, so that threads share it. */
typedef struct LogNeedle LogNeedle;

#define LOG_NEEDLE_MAX 1024 /* bytes; what is beyond is not looked at */

/* NULL for an empty text. */
LogNeedle *log_needle_new(const char *text);
LogNeedle *log_needle_ref(const LogNeedle *n);
void log_needle_unref(LogNeedle *n);

/* Finds the first place in valid UTF-8 from the byte on; gives the bytes it takes. */
gboolean log_needle_find(const LogNeedle *n, const char *text, gsize size, gsize from,
                         gsize *ret_begin, gsize *ret_end);

/* How often it is in there, one behind the other. */
guint log_needle_count(const LogNeedle *n, const char *text, gsize size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(LogNeedle, log_needle_unref)
