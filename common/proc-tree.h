#pragma once

#include <sys/types.h>

#include "common/macro.h"

/* The processes below a process, found through /proc/PID/task/TID/children (proc(5)). With a
 * subreaper at the root nothing gets out of the tree: not by a double fork, not by setsid(2). */

/* Sends the signal, once, to each descendant of root, root itself left out. It goes to whole
 * process groups; the processes made after that, by what is left of them, do not get it, so whoever
 * wants all of them gone repeats until none is left. Gives the number of descendants, or -errno. */
int proc_tree_signal(pid_t root, int signal);

/* Number of descendants, zombies included, or -errno. */
int proc_tree_count(pid_t root);

/* The descendants of root, breadth first, zombies included; the caller frees them. Gives their
 * number, or -errno. */
int proc_tree_list(pid_t root, pid_t **ret);

/* Sends the signal as proc_tree_signal() does, to processes that were listed. */
int proc_tree_signal_list(const pid_t *pids, size_t n, pid_t root, int signal);

/* Ends, by SIGKILL, every descendant of the calling process but those children (with all below
 * them) that are listed, and reaps what has died of them. Gives the number that it found, or
 * -errno: to be called again until it is 0. */
int proc_tree_end_strays(const pid_t *keep, size_t n_keep);
