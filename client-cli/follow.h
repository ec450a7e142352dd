#pragma once

#include "client-cli/client.h"
#include "client-cli/log-view.h"

/* Shows what there is of a log and what comes, to the last byte, until the task has ended. The end
 * of a reader of stdout ends the program by SIGPIPE, also while the task prints nothing. What else
 * is on the default loop goes on meanwhile. 0, or -errno after a message. */
int follow_log(sd_bus *bus, uint64_t id, LogSource *source, LogView *view, TaskEnd *ret_end);
