#pragma once

#include "daemon/shim/progress-reading.h"

/* What programs print about their progress, in lines for people. Pure; a table of forms: first
 * those of programs that need one of their own, then counters and percentages of any. */

/* What has to be kept from one line to the next of the same stream. All zero at the start. */
typedef struct ProgressLines {
    bool curl;              /* the header of curl's meter was seen: its columns follow */
    uint64_t duration_usec; /* of the input, as ffmpeg said; 0 = not said */
} ProgressLines;

/* Reads a line without its end and without escape sequences; any bytes may be in it, and size is
 * bounded by the caller. False: it says nothing about progress. */
bool progress_line_read(ProgressLines *l, const char *line, size_t size, ProgressReading *ret);
