#include "daemon/core/estimate.h"

#include <stdlib.h>

/* What came is kept in spans of time, from the first reading to the last: how long each was, how
 * much was done in it, and the longest silence. The younger ones are short; what is old is merged
 * to longer ones, so that memory is fixed however long it goes on.
 *
 * The pace is the mean over all of them, weighted by age. The weight of what is `age` old is
 * 1 / (1 + age / memory)^3, whose mean over a span has a plain form. For the end, memory grows with
 * the time that has passed: of a task that has run for an hour, a bad minute says little. */
#define SPANS_MAX 20
#define SPAN_MIN_SEC 0.1

#define MEMORY_MIN_SEC 1.0  /* for the end */
#define MEMORY_SHARE 0.33   /* of the time that has passed */
#define MEMORY_RATE_SEC 5.0 /* for the rate: that is to show how it is now */
#define MEMORY_GAPS 6.0     /* as many of the usual silences are to be seen at least */

/* Nothing is said before there is this much: two readings with time between them, or some more. */
#define EVIDENCE_SEC 1.0
#define EVIDENCE_READINGS 3
#define EVIDENCE_READINGS_SEC 0.1

/* A silence, or a step, that is longer than all others by this, and the only one of its kind, is
 * none of the pace: a network that was gone, many files that were there already. It takes some
 * readings to know what is usual. */
#define ODD_TIMES 8
#define ODD_ALIKE 4 /* two of which one is not longer than the other by this are of a kind */
#define ODD_READINGS 6
#define ODD_GAP_MIN_SEC 2.0

/* While nothing comes, as much as this of the time that was left is left. */
#define LEFT_MIN_SHARE 0.1

#define LEFT_MAX_SEC (100.0 * 365 * 86400)

typedef struct Span {
    float seconds;
    float gap; /* the longest time between two readings */
    float fraction, done;
} Span;

struct Estimate {
    Span spans[SPANS_MAX]; /* the oldest first; the last one is still growing */
    unsigned n_spans;
    unsigned n_readings;             /* that brought something, the first one not counted */
    double first_fraction, fraction; /* negative: not known */
    uint64_t first_done, done;
    bool known; /* there was a reading */

    uint64_t last_usec; /* of the last reading that brought something */
    uint64_t paused_at; /* 0: it is not */

    /* What is odd is in no span as long as it is alone. */
    double gap_max, step_max;    /* of all others */
    double odd_gap, odd_gap_age; /* how long ago that was at the last reading, seconds */
    unsigned odd_gap_readings;   /* since then */
    double odd_fraction, odd_done, odd_step;
};

Estimate *estimate_free(Estimate *e) {
    free(e);
    return NULL;
}

void estimate_reset(Estimate *e) {
    if (e)
        *e = (Estimate){.fraction = -1, .paused_at = e->paused_at};
}

/* ---- the pace ---- */

/* What came, and in how much time, both by weight. */
typedef struct Sums {
    double seconds, fraction, done;
} Sums;

static Sums sum_up(const Estimate *e, double memory) {
    Sums s = {};
    double age = 0;

    for (unsigned i = e->n_spans; i-- > 0;) {
        const Span *p = &e->spans[i];
        double from = 1 + age / memory, to = 1 + (age + p->seconds) / memory;
        double weight = (from + to) / (2 * from * from * to * to);
        s.seconds += weight * p->seconds;
        s.fraction += weight * p->fraction;
        s.done += weight * p->done;
        age += p->seconds;
    }
    return s;
}

static double total_seconds(const Estimate *e) {
    double seconds = 0;

    for (unsigned i = 0; i < e->n_spans; i++)
        seconds += e->spans[i].seconds;
    return seconds;
}

/* How long it is silent as a rule; of what is long ago, less. */
static double usual_gap(const Estimate *e, double memory) {
    double gap = 0, age = 0;

    for (unsigned i = e->n_spans; i-- > 0;) {
        gap = MAX(gap, e->spans[i].gap / (1 + age / memory));
        age += e->spans[i].seconds;
    }
    return gap;
}

/* An odd silence counts until it goes on as before. */
static double pending_gap(const Estimate *e) {
    bool goes_on =
        e->odd_gap_readings >= ODD_READINGS && e->odd_gap_age >= MAX(1.0, e->odd_gap / 50);

    return goes_on ? 0 : e->odd_gap;
}

