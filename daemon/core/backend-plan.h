#pragma once

#include "daemon/core/backend.h"

/* When a backend is asked again, and what becomes of its state. Pure: the clock and what is random
 * (any number, another one each time) are passed in; all in microseconds. */

/* ---- thresholds ---- */

/* Checks in a row of one kind, since the last of the other. */
typedef struct BackendHealth {
    uint32_t failures, successes;
} BackendHealth;

/* What the state is after another check. The first one decides, when nothing was known. */
BackendState backend_health_count(BackendHealth *h, BackendState state, bool ok,
                                  const BackendSettings *s);

/* ---- pauses ---- */

/* Before the first check, when so many others wait for theirs: they come at BACKEND_FIRST_RATE a
 * second at most, and none waits for longer than its interval. */
#define BACKEND_FIRST_RATE 500
uint64_t backend_plan_first(uint64_t interval, size_t n_waiting, uint64_t random);

/* From one to the next: some percent more or less, so that those who came together do not stay
 * together. spread: half to three halves of it, for those who were asked together just now. */
uint64_t backend_plan_next(uint64_t interval, bool spread, uint64_t random);

/* After checks or polls of which so many in a row have failed: the interval is doubled each time,
 * up to the maximum (or the interval, if that is longer), and any pause up to that can be the next
 * ("full jitter"), but none below the interval, or one second. */
#define BACKEND_PAUSE_MIN (1 * USEC_PER_SEC)
uint64_t backend_plan_backoff(uint64_t interval, uint64_t max, uint32_t failures, uint64_t random);

/* What was due and comes late, since the whole process stood still, is not asked at once with all
 * others: the pause until it is, at most what it is late, or its interval; 0: it is in time. */
#define BACKEND_STANDSTILL (250 * USEC_PER_MSEC)
uint64_t backend_plan_late(uint64_t due, uint64_t now, uint64_t interval, uint64_t random);
