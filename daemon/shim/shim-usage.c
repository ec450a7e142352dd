#include "daemon/shim/shim-usage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "common/cleanup.h"
#include "common/shim-protocol.h"
#include "daemon/shim/cgroup.h"
#include "daemon/shim/shim-sample.h"

#define INTERVAL_USEC USEC_PER_SEC

static uint64_t timeval_usec(struct timeval t) {
    return (uint64_t)t.tv_sec * USEC_PER_SEC + (uint64_t)t.tv_usec;
}

/* Those that have ended and been waited for, and those that are there. */
static void sample_processes(const ShimProcs *procs, bool alive, uint64_t *ret_cpu_usec,
                             uint64_t *ret_peak) {
    _cleanup_free_ pid_t *pids = NULL;
    struct rusage children = {};
    uint64_t cpu = 0, peak = 0;

    int n = alive ? shim_procs_list(procs, &pids) : 0;
    if (n > 0)
        shim_sample_usage(pids, (size_t)n, &cpu, &peak);
    (void)getrusage(RUSAGE_CHILDREN, &children);
    *ret_cpu_usec = cpu + timeval_usec(children.ru_utime) + timeval_usec(children.ru_stime);
    *ret_peak = MAX(peak, (uint64_t)children.ru_maxrss * KIB);
}

/* It never becomes less: a process may end between two looks, unseen by both. */
static void update(ShimUsage *u, bool alive) {
    int fd = u->procs->cgroup_fd;
    uint64_t cpu = 0, peak = 0;

    bool has_cpu = fd >= 0 && cgroup_read_u64(fd, "cpu.stat", "usage_usec", &cpu) >= 0;
    bool has_peak = fd >= 0 && cgroup_read_u64(fd, "memory.peak", NULL, &peak) >= 0;
    if (!has_cpu || !has_peak) {
        uint64_t tree_cpu, tree_peak;
        sample_processes(u->procs, alive, &tree_cpu, &tree_peak);
        cpu = has_cpu ? cpu : tree_cpu;
        peak = has_peak ? peak : tree_peak;
    }
    u->cpu_usec = MAX(u->cpu_usec, cpu);
    u->memory_peak = MAX(u->memory_peak, peak);
}

static void add(const ShimUsage *u, Fields *fields) {
    fields_addf(fields, SHIM_CPU_USEC, "%" PRIu64, u->cpu_usec);
    fields_addf(fields, SHIM_MEMORY_PEAK, "%" PRIu64, u->memory_peak);
}

void shim_usage_add_due(ShimUsage *u, uint64_t now, Fields *fields) {
    if (now < u->due_usec)
        return;
    u->due_usec = now + INTERVAL_USEC;
    update(u, true);
    add(u, fields);
}

void shim_usage_add_last(ShimUsage *u, Fields *fields) {
    update(u, false);
    add(u, fields);
}
