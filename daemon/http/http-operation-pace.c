#include "daemon/http/http-operation-pace.h"

static uint64_t clamp(uint64_t usec) {
    return MIN(MAX(usec, OPERATION_RETRY_AFTER_MIN_USEC), OPERATION_RETRY_AFTER_MAX_USEC);
}

/* Never sooner than was asked for; and what began together does not come together. */
static uint64_t spread(uint64_t usec, uint64_t random) {
    return usec + random % (usec / 8 + 1);
}

/* Quickly at first, for many operations are short; then every two seconds; then, while nothing
 * changes, ever less often. */
static uint64_t grow(uint64_t before, bool changed) {
    uint64_t grown = before + before / 2;

    if (before == 0)
        return OPERATION_INTERVAL_FIRST_USEC;
    return MIN(grown, changed || before < OPERATION_INTERVAL_USEC ? OPERATION_INTERVAL_USEC
                                                                  : OPERATION_INTERVAL_MAX_USEC);
}

static uint64_t in_a_hurry(const OperationPace *p, uint64_t usec) {
    return p->hurry ? MIN(usec, OPERATION_HURRY_MAX_USEC) : usec;
}

uint64_t operation_pace_good(OperationPace *p, bool changed, uint64_t retry_after_usec,
                             uint64_t random) {
    p->backoff_usec = 0;
    if (retry_after_usec > 0)
        return in_a_hurry(p, spread(clamp(retry_after_usec), random));
    if (p->fixed_usec > 0)
        return in_a_hurry(p, spread(p->fixed_usec, random));
    p->interval_usec = grow(p->interval_usec, changed);
    return in_a_hurry(p, spread(p->interval_usec, random));
}

uint64_t operation_pace_bad(OperationPace *p, uint64_t retry_after_usec, uint64_t random) {
    p->backoff_usec = p->backoff_usec == 0 ? OPERATION_BACKOFF_FIRST_USEC
                                           : MIN(p->backoff_usec * 2, OPERATION_BACKOFF_MAX_USEC);
    if (retry_after_usec > 0)
        return in_a_hurry(p, spread(MAX(clamp(retry_after_usec), p->backoff_usec), random));
    return in_a_hurry(p, spread(p->backoff_usec, random));
}
