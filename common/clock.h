#pragma once

#include <time.h>

#include "common/macro.h"

/* Microseconds of CLOCK_REALTIME (since the epoch), CLOCK_MONOTONIC or another clock. Only the
 * edges of the program read a clock; core/ is handed the time. */
static inline uint64_t clock_usec(clockid_t clock) {
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / NSEC_PER_USEC;
}
