#pragma once

#include "daemon/shim/shim-procs.h"

/* How the task is stopped: SIGTERM to every process, after the timeout SIGKILL, again and again
 * until none is left. Times are CLOCK_MONOTONIC, microseconds. */
typedef struct ShimStop {
    const ShimProcs *procs; /* not owned */
    uint64_t timeout_usec;  /* USEC_INFINITY: no SIGKILL ever */
    bool requested;
    bool killing;
    bool timed_out;     /* the timeout ran out */
    uint64_t next_usec; /* when shim_stop_tick() has something to do; USEC_INFINITY: never */
    uint64_t interval_usec;
} ShimStop;

void shim_stop_init(ShimStop *s, const ShimProcs *procs, uint64_t timeout_usec);

/* The second request does nothing. */
void shim_stop_request(ShimStop *s, uint64_t now);

/* Without SIGTERM and timeout. */
void shim_stop_at_once(ShimStop *s, uint64_t now);

/* The task wants as long from now on to end by itself; never shortens what it has. */
void shim_stop_extend(ShimStop *s, uint64_t span, uint64_t now);

/* To be called when next_usec has come. */
void shim_stop_tick(ShimStop *s, uint64_t now);

/* To be called when a process has ended and others are left: they may be its children, made after
 * the last SIGKILL, and ours now. */
void shim_stop_on_child(ShimStop *s, uint64_t now);
