#pragma once

#include "common/macro.h"

/* What the processes of a daemon's tasks live in: a boot of the machine, and a runtime folder that
 * has not been emptied since. Where the session is another one than that of the last daemon, none
 * of its processes is left. */

/* The session of this runtime folder, begun when there is none: a text that the caller frees. 0 or
 * -errno. */
int session_get(const char *runtime_dir, char **ret);
