/* Many backends that are watched: none waits for another, and they do not come all at once. */

#include "common/clock.h"
#include "tests/unit/unit.h"
#include "tests/unit/watch-rig.h"

/* ---- many ---- */

#define MANY 100

static void add_many(Backend *list[MANY], const char *settings) {
    for (unsigned i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof(name), "m%u", i);
        list[i] = rig_add(name, settings);
    }
}

static void remove_many(Backend *list[MANY]) {
    for (unsigned i = 0; i < MANY; i++)
        rig_remove(list[i]);
}

static bool are_all_asked(void *path) {
    return rig_requests(path) >= MANY;
}

static bool are_more_asked(void *n) {
    return rig_requests("/status") > *(unsigned *)n;
}

/* A hundred that never answer make nobody wait. */
START_TEST(test_hung_ones) {
    Backend *list[MANY], *b;

    rig_hang("/hang");
    add_many(list, "StatusPath=/hang TimeoutSec=10s StatusIntervalSec=100ms");
    rig_wait_until(are_all_asked, (char *)"/hang");
    b = rig_add_online("");
    for (unsigned i = 0; i < 10; i++) {
        uint64_t begun = clock_usec(CLOCK_MONOTONIC);
        ck_assert_str_eq(rig_check_now(b), "check b yes");
        ck_assert_uint_lt(clock_usec(CLOCK_MONOTONIC) - begun, 3 * USEC_PER_SEC);
    }
    ck_assert_uint_eq(rig_requests("/hang"), MANY);
    rig_remove(b);
    remove_many(list);
}
END_TEST

/* Requests since then, and at most so many may it be: a share at once, and then as many as there
 * are intervals of a second. A machine that is busy takes longer, and has more of them. */
static void assert_no_storm(unsigned before, uint64_t begun, unsigned at_once) {
    uint64_t passed = clock_usec(CLOCK_MONOTONIC) - begun;
    unsigned n = rig_requests("/status") - before;

    ck_assert_uint_le(n, at_once + 2 * MANY * passed / USEC_PER_SEC);
}

/* After the process stood still, nothing is made up for, and not all comes at once. */
START_TEST(test_standstill) {
    struct timespec still = {.tv_sec = 1, .tv_nsec = 500000000};
    Backend *list[MANY];
    unsigned before;
    uint64_t begun;

    rig_answer("/status", 200, "", STATUS);
    add_many(list, "StatusIntervalSec=1s");
    rig_wait_until(are_all_asked, (char *)"/status");
    rig_run(500 * USEC_PER_MSEC);
    before = rig_requests("/status");
    nanosleep(&still, NULL);
    begun = clock_usec(CLOCK_MONOTONIC);
    for (unsigned i = 0; i < 11; i++) {
        rig_run(100 * USEC_PER_MSEC);
        assert_no_storm(before, begun, MANY / 4);
    }
    /* All of them go on. */
    before += MANY / 2;
    rig_wait_until(are_more_asked, &before);
    remove_many(list);
}
END_TEST

/* What timed out meanwhile says nothing about the backend. */
START_TEST(test_standstill_under_way) {
    struct timespec still = {.tv_sec = 1, .tv_nsec = 500000000};
    Backend *b = rig_add_online("TimeoutSec=200ms");

    rig_delay("/status", 50 * USEC_PER_MSEC);
    ck_assert_int_eq(rig_check(b), 0);
    rig_run(10 * USEC_PER_MSEC);
    nanosleep(&still, NULL);
    rig_wait_for("check b yes");
    ck_assert_uint_eq(rig_count("b state"), 0);
    rig_remove(b);
}
END_TEST

/* Many are not asked at once, nor stay together after that. */
START_TEST(test_spread) {
    uint64_t begun = clock_usec(CLOCK_MONOTONIC);
    Backend *list[MANY];
    unsigned before;

    rig_answer("/status", 200, "", STATUS);
    add_many(list, "StatusIntervalSec=1s");
    rig_run(20 * USEC_PER_MSEC);
    /* 500 a second, and those whose turn comes first. */
    assert_no_storm(0, begun, MANY / 2);
    rig_wait_until(are_all_asked, (char *)"/status");
    rig_run(USEC_PER_SEC);
    before = rig_requests("/status");
    begun = clock_usec(CLOCK_MONOTONIC);
    rig_run(100 * USEC_PER_MSEC);
    assert_no_storm(before, begun, MANY / 4);
    remove_many(list);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("backend-many");
    TCase *t = tcase_create("many");

    tcase_add_checked_fixture(t, rig_setup, rig_teardown);
    tcase_add_test(t, test_hung_ones);
    tcase_add_test(t, test_standstill);
    tcase_add_test(t, test_standstill_under_way);
    tcase_add_test(t, test_spread);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
