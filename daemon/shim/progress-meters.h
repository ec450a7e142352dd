#pragma once

#include "daemon/shim/progress-line.h"

/* Programs of which one line says nothing without those before it: curl's table, which has no
 * percent signs in its rows, ffmpeg and TAP, which tell once how much there is, and pv -n, which
 * prints numbers alone. */
bool progress_meters_read(ProgressLines *l, LogStream stream, const char *line, const char *end,
                          ProgressReading *ret);
