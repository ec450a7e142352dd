#pragma once

#include "common/fields.h"
#include "daemon/shim/shim-procs.h"

/* What the task has used so far: of its cgroup where that counts it, else of its processes. */
typedef struct ShimUsage {
    ShimProcs *procs; /* not owned */
    uint64_t cpu_usec, memory_peak;
    uint64_t due_usec; /* when it is to be told again; CLOCK_MONOTONIC */
} ShimUsage;

/* Adds it to a message that is sent anyway, when it is due. */
void shim_usage_add_due(ShimUsage *u, uint64_t now, Fields *fields);

/* Adds it to the last message: there are no processes any more, but still the cgroup. */
void shim_usage_add_last(ShimUsage *u, Fields *fields);
