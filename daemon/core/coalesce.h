#pragma once

#include "common/macro.h"

/* Holds one kind of news to a rate: the first goes out at once, what comes within the interval
 * behind it goes out together at its end. Times are monotonic microseconds that the caller passes
 * in. */
typedef struct Coalescer {
    uint64_t interval_usec;
    uint64_t next_usec; /* nothing goes out before */
    bool pending;       /* something waits */
} Coalescer;

/* There is news. */
static inline void coalescer_add(Coalescer *c) {
    c->pending = true;
}

/* True when what waits may go out now, or is to go whether it may or not; then it counts as gone.
 */
static inline bool coalescer_take(Coalescer *c, uint64_t now_usec, bool force) {
    if (!c->pending || (now_usec < c->next_usec && !force))
        return false;
    c->pending = false;
    c->next_usec = now_usec + c->interval_usec;
    return true;
}

/* Nothing goes out before a whole interval from now is over. */
static inline void coalescer_hold(Coalescer *c, uint64_t now_usec) {
    c->next_usec = now_usec + c->interval_usec;
}

/* When to come again: USEC_INFINITY when nothing waits. */
static inline uint64_t coalescer_due(const Coalescer *c) {
    return c->pending ? c->next_usec : USEC_INFINITY;
}
