#include "daemon/shim/progress-track.h"

#include <stdio.h>

#include "common/text.h"

#define TOLD_MAX 0.999     /* 1.0 is kept for success */
#define NEARLY_ALL 0.95    /* what gets there is over, when another source takes over */
#define SMALL_STEP 0.1     /* back: another source, but of the same thing */
#define ADVANCES_NEEDED 2U /* of an unsure source, to take over from one that is believed */

void progress_track_init(ProgressTrack *t) {
    static const ProgressSource sources[_PROGRESS_TRACK_MAX] = {
        PROGRESS_SOURCE_PERCENT, PROGRESS_SOURCE_PERCENT, PROGRESS_SOURCE_COUNTER,
        PROGRESS_SOURCE_COUNTER, PROGRESS_SOURCE_OSC,     PROGRESS_SOURCE_NOTIFY};

    *t = (ProgressTrack){.state.fraction = -1};
    for (size_t i = 0; i < _PROGRESS_TRACK_MAX; i++)
        t->channels[i].source = sources[i];
}

/* ---- readings ---- */

/* What is shown must be fit for a D-Bus string, and be cut to its room between two characters. */
static void clean_label(char label[static PROGRESS_PHASE_MAX]) {
    label[PROGRESS_PHASE_MAX - 1] = '\0';
    for (size_t n, left = strlen(label); left > 0; label += n, left -= n) {
        n = utf8_size(label, left);
        if (n == 0 && left < 4 && ((unsigned char)*label & 0xc0) == 0xc0) {
            *label = '\0';
            return;
        }
        if (n == 0 || (unsigned char)*label < 0x20 || *label == 0x7f)
            *label = '?';
        n = MAX(n, 1U);
    }
}

/* Makes fraction, done and total agree. False: it says nothing, or what cannot be. */
static bool make_valid(ProgressReading *r) {
    clean_label(r->phase);
    if (!(r->fraction >= 0 && r->fraction <= 1))
        r->fraction = -1;
    if (r->total > 0 && r->done > r->total) {
        if (r->source != PROGRESS_SOURCE_NOTIFY)
            return false;
        r->done = r->total;
    }
    if (r->total > 0)
        r->fraction = (double)r->done / (double)r->total;
    return r->fraction >= 0 || r->done > 0;
}

/* ---- phases ---- */

static void forget_numbers(ProgressState *s) {
    s->fraction = -1;
    s->done = s->total = 0;
    s->bytes = false;
}

/* Cuts what has no room, between two characters. */
static void set_name(ProgressTrack *t, const char *base, unsigned n) {
    char end[16] = "";

    if (n > 1)
        snprintf(end, sizeof(end), " (%u)", n);
    size_t room = PROGRESS_PHASE_MAX - 1 - strlen(end), size = strlen(base);
    if (size > room)
        for (size = room; size > 0 && ((unsigned char)base[size] & 0xc0) == 0x80;)
            size--;
    memcpy(t->state.phase, base, size);
    strcpy(t->state.phase + size, end);
}

/* Those of the same name that follow each other are numbered. */
static void name_phase(ProgressTrack *t, const char *base) {
    t->n_base = streq(base, t->base) ? t->n_base + 1 : 1;
    memmove(t->base, base, strlen(base) + 1);
    set_name(t, base, t->n_base);
}

static void begin_phase(ProgressTrack *t, const char *label) {
    char part[PROGRESS_PHASE_MAX];

    t->n_phases++;
    forget_numbers(&t->state);
    snprintf(part, sizeof(part), "part %u", t->n_phases);
    name_phase(t, t->named[0] ? t->named : label[0] ? label : part);
}

/* A name that comes later, or that another source has for it. */
static void adopt_label(ProgressTrack *t, const char *label) {
    if (!label[0] || t->named[0] || streq(label, t->base))
        return;
    t->n_base = 1;
    memcpy(t->base, label, PROGRESS_PHASE_MAX);
    set_name(t, label, 1);
}

/* ---- who leads ---- */

static bool is_counted(const ProgressReading *r) {
    return r->fraction < 0;
}

static bool is_over(const ProgressChannel *c) {
    return c->may_restart || progress_channel_is_at_end(c);
}

static bool takes_over(const ProgressTrack *t, const ProgressChannel *c) {
    const ProgressChannel *leader = t->leads;
    size_t i = (size_t)(c - t->channels);

    if (c->source == PROGRESS_SOURCE_NOTIFY)
        return true;
    if (t->notify_counts)
        return false;
    if (!leader)
        return true;
    if (is_counted(&leader->now) && !is_counted(&c->now))
        return true;
    if (is_over(leader) && t->since[i].advances >= ADVANCES_NEEDED)
        return true;
    if (is_counted(&c->now) && !is_counted(&leader->now))
        return false;
    /* The same number over and over is likely something else. */
    bool weak = !leader->now.sure && leader->advances == 0;
    if (c->source > leader->source)
        return c->now.sure || weak || c->advances >= ADVANCES_NEEDED;
    return (weak && c->advances > 0) || t->since[i].whole_phases > 0;
}

/* Whether what a source that takes over shows is the same phase still. */
static bool is_same_phase(const ProgressTrack *t, const ProgressChannel *c) {
    double shown = t->state.fraction, fraction = c->now.fraction;

    if (shown < 0)
        return t->state.done == 0 || fraction >= 0;
    if (fraction < 0)
        return false;
    if (fraction >= shown)
        return true;
    if (!t->leads)
        return fraction > shown - SMALL_STEP;
    return c->source > t->leads->source && shown < NEARLY_ALL && t->led_phases == 1;
}

