#pragma once

#include "daemon/shim/shim-job.h"

/* The processes of the task: those in its cgroup, if it has one, and the descendants of the shim.
 * As a rule these are the same. */
typedef struct ShimProcs {
    char *cgroup;                    /* path; NULL: none */
    int cgroup_fd;                   /* its folder; negative: none */
    int events_fd;                   /* its cgroup.events; POLLPRI tells of a change */
    bool limits_memory, limits_pids; /* whether the kernel keeps the limit */
    bool wait_events;                /* a change in events_fd is waited for */
} ShimProcs;

#define SHIM_PROCS_NONE ((ShimProcs){.cgroup_fd = -EBADF, .events_fd = -EBADF})

/* Makes the cgroup of the task below parent and sets the job's limits. Where that cannot be,
 * -errno, and the task has none. */
int shim_procs_make_cgroup(ShimProcs *p, const char *parent, const ShimJob *job);

/* The part of it that sets the limits, in the folder cgroup_fd. */
void shim_procs_set_limits(ShimProcs *p, const ShimJob *job);

/* Removes the cgroup, which is empty. */
void shim_procs_remove_cgroup(ShimProcs *p);

/* Sends the signal once to each, to whole process groups, see common/proc-tree.h. */
void shim_procs_signal(const ShimProcs *p, int signal);

/* SIGKILL, by cgroup.kill where there is a cgroup. */
void shim_procs_kill(const ShimProcs *p);

/* Lists them; the caller frees the list. Gives the number, or -errno. */
int shim_procs_list(const ShimProcs *p, pid_t **ret);

/* Whether there is one in the cgroup. Without one false: the children tell. */
bool shim_procs_populated(ShimProcs *p);

/* Stops all, or lets them go on. True when that is done; false when shim_procs_is_paused() has to
 * be asked again at a change of the events. */
bool shim_procs_pause(ShimProcs *p, bool pause);
bool shim_procs_is_paused(ShimProcs *p);

/* Whether the kernel ended a process for reaching the limit on memory, see memory.events. */
bool shim_procs_ran_out_of_memory(const ShimProcs *p);
