#pragma once

#include "client-cli/log-source.h"

/* From where on a log is shown. All move s->offset ahead, within s->end, and give 0 or -errno. Of
 * the source nothing has been read yet. */

/* To where its last lines begin, as far as it goes now: of the wanted streams alone. What has no
 * line feed at its end is a line, too. Reads from the end on, no more than it must. */
int log_range_last_lines(LogSource *s, uint64_t n);

/* To the first byte that came at the time or later, as far as is known; to the present end when
 * none has. The index must be there. *ret_unknown: of so many bytes from there on nobody knows when
 * they came; most often 0. */
int log_range_since(LogSource *s, uint64_t time_usec, uint64_t *ret_unknown);
