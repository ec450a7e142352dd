#include "daemon/core/series.h"

static bool is_calendar(const TaskSpec *s) {
    return !isempty(s->calendar);
}

/* The moment that start-at names belongs to the calendar. */
uint64_t series_first_base(const TaskSpec *s, uint64_t now) {
    return s->start_at > now ? s->start_at - 1 : now;
}

void series_begin(Task *t, uint64_t now) {
    if (is_calendar(t->spec)) {
        t->ready_at = series_first_base(t->spec, now);
        t->due_at = 0;
    } else
        t->due_at = MAX(t->spec->start_at, now);
}

uint64_t series_base(const Task *t, uint64_t now) {
    uint64_t limit = t->attempt == 0 ? series_first_base(t->spec, now) : now;

    /* A run may have been made a moment ahead of the clock, which was put right since: that moment
     * is over. Further ahead, the clock was another one then. */
    return t->ready_at > limit + SERIES_GRACE_USEC ? limit : t->ready_at;
}

bool series_is_missed(const Task *t, uint64_t now) {
    return is_calendar(t->spec) && !t->spec->persistent && t->due_at > 0 &&
           now > t->due_at + SERIES_GRACE_USEC;
}

void series_skip(Task *t, uint64_t now) {
    t->ready_at = now;
    t->due_at = 0;
}

void series_run_made(Task *t, uint64_t now) {
    t->attempt++;
    t->ready_at = now;
    t->due_at = 0;
}

void series_run_ended(Task *t, uint64_t now, bool recovering) {
    if (!is_calendar(t->spec))
        t->due_at = now + t->spec->every_usec;
    else if (!recovering && t->due_at <= now)
        series_skip(t, now);
}

static uint64_t shifted(uint64_t time, int64_t usec) {
    if (usec < 0)
        return time > (uint64_t)-usec ? time - (uint64_t)-usec : 1;
    return time + (uint64_t)usec;
}

bool series_clock_jumped(Task *t, int64_t usec) {
    bool named = t->attempt == 0 && t->spec->start_at > 0;

    if (t->due_at == 0 || named || is_calendar(t->spec))
        return false;
    t->due_at = shifted(t->due_at, usec);
    return true;
}
