#pragma once

#include <stdint.h>
#include <time.h>

/* What bench-exit appends to the file that it is given, right before it exits. */
typedef struct ExitRecord {
    uint64_t id; /* LONGRUN_TASK_ID of its environment */
    uint64_t nsec;
} ExitRecord;

/* Nanoseconds of CLOCK_MONOTONIC, the same in all processes. */
static inline uint64_t bench_nsec(void) {
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}
