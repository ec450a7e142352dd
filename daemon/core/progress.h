#pragma once

#include "common/progress-source.h"
#include "daemon/core/estimate.h"

/* How far a task is, and how fast it gets on. Never runs backwards within a phase; 1.0 is kept for
 * success. */

#define PROGRESS_UNKNOWN (-1.0)

typedef struct TaskProgress {
    double fraction; /* 0 to 1, PROGRESS_UNKNOWN */
    uint64_t done, total;
    bool bytes; /* done and total are */
    ProgressSource source;
    char *phase;        /* NULL = none */
    Estimate *estimate; /* while it runs, of the phase; NULL = none yet */
} TaskProgress;

/* A reading. */
typedef struct ProgressNews {
    double fraction;      /* PROGRESS_UNKNOWN = look at done and total */
    uint64_t done, total; /* 0 where the source does not count */
    bool bytes;
    bool trusted; /* to know its end: 1.0 is meant */
    ProgressSource source;
} ProgressNews;

void progress_init(TaskProgress *p);
void progress_done(TaskProgress *p);

/* Takes a reading. A fraction outside 0 to 1 (NaN too) that done and total cannot replace is none.
 * A source that is not trusted to know its end stays below 1.0. True when something has changed.
 * now_usec: CLOCK_MONOTONIC. */
bool progress_update(TaskProgress *p, const ProgressNews *news, uint64_t now_usec);

/* Begins a phase: progress is unknown again. False when it is the one under way, or memory is
 * short. */
bool progress_set_phase(TaskProgress *p, const char *phase);

/* The task has ended, and if it succeeded all of it is done. How fast it was is forgotten. */
void progress_end(TaskProgress *p, bool succeeded);
