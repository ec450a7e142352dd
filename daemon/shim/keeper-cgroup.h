#pragma once

#include <limits.h>

#include "common/macro.h"

/* The cgroup (version 2) below which the tasks have theirs. */
typedef struct KeeperCgroup {
    char path[PATH_MAX]; /* in the file system; "": there is none */
    char controllers[64];
} KeeperCgroup;

/* Makes the cgroup that the service manager has delegated to us ready: moves us, its one process,
 * into one of our own below it, enables what controllers there are, and tries whether a process can
 * be made in one. On failure -errno, *ret_what says what could not be done, and *c is empty. */
int keeper_cgroup_setup(KeeperCgroup *c, const char **ret_what);

/* Kills what is left in a task's cgroup, and removes it. True when it is gone, or never was. */
bool keeper_cgroup_end_task(const KeeperCgroup *c, uint64_t id);

/* ---- for tests ---- */

/* Path of the cgroup of a process whose /proc/PID/cgroup and /proc/PID/mountinfo have these texts,
 * or -ENOENT. */
int keeper_cgroup_find(const char *cgroup, const char *mountinfo, char *buf, size_t size);