typedef struct Pace {
    Sums sums;
    double gap;    /* since the last reading */
    double excess; /* as much of it is more than usual */
} Pace;

static Pace pace_now(const Estimate *e, uint64_t now_usec, double memory_sec) {
    double memory = MAX(memory_sec, MEMORY_GAPS * usual_gap(e, memory_sec));
    uint64_t now = e->paused_at > 0 ? e->paused_at : now_usec;
    Pace p = {.sums = sum_up(e, memory)};

    p.gap = now > e->last_usec ? (double)(now - e->last_usec) / USEC_PER_SEC : 0;
    p.excess = MAX(p.gap - usual_gap(e, memory), 0.0);
    p.sums.seconds += p.excess + pending_gap(e);
    return p;
}

static double memory_for_end(const Estimate *e) {
    return MAX(MEMORY_MIN_SEC, MEMORY_SHARE * total_seconds(e));
}

static bool has_evidence(const Estimate *e) {
    double seconds = total_seconds(e);

    return seconds >= EVIDENCE_SEC ||
           (e->n_readings >= EVIDENCE_READINGS && seconds >= EVIDENCE_READINGS_SEC);
}

double estimate_rate(const Estimate *e, uint64_t now_usec) {
    if (!e || e->done <= e->first_done || !has_evidence(e))
        return -1;
    Pace p = pace_now(e, now_usec, MIN(MEMORY_RATE_SEC, memory_for_end(e)));
    return p.sums.seconds > 0 ? p.sums.done / p.sums.seconds : -1;
}

uint64_t estimate_remaining_usec(const Estimate *e, uint64_t now_usec) {
    if (!e || e->fraction <= MAX(e->first_fraction, 0.0) || !has_evidence(e))
        return USEC_INFINITY;
    if (e->fraction >= 1)
        return 0;
    Pace p = pace_now(e, now_usec, memory_for_end(e));
    if (!(p.sums.fraction > 0))
        return USEC_INFINITY;
    double left = (1 - e->fraction) / p.sums.fraction * p.sums.seconds;
    /* It is thought to go on as it did for as long as it is usually silent. When it is silent for
     * longer, the pace falls; and who has waited in vain may well wait for as long again. */
    left = MAX(left - (p.gap - p.excess), left * LEFT_MIN_SHARE);
    left = MAX(left, p.excess);
    return left < LEFT_MAX_SEC ? (uint64_t)(left * USEC_PER_SEC) : USEC_INFINITY;
}

/* ---- readings ---- */

/* Two neighbours become one: those that are the shortest for their age. */
static void merge_spans(Estimate *e) {
    double age = 0, best_share = 0;
    unsigned best = 0;

    for (unsigned i = e->n_spans - 1; i > 0; i--) {
        double seconds = (double)e->spans[i].seconds + e->spans[i - 1].seconds;
        double share = seconds / (age + SPAN_MIN_SEC);
        if (best == 0 || share < best_share) {
            best = i;
            best_share = share;
        }
        age += e->spans[i].seconds;
    }
    Span *to = &e->spans[best - 1], *from = &e->spans[best];
    to->seconds += from->seconds;
    to->fraction += from->fraction;
    to->done += from->done;
    to->gap = MAX(to->gap, from->gap);
    memmove(from, from + 1, (e->n_spans - best - 1) * sizeof(Span));
    e->n_spans--;
}

static Span *growing_span(Estimate *e) {
    if (e->n_spans > 0 && e->spans[e->n_spans - 1].seconds < SPAN_MIN_SEC)
        return &e->spans[e->n_spans - 1];
    if (e->n_spans == SPANS_MAX)
        merge_spans(e);
    e->spans[e->n_spans] = (Span){};
    return &e->spans[e->n_spans++];
}

static bool is_odd(const Estimate *e, double size, double max) {
    return e->n_readings >= ODD_READINGS && size > ODD_TIMES * max;
}

