#include "daemon/core/backend-plan.h"

/* ---- thresholds ---- */

BackendState backend_health_count(BackendHealth *h, BackendState state, bool ok,
                                  const BackendSettings *s) {
    uint32_t *same = ok ? &h->successes : &h->failures;
    uint32_t threshold = ok ? s->success_threshold : s->failure_threshold;

    *(ok ? &h->failures : &h->successes) = 0;
    if (*same < UINT32_MAX)
        (*same)++;
    if (state != BACKEND_UNKNOWN && *same < threshold)
        return state;
    return ok ? BACKEND_ONLINE : BACKEND_OFFLINE;
}

/* ---- pauses ---- */

/* From 0 to max. */
static uint64_t any_up_to(uint64_t max, uint64_t random) {
    return max == UINT64_MAX ? random : random % (max + 1);
}

uint64_t backend_plan_first(uint64_t interval, size_t n_waiting, uint64_t random) {
    uint64_t all = n_waiting * (USEC_PER_SEC / BACKEND_FIRST_RATE);

    return any_up_to(MIN(all, interval), random);
}

uint64_t backend_plan_next(uint64_t interval, bool spread, uint64_t random) {
    uint64_t width = spread ? interval : interval / 8;

    return interval - width / 2 + any_up_to(width, random);
}

uint64_t backend_plan_backoff(uint64_t interval, uint64_t max, uint32_t failures, uint64_t random) {
    uint64_t most = MAX(interval, max);
    uint64_t least = MIN(interval, BACKEND_PAUSE_MIN);
    uint64_t pause = interval;

    for (; failures > 1 && pause < most; failures--)
        pause = MIN(pause * 2, most);
    return least + any_up_to(pause - least, random);
}

uint64_t backend_plan_late(uint64_t due, uint64_t now, uint64_t interval, uint64_t random) {
    if (now < due || now - due < BACKEND_STANDSTILL)
        return 0;
    return 1 + any_up_to(MIN(now - due, interval), random);
}
