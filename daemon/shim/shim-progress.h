#pragma once

#include "common/fields.h"
#include "daemon/shim/progress-reader.h"

#define SHIM_PROGRESS_TAIL PROGRESS_PIECE_END

/* The end of what came faster than it is read. */
typedef struct ShimProgressTail {
    size_t size;
    uint64_t lost; /* bytes before it */
    char data[SHIM_PROGRESS_TAIL];
} ShimProgressTail;

/* The task's progress reader, and what of it the daemon is still to be told. Times are
 * CLOCK_MONOTONIC, microseconds. All zero is one that has seen nothing; it takes memory with the
 * first output. */
typedef struct ShimProgress {
    ProgressReader *reader; /* owned; NULL: nothing was said yet, or memory is short */
    bool pending;           /* its state is not told yet */
    bool waits;             /* for more of a line */
    uint64_t settle_usec;   /* until then */
    uint64_t begin_usec;    /* of the slice of time in which only so much is read at once */
    size_t fed;             /* bytes that were since */
    ShimProgressTail out, err;
} ShimProgress;

void shim_progress_done(ShimProgress *p);

/* Takes in output. When much comes at a time, only the end of it is read, a little later. */
void shim_progress_feed(ShimProgress *p, LogStream stream, const char *data, size_t size);

/* Takes in what the command said itself. */
void shim_progress_notify(ShimProgress *p, const ProgressReading *reading);

/* To be called before each wait; and when it has something to do by itself, USEC_INFINITY: never.
 */
void shim_progress_tick(ShimProgress *p, uint64_t now);
uint64_t shim_progress_due(const ShimProgress *p);

/* There will be no more output. */
void shim_progress_finish(ShimProgress *p);

/* Adds all that is known, which is pending no more once it was sent, and is again for somebody
 * else. */
void shim_progress_add_fields(const ShimProgress *p, Fields *fields);
void shim_progress_sent(ShimProgress *p);
void shim_progress_retell(ShimProgress *p);
