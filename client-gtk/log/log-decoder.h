#pragma once

#include "client-gtk/log/log-style.h"
#include "common/escape.h"

/* Makes text of a row of a log, as a terminal would show it in the end: a carriage return and a
 * backspace go back and what follows writes over what was there, a sequence for a colour changes
 * how text looks, those that move in the line or erase in it are followed, all others are dropped,
 * as are control characters; bytes that are no UTF-8 become U+FFFD. */

/* Columns of a row: what is written beyond is dropped. Rows are cut before (client-gtk/log/
 * log-scan.h). */
#define LOG_COLUMNS_MAX 8192u

typedef struct LogRun {
    guint begin, end; /* in the text, in characters */
    LogStyle style;
} LogRun;

typedef struct LogDecoder {
    LogStyle style; /* of what comes next; a row takes it over from the one before */
    EscapeParser parser;
    GArray *cells;
    guint column;
} LogDecoder;

void log_decoder_init(LogDecoder *d);
void log_decoder_done(LogDecoder *d);

/* Appends the text of the row, valid UTF-8 in one line, and the runs of it that are not plain,
 * which count from its first character. runs may be NULL. continued: the row before was cut, and
 * this one goes on in the middle of it. Gives the characters that were appended. */
guint log_decoder_row(LogDecoder *d, const char *data, gsize size, gboolean continued,
                      GString *text, GArray *runs);
