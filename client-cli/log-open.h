#pragma once

#include "client-cli/client.h"
#include "client-cli/log-source.h"

/* Opens the log of a task, by the daemon, and if wanted its index. It may be empty so far. 0, or
 * -errno after a message; release with log_source_done(). */
int log_open(sd_bus *bus, uint64_t id, bool with_index, LogSource *ret);
