#pragma once

#include "client-cli/client.h"
#include "client-cli/log-source.h"

/* Narrows the source to what one attempt of the task has printed, with the line that says how it
 * ended. 0, or -errno after a message that names the attempts there are. */
int log_attempt_select(sd_bus *bus, uint64_t id, uint32_t number, LogSource *s);
