#include "daemon/shim/progress-reader.h"

#include <stdlib.h>

#include "daemon/shim/progress-scan.h"
#include "daemon/shim/progress-track.h"

struct ProgressReader {
    ProgressScan out, err;
    ProgressLines lines;
    LogStream stream; /* of the piece that is being read */
    ProgressTrack track;
    bool changed; /* by it */
};

static void on_line(void *userdata, const ProgressReading *reading) {
    ProgressReader *r = userdata;

    r->changed |= progress_track_line(&r->track, r->stream, reading);
}

static void on_osc(void *userdata, ProgressOsc what, const ProgressReading *reading) {
    ProgressReader *r = userdata;

    r->changed |= progress_track_osc(&r->track, what, reading);
}

static const ProgressScanEvents scan_events = {.line = on_line, .osc = on_osc};

ProgressReader *progress_reader_new(void) {
    ProgressReader *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->out.events = r->err.events = &scan_events;
    r->out.userdata = r->err.userdata = r;
    r->out.lines = r->err.lines = &r->lines;
    r->out.stream = LOG_STREAM_STDOUT;
    r->err.stream = LOG_STREAM_STDERR;
    progress_track_init(&r->track);
    return r;
}

ProgressReader *progress_reader_free(ProgressReader *r) {
    free(r);
    return NULL;
}

/* ---- output ---- */

static ProgressScan *begin(ProgressReader *r, LogStream stream) {
    r->stream = stream;
    r->changed = false;
    return stream == LOG_STREAM_STDERR ? &r->err : &r->out;
}

bool progress_reader_feed(ProgressReader *r, LogStream stream, const char *data, size_t size) {
    ProgressScan *s = begin(r, stream);

    if (size > PROGRESS_PIECE_MAX) {
        size_t skipped = size - PROGRESS_PIECE_END;
        progress_scan_skip(s, skipped);
        data += skipped;
        size -= skipped;
    }
    progress_scan_feed(s, data, size);
    return r->changed;
}

void progress_reader_skip(ProgressReader *r, LogStream stream, size_t size) {
    progress_scan_skip(begin(r, stream), size);
}

bool progress_reader_settle(ProgressReader *r) {
    progress_scan_settle(begin(r, LOG_STREAM_STDOUT));
    bool changed = r->changed;
    progress_scan_settle(begin(r, LOG_STREAM_STDERR));
    return r->changed || changed;
}

bool progress_reader_is_unsettled(const ProgressReader *r) {
    return progress_scan_is_unsettled(&r->out) || progress_scan_is_unsettled(&r->err);
}

/* ---- the rest ---- */

bool progress_reader_notify(ProgressReader *r, const ProgressReading *reading) {
    return progress_track_notify(&r->track, reading);
}

const ProgressState *progress_reader_state(const ProgressReader *r) {
    return &r->track.state;
}
