#include "daemon/shim/shim-guard.h"

/* Between two looks at the processes: the nearer to a limit, the sooner the next. */
#define SAMPLE_MIN_USEC (100 * USEC_PER_MSEC)
#define SAMPLE_MAX_USEC (500 * USEC_PER_MSEC)

void shim_guard_begin(ShimGuard *g, const ShimLimits *limits, bool memory_kept, bool pids_kept,
                      uint64_t now) {
    *g = (ShimGuard){.limits = *limits,
                     .sample_memory = limits->memory_max != UINT64_MAX && !memory_kept,
                     .sample_pids = limits->pids_max != UINT64_MAX && !pids_kept,
                     .begin_usec = now,
                     .active_usec = now,
                     .sample_due_usec = now + SAMPLE_MIN_USEC};
}

void shim_guard_activity(ShimGuard *g, uint64_t now) {
    g->active_usec = g->paused_usec > 0 ? g->paused_usec : now;
}

static uint64_t after(uint64_t begin, uint64_t span) {
    uint64_t end;

    return __builtin_add_overflow(begin, span, &end) ? USEC_INFINITY : end;
}

void shim_guard_extend(ShimGuard *g, uint64_t span, uint64_t now) {
    uint64_t begin = g->paused_usec > 0 ? g->paused_usec : now;

    g->extended_usec = MAX(g->extended_usec, after(begin, span));
}

void shim_guard_pause(ShimGuard *g, bool pause, uint64_t now) {
    if (pause == (g->paused_usec > 0))
        return;
    if (!pause) {
        uint64_t span = now - g->paused_usec;
        g->begin_usec += span;
        g->active_usec += span;
        g->extended_usec = after(g->extended_usec, g->extended_usec > 0 ? span : 0);
    }
    g->paused_usec = pause ? now : 0;
}

static uint64_t timeout_due(const ShimGuard *g) {
    return MAX(after(g->begin_usec, g->limits.timeout_usec), g->extended_usec);
}

static uint64_t idle_timeout_due(const ShimGuard *g) {
    return MAX(after(g->active_usec, g->limits.idle_timeout_usec), g->extended_usec);
}

uint64_t shim_guard_due(const ShimGuard *g) {
    if (g->paused_usec > 0)
        return USEC_INFINITY; /* what does not run takes no more of anything */
    uint64_t due = MIN(timeout_due(g), idle_timeout_due(g));
    return g->sample_memory || g->sample_pids ? MIN(due, g->sample_due_usec) : due;
}

bool shim_guard_check_times(const ShimGuard *g, uint64_t now, ShimBreach *ret) {
    if (g->paused_usec > 0)
        return false;
    if (now >= timeout_due(g)) {
        *ret = (ShimBreach){.limit = "timeout", .reached = now - g->begin_usec};
        return true;
    }
    if (now >= idle_timeout_due(g)) {
        *ret = (ShimBreach){.limit = "idle-timeout", .reached = now - g->active_usec};
        return true;
    }
    return false;
}

bool shim_guard_wants_sample(const ShimGuard *g, uint64_t now) {
    return (g->sample_memory || g->sample_pids) && g->paused_usec == 0 && now >= g->sample_due_usec;
}

static uint64_t interval(const ShimGuard *g, uint64_t memory, uint64_t pids) {
    bool near = (g->sample_memory && memory > g->limits.memory_max / 2) ||
                (g->sample_pids && pids > g->limits.pids_max / 2);

    return near ? SAMPLE_MIN_USEC : SAMPLE_MAX_USEC;
}

bool shim_guard_check_sample(ShimGuard *g, uint64_t now, uint64_t memory, uint64_t pids,
                             ShimBreach *ret) {
    g->sample_due_usec = now + interval(g, memory, pids);
    if (g->sample_memory && memory > g->limits.memory_max) {
        *ret = (ShimBreach){.limit = "memory-max", .reached = memory, .at_once = true};
        return true;
    }
    if (g->sample_pids && pids > g->limits.pids_max) {
        *ret = (ShimBreach){.limit = "pids-max", .reached = pids};
        return true;
    }
    return false;
}
