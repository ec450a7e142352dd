#pragma once

#include "common/escape.h"
#include "daemon/shim/progress-line.h"
#include "daemon/shim/progress-reading.h"

/* One output stream on its way from bytes to readings: lines are put together, escape sequences
 * taken out, and what both say about progress is handed on. */

#define PROGRESS_LINE_MAX 512 /* of a longer line the end is read */

/* The state of OSC 9;4, from ConEmu's on; those with a value bring a reading. */
typedef enum ProgressOsc {
    PROGRESS_OSC_REMOVE,
    PROGRESS_OSC_VALUE, /* error and warning with a value, too */
    PROGRESS_OSC_INDETERMINATE,
} ProgressOsc;

typedef struct ProgressScanEvents {
    void (*line)(void *userdata, const ProgressReading *reading);
    /* reading is NULL but for PROGRESS_OSC_VALUE. */
    void (*osc)(void *userdata, ProgressOsc what, const ProgressReading *reading);
} ProgressScanEvents;

/* All zero is one that has seen nothing, but for its events, lines and stream. */
typedef struct ProgressScan {
    const ProgressScanEvents *events; /* not owned */
    void *userdata;                   /* not owned */
    EscapeParser escape;
    ProgressLines *lines; /* of all streams; not owned */
    LogStream stream;
    uint64_t fed;  /* bytes */
    bool headless; /* of the line under way the beginning is not known: it is not read */
    bool cut;      /* the same, but only its first word is not to be read */
    bool fresh;    /* something has come since it was read */
    size_t size;
    char line[2 * PROGRESS_LINE_MAX];
} ProgressScan;

void progress_scan_feed(ProgressScan *s, const char *data, size_t size);

/* So many bytes are left out here: what follows begins in the midst of a line. */
void progress_scan_skip(ProgressScan *s, size_t size);

/* Whether there is a line that has not ended and was not read, and reads it. It stays: more may
 * come. */
bool progress_scan_is_unsettled(const ProgressScan *s);
void progress_scan_settle(ProgressScan *s);
