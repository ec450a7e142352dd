#pragma once

#include <limits.h>

#include "common/macro.h"

/* The cgroup (version 2) below which the tasks have theirs. */
typedef struct KeeperCgroup {
    char path[PATH_MAX]; /* in the file system; "": there is none */
    char controllers[64];
} KeeperCgroup;

/* Kills what is left in a task's cgroup, and removes it. True when it is gone, or never was. */
bool keeper_cgroup_end_task(const KeeperCgroup *c, uint64_t id);
