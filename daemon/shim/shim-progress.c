#include "daemon/shim/shim-progress.h"

#include <inttypes.h>

#include "common/shim-protocol.h"

/* How long a line that has not ended is left for more of it to come. */
#define SETTLE_USEC (50 * USEC_PER_MSEC)

/* What is read at once: more than people read, and than programs print that tell them how far they
 * are. Of what comes faster the end is kept, and read when the slice of time is over; so a flood
 * costs next to nothing, and the last that was said is not missed. */
#define SLICE_MAX (16 * KIB)
#define SLICE_USEC (50 * USEC_PER_MSEC)

void shim_progress_done(ShimProgress *p) {
    p->reader = progress_reader_free(p->reader);
}

static bool make_reader(ShimProgress *p) {
    if (!p->reader)
        p->reader = progress_reader_new();
    return p->reader != NULL;
}

static ShimProgressTail *tail_of(ShimProgress *p, LogStream stream) {
    return stream == LOG_STREAM_STDERR ? &p->err : &p->out;
}

static void keep_tail(ShimProgressTail *t, const char *data, size_t size) {
    if (size >= sizeof(t->data)) {
        t->lost += t->size + size - sizeof(t->data);
        memcpy(t->data, data + size - sizeof(t->data), sizeof(t->data));
        t->size = sizeof(t->data);
        return;
    }
    size_t over = t->size + size > sizeof(t->data) ? t->size + size - sizeof(t->data) : 0;
    memmove(t->data, t->data + over, t->size - over);
    memcpy(t->data + t->size - over, data, size);
    t->size += size - over;
    t->lost += over;
}

static void read_tail(ShimProgress *p, LogStream stream) {
    ShimProgressTail *t = tail_of(p, stream);

    if (t->size == 0)
        return;
    if (t->lost > 0)
        progress_reader_skip(p->reader, stream, t->lost);
    p->pending |= progress_reader_feed(p->reader, stream, t->data, t->size);
    p->fed += t->size;
    t->size = t->lost = 0;
}

static void read_tails(ShimProgress *p) {
    read_tail(p, LOG_STREAM_STDOUT);
    read_tail(p, LOG_STREAM_STDERR);
}

void shim_progress_feed(ShimProgress *p, LogStream stream, const char *data, size_t size) {
    ShimProgressTail *tail = tail_of(p, stream);

    if (!make_reader(p))
        return;
    p->waits = false;
    if (tail->size > 0 || p->fed + size > SLICE_MAX) {
        keep_tail(tail, data, size);
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

static void settle(ShimProgress *p) {
    p->waits = false;
    p->pending |= progress_reader_settle(p->reader);
}

void shim_progress_tick(ShimProgress *p, uint64_t now) {
    if (!p->reader)
        return;
    if (now >= p->begin_usec + SLICE_USEC) {
        p->begin_usec = now;
        p->fed = 0;
        read_tails(p);
    }
    if (!p->waits) {
        p->waits = progress_reader_is_unsettled(p->reader);
        p->settle_usec = now + SETTLE_USEC;
    } else if (now >= p->settle_usec) {
        settle(p);
    }
}

uint64_t shim_progress_due(const ShimProgress *p) {
    uint64_t due = p->waits ? p->settle_usec : USEC_INFINITY;

    return p->out.size + p->err.size > 0 ? MIN(due, p->begin_usec + SLICE_USEC) : due;
}

void shim_progress_finish(ShimProgress *p) {
    if (!p->reader)
        return;
    read_tails(p);
    settle(p);
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
