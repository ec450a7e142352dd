/* When a backend is asked again, and what its thresholds make of the answers. */

#include "daemon/core/backend-plan.h"
#include "tests/unit/unit.h"

/* ---- thresholds ---- */

/* '+' and '-' are checks, the letters what the state is after each. */
static const struct {
    uint32_t failures, successes;
    const char *checks, *states;
} histories[] = {
    {1, 1, "+-+-", "NFNF"},
    {1, 1, "-+", "FN"},
    /* The first one decides, whatever the thresholds. */
    {3, 3, "+", "N"},
    {3, 3, "-", "F"},
    {3, 1, "+--+--+---+", "NNNNNNNNNFN"},
    {1, 3, "-++-+++-", "FFFFFFNF"},
    {2, 2, "+-+-+--++-", "NNNNNNFFNN"},
};

START_TEST(test_health) {
    BackendSettings s = {.failure_threshold = histories[_i].failures,
                         .success_threshold = histories[_i].successes};
    BackendState state = BACKEND_UNKNOWN;
    BackendHealth h = {};

    for (size_t i = 0; histories[_i].checks[i]; i++) {
        state = backend_health_count(&h, state, histories[_i].checks[i] == '+', &s);
        ck_assert_msg(state == (histories[_i].states[i] == 'N' ? BACKEND_ONLINE : BACKEND_OFFLINE),
                      "%s: check %zu", histories[_i].checks, i);
    }
}
END_TEST

/* ---- pauses ---- */

/* Any random number: those at the ends, and some between. */
static uint64_t random_at(unsigned i) {
    return i == 0 ? 0 : i == 1 ? UINT64_MAX : i * UINT64_C(0x9e3779b97f4a7c15);
}

#define TRIES 5000
/* The least and the most of many are near the bounds, and within. */
#define ASSERT_SPREAD(least, most, expression)                                                     \
    do {                                                                                           \
        uint64_t _low = UINT64_MAX, _high = 0, _from = (least), _to = (most);                      \
        for (unsigned _n = 0; _n < TRIES; _n++) {                                                  \
            uint64_t random = random_at(_n), _pause = (expression);                                \
            _low = MIN(_low, _pause);                                                              \
            _high = MAX(_high, _pause);                                                            \
        }                                                                                          \
        ck_assert_uint_ge(_low, _from);                                                            \
        ck_assert_uint_le(_high, _to);                                                             \
        ck_assert_uint_le(_low - _from, (_to - _from) / 100);                                      \
        ck_assert_uint_le(_to - _high, (_to - _from) / 100);                                       \
    } while (false)

START_TEST(test_first) {
    ASSERT_SPREAD(0, 2 * USEC_PER_MSEC, backend_plan_first(10 * USEC_PER_SEC, 1, random));
    ASSERT_SPREAD(0, 2 * USEC_PER_SEC, backend_plan_first(10 * USEC_PER_SEC, 1000, random));
    ASSERT_SPREAD(0, 1 * USEC_PER_SEC, backend_plan_first(1 * USEC_PER_SEC, 1000, random));
    ck_assert_uint_eq(backend_plan_first(USEC_PER_SEC, 0, 4711), 0);
}
END_TEST

START_TEST(test_next) {
    uint64_t sum = 0;

    ASSERT_SPREAD(9375 * USEC_PER_MSEC, 10625 * USEC_PER_MSEC,
                  backend_plan_next(10 * USEC_PER_SEC, false, random));
    ASSERT_SPREAD(5 * USEC_PER_SEC, 15 * USEC_PER_SEC,
                  backend_plan_next(10 * USEC_PER_SEC, true, random));
    /* On average it is what was asked for. */
    for (unsigned i = 0; i < TRIES; i++)
        sum += backend_plan_next(USEC_PER_SEC, false, random_at(i));
    ck_assert_uint_le(sum / TRIES - 995 * USEC_PER_MSEC, 10 * USEC_PER_MSEC);
}
END_TEST

static const struct {
    uint64_t interval, max;
    uint32_t failures;
    uint64_t least, most;
} backoffs[] = {
    {10 * USEC_PER_SEC, 60 * USEC_PER_SEC, 1, USEC_PER_SEC, 10 * USEC_PER_SEC},
    {10 * USEC_PER_SEC, 60 * USEC_PER_SEC, 2, USEC_PER_SEC, 20 * USEC_PER_SEC},
    {10 * USEC_PER_SEC, 60 * USEC_PER_SEC, 3, USEC_PER_SEC, 40 * USEC_PER_SEC},
    {10 * USEC_PER_SEC, 60 * USEC_PER_SEC, 4, USEC_PER_SEC, 60 * USEC_PER_SEC},
    {10 * USEC_PER_SEC, 60 * USEC_PER_SEC, UINT32_MAX, USEC_PER_SEC, 60 * USEC_PER_SEC},
    /* Below one second: not below the interval. */
    {100 * USEC_PER_MSEC, 60 * USEC_PER_SEC, 1, 100 * USEC_PER_MSEC, 100 * USEC_PER_MSEC},
    {100 * USEC_PER_MSEC, 60 * USEC_PER_SEC, 4, 100 * USEC_PER_MSEC, 800 * USEC_PER_MSEC},
    /* An interval above the maximum is not shortened. */
    {600 * USEC_PER_SEC, 60 * USEC_PER_SEC, 9, USEC_PER_SEC, 600 * USEC_PER_SEC},
};

START_TEST(test_backoff) {
    ASSERT_SPREAD(backoffs[_i].least, backoffs[_i].most,
                  backend_plan_backoff(backoffs[_i].interval, backoffs[_i].max,
                                       backoffs[_i].failures, random));
}
END_TEST

START_TEST(test_late) {
    uint64_t now = 100 * USEC_PER_SEC, interval = 10 * USEC_PER_SEC;

    ck_assert_uint_eq(backend_plan_late(now, now, interval, 4711), 0);
    ck_assert_uint_eq(backend_plan_late(now + 1, now, interval, 4711), 0);
    ck_assert_uint_eq(backend_plan_late(now - BACKEND_STANDSTILL + 1, now, interval, 4711), 0);
    ASSERT_SPREAD(1, 1 + USEC_PER_SEC,
                  backend_plan_late(now - USEC_PER_SEC, now, interval, random));
    /* However long it was: within an interval all are asked once. */
    ASSERT_SPREAD(1, 1 + interval, backend_plan_late(0, now, interval, random));
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("backend-plan");
    TCase *t = tcase_create("backend-plan");

    tcase_add_loop_test(t, test_health, 0, ELEMENTSOF(histories));
    tcase_add_test(t, test_first);
    tcase_add_test(t, test_next);
    tcase_add_loop_test(t, test_backoff, 0, ELEMENTSOF(backoffs));
    tcase_add_test(t, test_late);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
