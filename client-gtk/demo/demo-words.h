#pragma once

#include <glib.h>

/* What the demo shows, in words. */

/* "Processing step 3 of 8 (Elapsed: 3s)"; g_free(). */
char *demo_words_status(const char *status, gint64 elapsed_sec);

/* "[12:34:56] text"; g_free(). when_sec: since the epoch. */
char *demo_words_log_line(gint64 when_sec, const char *text);

/* Whole percents, rounded down; 0 for what is not known. */
guint demo_words_percent(double fraction);

/* What kind compute-e gives. */
typedef struct DemoResult {
    char *uuid, *value, *duration, *iterations; /* each for people, "" when it is not there */
} DemoResult;

/* FALSE: the text is no such result, and ret is as it was. */
gboolean demo_result_read(const char *json, DemoResult *ret);
void demo_result_clear(DemoResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DemoResult, demo_result_clear)
