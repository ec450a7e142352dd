#pragma once

#include "common/macro.h"

/* How far a task is. Never runs backwards within a phase; 1.0 is kept for success. */

#define PROGRESS_UNKNOWN (-1.0)

typedef struct TaskProgress {
    double fraction; /* 0 to 1, PROGRESS_UNKNOWN */
    uint64_t done, total;
    char *phase; /* NULL = none */
} TaskProgress;

void progress_init(TaskProgress *p);
void progress_done(TaskProgress *p);

/* Takes a reading; done and total are 0 where the source does not count. A fraction outside 0 to 1
 * (NaN too) that done and total cannot replace is no reading. A source that is not trusted to know
 * its end stays below 1.0. True when something has changed. */
bool progress_update(TaskProgress *p, double fraction, uint64_t done, uint64_t total, bool trusted);

/* Begins a phase: progress is unknown again. False when it is the one under way, or memory is
 * short. */
bool progress_set_phase(TaskProgress *p, const char *phase);

/* The task succeeded: all of it is done. */
void progress_complete(TaskProgress *p);
