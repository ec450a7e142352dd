#include "daemon/shim/shim-progress.h"

#include <inttypes.h>

#include "common/shim-protocol.h"

/* How long a line that has not ended is left for more of it to come. */
#define SETTLE_USEC (50 * USEC_PER_MSEC)

/* More than people read, and than programs print that tell them how far they are. */
#define FEED_MAX (64 * KIB)
#define FEED_USEC (50 * USEC_PER_MSEC)

void shim_progress_done(ShimProgress *p) {
    p->reader = progress_reader_free(p->reader);
}

static bool make_reader(ShimProgress *p) {
    if (!p->reader)
        p->reader = progress_reader_new();
    return p->reader != NULL;
}

void shim_progress_feed(ShimProgress *p, LogStream stream, const char *data, size_t size) {
    if (!make_reader(p))
        return;
    p->waits = false;
    if (p->fed + size > FEED_MAX) {
        p->pending |= progress_reader_glance(p->reader, stream, data, size);
        return;
    }
    p->fed += size;
    p->pending |= progress_reader_feed(p->reader, stream, data, size);
}

void shim_progress_notify(ShimProgress *p, const ProgressReading *reading) {
    if (make_reader(p))
        p->pending |= progress_reader_notify(p->reader, reading);
}

/* ---- time ---- */

void shim_progress_tick(ShimProgress *p, uint64_t now) {
    if (!p->reader)
        return;
    if (now >= p->begin_usec + FEED_USEC) {
        p->begin_usec = now;
        p->fed = 0;
    }
    if (!p->waits) {
        p->waits = progress_reader_is_unsettled(p->reader);
        p->settle_usec = now + SETTLE_USEC;
    } else if (now >= p->settle_usec) {
        shim_progress_finish(p);
    }
}

uint64_t shim_progress_due(const ShimProgress *p) {
    return p->waits ? p->settle_usec : USEC_INFINITY;
}

void shim_progress_finish(ShimProgress *p) {
    p->waits = false;
    if (p->reader)
        p->pending |= progress_reader_settle(p->reader);
}

/* ---- what is told ---- */

void shim_progress_add_fields(const ShimProgress *p, Fields *fields) {
    const ProgressState *s = p->reader ? progress_reader_state(p->reader) : NULL;

    if (!s || s->source == PROGRESS_SOURCE_NONE)
        return;
    fields_add(fields, SHIM_PROGRESS_SOURCE, progress_source_to_string(s->source));
    if (s->phase[0])
        fields_add(fields, NOTIFY_PHASE, s->phase);
    if (s->fraction >= 0)
        fields_addf(fields, NOTIFY_PROGRESS, "%.6f", s->fraction);
    if (s->done > 0 || s->total > 0)
        fields_addf(fields, NOTIFY_DONE, "%" PRIu64, s->done);
    if (s->total > 0)
        fields_addf(fields, NOTIFY_TOTAL, "%" PRIu64, s->total);
    if (s->bytes)
        fields_add(fields, NOTIFY_UNIT, NOTIFY_UNIT_BYTES);
}

void shim_progress_sent(ShimProgress *p) {
    p->pending = false;
}

void shim_progress_retell(ShimProgress *p) {
    p->pending = p->reader && progress_reader_state(p->reader)->source != PROGRESS_SOURCE_NONE;
}
