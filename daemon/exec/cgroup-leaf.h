#pragma once

#include "common/macro.h"

/* The cgroup of one task, without its shim: see KEEPER_CGROUP in common/shim-protocol.h. */

/* Path of a task's cgroup below that of the keeper. -ENAMETOOLONG when it does not fit. */
int cgroup_leaf_path(char *buf, size_t size, const char *cgroup, uint64_t id);

/* Kills everything in the cgroup and in those below it. 1: some of it has not ended yet, call again
 * later; 0: it is empty or gone, and removed; or -errno. */
int cgroup_leaf_end(const char *path);