/* ---- what is shown ---- */

static void show_numbers(ProgressState *s, const ProgressReading *r) {
    if (r->fraction >= 0 ? r->fraction < s->fraction : s->fraction >= 0 || r->done < s->done)
        return; /* it waits until that is passed */
    s->fraction = MIN(r->fraction, TOLD_MAX);
    s->done = r->done;
    s->total = r->total;
    s->bytes = r->bytes;
}

static void lead(ProgressTrack *t, ProgressChannel *c) {
    if (t->n_phases == 0)
        t->n_phases = 1;
    if (!is_same_phase(t, c))
        begin_phase(t, c->now.phase);
    t->leads = c;
    t->led_phase = c->phase;
    t->led_phases = 1;
}

static void show(ProgressTrack *t, ProgressChannel *c) {
    if (c != t->leads) {
        lead(t, c);
    } else if (c->phase != t->led_phase) {
        begin_phase(t, c->now.phase);
        t->led_phase = c->phase;
        t->led_phases++;
    }
    adopt_label(t, c->now.phase);
    show_numbers(&t->state, &c->now);
    t->state.source = c->source;
}

static bool state_equals(const ProgressState *a, const ProgressState *b) {
    return a->source == b->source && a->fraction == b->fraction && a->done == b->done &&
           a->total == b->total && a->bytes == b->bytes && streq(a->phase, b->phase);
}

/* ---- readings of each sort ---- */

static void leader_spoke(ProgressTrack *t) {
    for (size_t i = 0; i < _PROGRESS_TRACK_MAX; i++) {
        t->since[i].advances = t->since[i].whole_phases = 0;
        t->since[i].phase = t->channels[i].phase;
    }
}

static void other_spoke(ProgressTrack *t, size_t i, ProgressChange change, bool was_whole) {
    if (change == PROGRESS_CHANGE_NONE)
        return;
    t->since[i].advances++;
    /* Of a phase that it was in before, the leader may have seen a part. */
    if (change == PROGRESS_CHANGE_PHASE && was_whole &&
        t->channels[i].phase > t->since[i].phase + 1)
        t->since[i].whole_phases++;
}

static bool note(ProgressTrack *t, ProgressTrackSource source, const ProgressReading *reading) {
    ProgressChannel *c = &t->channels[source];
    ProgressReading valid = *reading;
    ProgressState before = t->state;

    valid.source = c->source;
    if (!make_valid(&valid))
        return false;
    if (valid.begins)
        c->may_restart = c->trusted;
    bool was_whole = progress_channel_is_whole(c);
    ProgressChange change = progress_channel_note(c, &valid);
    if (c == t->leads)
        leader_spoke(t);
    else
        other_spoke(t, source, change, was_whole);
    if (change == PROGRESS_CHANGE_NONE || (c != t->leads && !takes_over(t, c)))
        return false;
    if (c != t->leads)
        leader_spoke(t);
    show(t, c);
    return !state_equals(&before, &t->state);
}

bool progress_track_line(ProgressTrack *t, LogStream stream, const ProgressReading *reading) {
    ProgressTrackSource first = reading->source == PROGRESS_SOURCE_COUNTER ? PROGRESS_TRACK_COUNTER
                                                                           : PROGRESS_TRACK_PERCENT;

    return note(t, first + (stream == LOG_STREAM_STDERR), reading);
}

bool progress_track_osc(ProgressTrack *t, ProgressOsc what, const ProgressReading *reading) {
    ProgressChannel *c = &t->channels[PROGRESS_TRACK_OSC];

    switch (what) {
    case PROGRESS_OSC_VALUE:
        return note(t, PROGRESS_TRACK_OSC, reading);
    case PROGRESS_OSC_INDETERMINATE:
        c->may_restart = c->trusted;
        return false;
    case PROGRESS_OSC_REMOVE:
        progress_channel_reset(c);
        if (t->leads == c)
            t->leads = NULL;
        return false;
    }
    return false;
}

/* What is under way there is not known: it may begin anew, or go on. */
static void begin_named_phase(ProgressTrack *t, const char *name) {
    memcpy(t->named, name, sizeof(t->named));
    for (size_t i = 0; i < _PROGRESS_TRACK_MAX; i++)
        t->channels[i].may_restart = t->channels[i].trusted;
    if (t->n_phases > 0)
        progress_channel_reset(&t->channels[PROGRESS_TRACK_NOTIFY]);
    t->leads = NULL;
    begin_phase(t, "");
    t->state.source = PROGRESS_SOURCE_NOTIFY;
}

bool progress_track_notify(ProgressTrack *t, const ProgressReading *reading) {
    ProgressReading r = *reading;
    bool named = false;

    clean_label(r.phase);
    if (r.phase[0] && !streq(r.phase, t->named)) {
        begin_named_phase(t, r.phase);
        named = true;
    }
    r.phase[0] = '\0';
    r.sure = true;
    if (r.total > 0 || r.done > 0 || (r.fraction >= 0 && r.fraction <= 1))
        t->notify_counts = true;
    return note(t, PROGRESS_TRACK_NOTIFY, &r) || named;
}
