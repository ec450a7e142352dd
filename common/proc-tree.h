#pragma once

#include <sys/types.h>

#include "common/macro.h"

/* The processes below a process, found through /proc/PID/task/TID/children (proc(5)). With a
 * subreaper at the root nothing gets out of the tree: not by a double fork, not by setsid(2). */

/* Sends the signal to each descendant of root, root itself left out; a process that is made
 * meanwhile may be missed, so whoever wants all of them gone repeats until none is left. Gives
 * their number, or -errno. */
int proc_tree_signal(pid_t root, int signal);

/* Number of descendants, zombies included, or -errno. */
int proc_tree_count(pid_t root);
