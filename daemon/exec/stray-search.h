#pragma once

#include <sys/types.h>

#include "common/macro.h"

/* Processes of tasks, found by what their environment says: LONGRUN_TASK_ID, and LONGRUN_RESULT in
 * that task's runtime folder. It is how what a lost shim left behind is told from everything else
 * where there is neither a cgroup nor a keeper. A process that cleared its environment is not
 * found. */

/* pidfd: sends signals to just this process; closed after the call. */
typedef void (*StrayFunc)(void *userdata, uint64_t id, int pidfd);

/* Calls the function for each process of this user, zombies left out, that belongs to a task with
 * its folder below runtime_dir. 0 or -errno. */
int stray_search(const char *runtime_dir, StrayFunc func, void *userdata);
