#pragma once

#include "common/log-file.h"
#include "daemon/shim/progress-reading.h"

/* All that a task says about its progress, from all sources, brought together: the best source that
 * speaks is believed, within a phase nothing runs backwards, and what begins anew is the next
 * phase. Pure: no I/O, no clock. Memory is fixed. */

typedef struct ProgressReader ProgressReader;

/* What is to be told; fraction is negative while it is not known, and below 1.0 as long as the task
 * runs. */
typedef struct ProgressState {
    ProgressSource source;
    double fraction;
    uint64_t done, total; /* 0 = not known */
    bool bytes;
    char phase[PROGRESS_PHASE_MAX]; /* its name; where it has none "", and of those after the first
                                       "part 2", "part 3"… */
} ProgressState;

ProgressReader *progress_reader_new(void); /* NULL when memory is short */
ProgressReader *progress_reader_free(ProgressReader *r);

/* Takes in output, in pieces as they come; of a large piece only the end is looked at. True when
 * the state has changed. */
bool progress_reader_feed(ProgressReader *r, LogStream stream, const char *data, size_t size);

/* Takes in what the command said itself. True when the state has changed. */
bool progress_reader_notify(ProgressReader *r, const ProgressReading *reading);

const ProgressState *progress_reader_state(const ProgressReader *r);
