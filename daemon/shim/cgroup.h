#pragma once

#include <sys/types.h>

#include "common/macro.h"

/* Files of cgroups (version 2), relative to a descriptor of the folder. */

/* 0 or -errno; -ENOENT where the controller is not there. */
int cgroup_write(int dir_fd, const char *file, const char *text);
int cgroup_write_u64(int dir_fd, const char *file, uint64_t value);

/* The number behind the key, as in cpu.stat; without a key that which the file is, as memory.peak.
 * -ENOENT when there is none. */
int cgroup_read_u64(int dir_fd, const char *file, const char *key, uint64_t *ret);

/* The processes in the cgroup and in all below it; the caller frees them. Gives their number, or
 * -errno. */
int cgroup_list(int dir_fd, pid_t **ret);

/* Removes the folder and all below it. -EBUSY while processes are left. */
int cgroup_remove(const char *path);
