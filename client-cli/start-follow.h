#pragma once

#include "client-cli/client.h"

/* What "longrun start --follow" does with a task that was started. streams: what we read is handed
 * on to it. */

/* From here on keys say what becomes of the task. */
void start_follow_keys(uint64_t id, bool streams);

/* Looks on as if the command ran here, until the task has ended. quiet: an exit code of its own is
 * not told. Gives the exit status, or -errno after a message. */
int start_follow(sd_bus *bus, uint64_t id, bool streams, bool quiet);
