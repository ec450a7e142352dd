#pragma once

#include "client-cli/client.h"

/* What "longrun start --follow" does with a task that was started. streams: what we read is handed
 * on to it. */

/* From here on keys say what becomes of the task. */
void start_follow_keys(uint64_t id, bool streams);

/* Looks on as if the command ran here, until the task has ended; quiet: that it has failed by
 * itself is left to the exit status. Gives that, or -errno after a message. */
int start_follow(sd_bus *bus, uint64_t id, bool streams, bool quiet);
