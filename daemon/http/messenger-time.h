#pragma once

#include "common/macro.h"

/* Times as servers write them, as CLOCK_REALTIME microseconds; 0 = it is none, or one before 1970.
 * Numbers are seconds, or milli-, micro- or nanoseconds: by their size, which tells them apart from
 * 1973 to 5138. */

/* A number at the beginning of the text; what stands behind it does not matter. */
uint64_t messenger_time_from_number(const char *s);

/* A number, or ISO 8601: "2026-11-21T21:25:00.5+01:00", also with a blank for the T, and without
 * the seconds. Where no zone is named it is UTC. */
uint64_t messenger_time_from_text(const char *s);
