#pragma once

#include "daemon/shim/progress-line.h"

/* Programs of which one line says nothing without those before it: curl's table, which has no
 * percent signs in its rows, and ffmpeg's, which tells once how long its input is. */
bool progress_meters_read(ProgressLines *l, const char *line, const char *end,
                          ProgressReading *ret);
