#pragma once

#include "common/log-file.h"
#include "daemon/shim/progress-reading.h"

/* What programs print about their progress, in lines for people. Pure; a table of forms: first
 * those of programs that need one of their own, then counters and percentages of any. */

/* What has to be kept from one line of the task to the next. All zero at the start. */
typedef struct ProgressLines {
    bool curl;              /* the head of curl's table was seen: its rows follow */
    bool curl_parallel;     /* that of curl -Z */
    bool curl_begins;       /* and no row has come since */
    uint64_t tap_total;     /* tests, as a TAP plan said; 0 = not said */
    uint64_t duration_usec; /* of the input, as ffmpeg said; 0 = not said */
    unsigned n_numbers;     /* lines of stderr in a row with a number alone, from 0 to 100 */
    unsigned number;        /* the last of them */
} ProgressLines;

/* Reads a line without its end and without escape sequences; any bytes may be in it, and size is
 * bounded by the caller. False: it says nothing about progress. */
bool progress_line_read(ProgressLines *l, LogStream stream, const char *line, size_t size,
                        ProgressReading *ret);