/* How much of the time since the last reading counts for the pace. */
static double take_gap(Estimate *e, double gap) {
    bool odd = gap >= ODD_GAP_MIN_SEC && is_odd(e, gap, MAX(e->gap_max, e->odd_gap));
    double counted = gap;

    e->odd_gap_age += gap;
    e->odd_gap_readings++;
    if (gap * ODD_ALIKE > e->odd_gap) {
        counted += e->odd_gap;
        e->gap_max = MAX(e->gap_max, e->odd_gap);
        e->odd_gap = 0;
    }
    if (!odd) {
        e->gap_max = MAX(e->gap_max, gap);
        return counted;
    }
    e->odd_gap = gap - e->gap_max;
    e->odd_gap_age = 0;
    e->odd_gap_readings = 0;
    return counted - e->odd_gap;
}

/* What is done at one go and does not count for the pace leaves *fraction and *done. */
static void take_step(Estimate *e, double gap, double *fraction, double *done) {
    Sums s = sum_up(e, memory_for_end(e));
    bool by_fraction = e->fraction >= 0;
    double step = by_fraction ? *fraction : *done;
    double usual = s.seconds > 0 ? (by_fraction ? s.fraction : s.done) / s.seconds * gap : 0;
    double max = MAX(e->step_max, usual);
    bool odd = is_odd(e, step, MAX(max, e->odd_step));

    if (step * ODD_ALIKE > e->odd_step) {
        *fraction += e->odd_fraction;
        *done += e->odd_done;
        e->step_max = MAX(e->step_max, e->odd_step);
        e->odd_step = e->odd_fraction = e->odd_done = 0;
    }
    if (!odd) {
        e->step_max = MAX(e->step_max, step);
        return;
    }
    double share = 1 - usual / step;
    e->odd_step = step;
    e->odd_fraction = *fraction * share;
    e->odd_done = *done * share;
    *fraction -= e->odd_fraction;
    *done -= e->odd_done;
}

static void begin(Estimate *e, uint64_t now_usec, double fraction, uint64_t done) {
    estimate_reset(e);
    e->known = true;
    e->first_fraction = e->fraction = fraction;
    e->first_done = e->done = done;
    e->last_usec = now_usec;
}

static void add(Estimate *e, uint64_t now_usec, double fraction, uint64_t done) {
    /* It has not counted so far, or there would be some by now. */
    if (e->done == 0 && e->fraction > 0)
        e->first_done = e->done = done;
    double more_fraction = MAX(fraction - e->fraction, 0.0);
    double more_done = done > e->done ? (double)(done - e->done) : 0;

    /* What was said before is no news; what is less is none either. */
    if (!(more_fraction > 0) && !(more_done > 0))
        return;
    double gap = now_usec > e->last_usec ? (double)(now_usec - e->last_usec) / USEC_PER_SEC : 0;
    e->fraction = MAX(fraction, e->fraction);
    e->done = MAX(done, e->done);
    e->last_usec = MAX(now_usec, e->last_usec);
    take_step(e, gap, &more_fraction, &more_done);
    double counted = take_gap(e, gap);

    Span *span = growing_span(e);
    span->seconds += (float)counted;
    span->gap = MAX(span->gap, (float)MIN(gap, counted));
    span->fraction += (float)more_fraction;
    span->done += (float)more_done;
    e->n_readings++;
}

void estimate_note(Estimate **e, uint64_t now_usec, double fraction, uint64_t done) {
    if (!(fraction >= 0 && fraction <= 1))
        fraction = -1;
    if (!*e)
        *e = calloc(1, sizeof(Estimate));
    if (!*e)
        return;
    if ((*e)->paused_at > 0)
        now_usec = (*e)->paused_at;
    /* From now on the whole is known: the steps to it begin here. */
    if (!(*e)->known || ((*e)->fraction < 0 && fraction >= 0))
        begin(*e, now_usec, fraction, done);
    else
        add(*e, now_usec, fraction, done);
}

void estimate_pause(Estimate *e, uint64_t now_usec, bool pause) {
    if (!e || pause == (e->paused_at > 0))
        return;
    if (pause)
        e->paused_at = MAX(now_usec, 1u);
    else {
        /* The last reading is as long ago as it was. */
        e->last_usec += now_usec > e->paused_at ? now_usec - e->paused_at : 0;
        e->paused_at = 0;
    }
}
