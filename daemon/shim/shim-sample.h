#pragma once

#include <sys/types.h>

#include "common/macro.h"

/* What processes use, read from /proc. */

/* Memory of all together, bytes. Where the sum of what each has resident is at most `enough`, that
 * is it; above, where pages that several share must not count for each of them, it is the sum of
 * their proportional shares, which takes the kernel longer to find out. */
uint64_t shim_sample_memory(const pid_t *pids, size_t n, uint64_t enough);

/* Number of threads of all together: what pids.max counts. */
uint64_t shim_sample_threads(const pid_t *pids, size_t n);

/* CPU time of all together, of the children that they have waited for as well, microseconds, and
 * the most that one of them had resident, bytes. */
void shim_sample_usage(const pid_t *pids, size_t n, uint64_t *ret_cpu_usec, uint64_t *ret_peak);
