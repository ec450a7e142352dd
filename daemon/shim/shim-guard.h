#pragma once

#include "daemon/shim/shim-job.h"

/* Whether the task is within its limits. Times are CLOCK_MONOTONIC, microseconds; this reads no
 * clock and no process. */

/* A limit that was reached. */
typedef struct ShimBreach {
    const char *limit; /* the name of the option */
    uint64_t reached;  /* in the limit's own unit */
    bool at_once;      /* there is no time for leave-taking */
} ShimBreach;

typedef struct ShimGuard {
    ShimLimits limits;
    bool sample_memory, sample_pids; /* those that the kernel does not keep */
    /* All three are moved on by the length of each pause, so that its time does not count. */
    uint64_t begin_usec, active_usec;
    uint64_t extended_usec; /* no timeout before; 0: none was asked for */
    uint64_t paused_usec;   /* since when; 0: it is not */
    uint64_t sample_due_usec;
} ShimGuard;

/* memory_kept, pids_kept: by the kernel, in the task's cgroup. */
void shim_guard_begin(ShimGuard *g, const ShimLimits *limits, bool memory_kept, bool pids_kept,
                      uint64_t now);

/* Output or progress. */
void shim_guard_activity(ShimGuard *g, uint64_t now);
/* The task wants that no timeout ends it for as long from now on; never shortens what it has. */
void shim_guard_extend(ShimGuard *g, uint64_t span, uint64_t now);
void shim_guard_pause(ShimGuard *g, bool pause, uint64_t now);

/* When there is something to check or to sample; USEC_INFINITY: never. */
uint64_t shim_guard_due(const ShimGuard *g);

bool shim_guard_check_times(const ShimGuard *g, uint64_t now, ShimBreach *ret);

/* Whether the two below are to be called now. */
bool shim_guard_wants_sample(const ShimGuard *g, uint64_t now);
bool shim_guard_check_sample(ShimGuard *g, uint64_t now, uint64_t memory, uint64_t pids,
                             ShimBreach *ret);
