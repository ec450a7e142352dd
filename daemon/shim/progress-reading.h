#pragma once

#include "common/progress-source.h"

#define PROGRESS_PHASE_MAX 64

/* What one line of output, one OSC 9;4 or one datagram says about how far the task is. */
typedef struct ProgressReading {
    ProgressSource source;
    bool sure;                      /* by its form it can be nothing else: one of them is enough */
    bool begins;                    /* the first of a run: what was under way is over */
    double fraction;                /* 0 to 1; negative: not said */
    uint64_t done, total;           /* 0: not said */
    bool bytes;                     /* done and total are bytes */
    char phase[PROGRESS_PHASE_MAX]; /* "" = none is named */
} ProgressReading;

static inline void progress_reading_init(ProgressReading *r, ProgressSource source) {
    *r = (ProgressReading){.source = source, .fraction = -1};
}
