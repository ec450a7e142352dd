#include "daemon/shim/progress-channel.h"

#define NEAR_BEGIN 0.25
#define NEAR_END 0.75
#define AT_END 0.995
#define SMALL_STEP 0.1 /* back: what runs in parallel ends in any order */
#define LARGE_STEP 0.5 /* ahead: of something else, perhaps */

/* Readings that it takes to begin a phase: where the source names another one or begins anew after
 * its end, and where it falls from anywhere to anywhere. */
#define NEEDED_NEW 2
#define NEEDED_FALL 5
#define NEEDED_FALL_SURE 3

static bool is_counted(const ProgressReading *r) {
    return r->fraction < 0;
}

static bool same_label(const ProgressReading *a, const ProgressReading *b) {
    return !a->phase[0] || !b->phase[0] || streq(a->phase, b->phase);
}

/* Whether b goes on from a, or stays there: in the same unit, of the same total. */
static bool goes_on(const ProgressReading *a, const ProgressReading *b) {
    if (!same_label(a, b) || a->total != b->total)
        return false;
    if (is_counted(a) || is_counted(b))
        return is_counted(a) && is_counted(b) && b->done >= a->done;
    return b->fraction >= a->fraction;
}

static bool is_further(const ProgressReading *a, const ProgressReading *b) {
    return b->fraction > a->fraction || (is_counted(b) && b->done > a->done);
}

static bool is_jump(const ProgressReading *a, const ProgressReading *b) {
    return !b->sure && b->source == PROGRESS_SOURCE_PERCENT && a->fraction >= 0 &&
           b->fraction > a->fraction + LARGE_STEP;
}

/* Whether it counts something else, though it looks further: "test 3/3" among "[42/100]". Of what
 * is counted there may turn out to be more, but hardly less. */
static bool is_other_count(const ProgressReading *now, const ProgressReading *r) {
    return !r->sure && now->total > 0 && r->total > 0 && r->total != now->total &&
           (r->total < now->total || r->done < now->done);
}

/* ---- changes ---- */

static ProgressChange advance(ProgressChannel *c, const ProgressReading *r) {
    char label[PROGRESS_PHASE_MAX];

    c->n_waiting = 0;
    c->may_restart = false;
    if (is_further(&c->now, r))
        c->advances++;
    memcpy(label, r->phase[0] ? r->phase : c->now.phase, sizeof(label));
    c->now = *r;
    memcpy(c->now.phase, label, sizeof(label));
    return PROGRESS_CHANGE_ADVANCE;
}

static ProgressChange begin_phase(ProgressChannel *c, const ProgressReading *r, double began) {
    c->trusted = true;
    memcpy(c->label_before, c->now.phase, sizeof(c->label_before));
    c->now = *r;
    c->phase++;
    c->began = began;
    c->advances = c->n_waiting > 1;
    c->n_waiting = 0;
    c->may_restart = false;
    return PROGRESS_CHANGE_PHASE;
}

static ProgressChange stay(ProgressChannel *c) {
    c->n_waiting = 0;
    return PROGRESS_CHANGE_NONE;
}

/* ---- one that is not believed yet ---- */

static ProgressChange note_first(ProgressChannel *c, const ProgressReading *r) {
    bool seen = c->n_waiting > 0;

    if (r->sure)
        return begin_phase(c, r, r->fraction);
    if (seen && goes_on(&c->waiting, r) && !is_jump(&c->waiting, r)) {
        bool further = is_further(&c->waiting, r);
        begin_phase(c, r, c->waiting.fraction);
        c->advances = further;
        return PROGRESS_CHANGE_PHASE;
    }
    c->waiting = *r;
    c->n_waiting = 1;
    return PROGRESS_CHANGE_NONE;
}

/* ---- one that is ---- */

/* How many readings like this one, which shows less than the phase under way, it takes to believe
 * that another has begun; 0: it belongs to the one under way. */
static unsigned needed_for_phase(const ProgressChannel *c, const ProgressReading *r) {
    const ProgressReading *now = &c->now;
    unsigned few = r->sure ? 1 : NEEDED_NEW;
    bool at_end = now->fraction >= AT_END;

    if (c->may_restart)
        return 1;
    if (is_counted(r))
        return r->done < now->done / 2 ? few : 0;
    /* What has never gone on was something else, perhaps. */
    if (c->advances == 0 && !now->sure && now->total > 0 && r->total > 0 && r->total != now->total)
        return few;
    /* There is more to do than was known; unless all that was known is done. */
    if (r->done > 0 && r->done >= now->done && !(at_end && r->total != now->total))
        return 0;
    if (r->total > 0 && now->total > 0 && r->total != now->total)
        return few;
    if (r->fraction > now->fraction - SMALL_STEP)
        return 0;
    if (now->fraction >= NEAR_END && (r->fraction <= NEAR_BEGIN || r->done == 1))
        return few;
    return r->sure ? NEEDED_FALL_SURE : NEEDED_FALL;
}

static ProgressChange wait_for_more(ProgressChannel *c, const ProgressReading *r, unsigned needed,
                                    bool jump) {
    if (c->n_waiting > 0 && c->waiting_jump == jump && goes_on(&c->waiting, r)) {
        c->n_waiting++;
    } else {
        c->n_waiting = 1;
        c->n_needed = needed;
        c->waiting_jump = jump;
        c->waiting_began = r->fraction;
    }
    c->waiting = *r;
    if (c->n_waiting < c->n_needed)
        return PROGRESS_CHANGE_NONE;
    return jump ? advance(c, r) : begin_phase(c, r, c->waiting_began);
}

/* The same number again and again is not believed. */
static ProgressChange wait_for_other(ProgressChannel *c, const ProgressReading *r) {
    if (c->n_waiting > 0 && c->waiting.total == r->total && c->waiting.done == r->done)
        return PROGRESS_CHANGE_NONE;
    return wait_for_more(c, r, NEEDED_NEW, false);
}

/* Two that run side by side, each with a label of its own, are not to take turns. */
static unsigned needed_for_label(const ProgressChannel *c, const ProgressReading *r) {
    if (!r->sure)
        return NEEDED_NEW;
    return streq(r->phase, c->label_before) ? NEEDED_FALL_SURE : 1;
}

static ProgressChange note_next(ProgressChannel *c, const ProgressReading *r) {
    const ProgressReading *now = &c->now;

    if (is_counted(r) && !is_counted(now))
        return PROGRESS_CHANGE_NONE;
    if (!same_label(now, r))
        return wait_for_more(c, r, needed_for_label(c, r), false);
    if (is_jump(now, r))
        return wait_for_more(c, r, NEEDED_NEW, true);
    if (is_counted(r) ? r->done >= now->done : r->fraction >= now->fraction)
        return is_other_count(now, r) ? wait_for_other(c, r) : advance(c, r);
    unsigned needed = needed_for_phase(c, r);
    return needed > 0 ? wait_for_more(c, r, needed, false) : stay(c);
}

ProgressChange progress_channel_note(ProgressChannel *c, const ProgressReading *r) {
    return c->trusted ? note_next(c, r) : note_first(c, r);
}

void progress_channel_reset(ProgressChannel *c) {
    *c = (ProgressChannel){.source = c->source, .phase = c->phase};
}

bool progress_channel_is_at_end(const ProgressChannel *c) {
    return c->trusted && c->now.fraction >= AT_END;
}

bool progress_channel_is_whole(const ProgressChannel *c) {
    return c->trusted && c->now.fraction >= NEAR_END && c->began <= NEAR_BEGIN && c->advances >= 2;
}
