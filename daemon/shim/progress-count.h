#pragma once

#include "daemon/shim/progress-reading.h"

/* Counters and percentages in a line of any program. Finds the best in it: amounts of bytes
 * ("12.3 MB / 45.6 MB"), else the first counter ("[3/10]", "3/10", "3 of 10"), else the first
 * percentage. Dates, fractions, versions and what counts something else ("80% cpu") are none. */
bool progress_count_read(const char *line, const char *end, ProgressReading *ret);
