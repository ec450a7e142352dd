#pragma once

#include <sys/types.h>

#include "daemon/shim/shim-job.h"

/* What the command gets as 0, 1 and 2. All of them above 2 and close-on-exec. */
typedef struct ShimStdio {
    int fds[3];
    bool is_terminal; /* 1 is one, and to be that of its session */
} ShimStdio;

/* Executes the job's command in a session of its own, in the cgroup whose folder cgroup_fd is
 * (negative: that of the caller), and gives its pid. When that cannot be done,
 * no process is left, the result is -errno and *ret_step the step at which it failed, one of
 * SHIM_STEP_*. All signals are blocked in the caller. */
int shim_spawn(const ShimJob *job, const ShimStdio *stdio, int cgroup_fd, pid_t *ret_pid,
               const char **ret_step);
