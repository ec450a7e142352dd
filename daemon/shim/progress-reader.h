#pragma once

#include "common/log-file.h"
#include "daemon/shim/progress-reading.h"

/* All that a task says about its progress, from all sources, brought together: the best source that
 * speaks is believed, within a phase nothing runs backwards, and what begins anew is the next
 * phase. Pure: no I/O, no clock. Memory is fixed.
 *
 * Lines end with LF or CR, and where the cursor is moved. A line that has not ended yet may be cut
 * in the midst of a number: it is read when it ends, or when progress_reader_settle() says that it
 * is as long as it gets. So the state does not depend on the pieces in which output comes. */

typedef struct ProgressReader ProgressReader;

/* What is to be told; fraction is negative while it is not known, and below 1.0 as long as the task
 * runs. */
typedef struct ProgressState {
    ProgressSource source;
    double fraction;
    uint64_t done, total; /* 0 = not known */
    bool bytes;
    char phase[PROGRESS_PHASE_MAX]; /* UTF-8; its name; where it has none "", and of those after the
                                       first "part 2", "part 3"… */
} ProgressState;

#define PROGRESS_PIECE_MAX (16 * KIB) /* of a larger one the end is read */
#define PROGRESS_PIECE_END (2 * KIB)

ProgressReader *progress_reader_new(void); /* NULL when memory is short */
ProgressReader *progress_reader_free(ProgressReader *r);

/* Takes in output, in pieces as they come. True when the state has changed. */
bool progress_reader_feed(ProgressReader *r, LogStream stream, const char *data, size_t size);

/* So many bytes are left out here, of output that comes too fast for all of it to be read. */
void progress_reader_skip(ProgressReader *r, LogStream stream, size_t size);

/* Nothing more has come for a while: reads the lines that have not ended. True when the state has
 * changed. */
bool progress_reader_settle(ProgressReader *r);

/* Whether there is such a line that was not read yet. */
bool progress_reader_is_unsettled(const ProgressReader *r);

/* Takes in what the command said itself; what is neither counted nor a fraction only names the
 * phase. True when the state has changed. */
bool progress_reader_notify(ProgressReader *r, const ProgressReading *reading);

const ProgressState *progress_reader_state(const ProgressReader *r);
