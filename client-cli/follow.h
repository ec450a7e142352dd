#pragma once

#include "client-cli/client.h"

/* Copies the log of a task to stdout, as it is, without the hole that a log above its cap has. Both
 * give 0, or -errno after a message. */

/* What there is now. */
int follow_log_once(sd_bus *bus, uint64_t id);

/* What there is and what comes, to the last byte, until the task has ended. The end of a reader of
 * stdout ends the program by SIGPIPE, also while the task prints nothing. */
int follow_log(sd_bus *bus, uint64_t id, TaskEnd *ret_end);
