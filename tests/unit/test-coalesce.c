/* News held to a rate, on a clock of the test's own. */

#include "daemon/core/coalesce.h"
#include "tests/unit/unit.h"

#define INTERVAL (100 * USEC_PER_MSEC)
#define START (1000 * USEC_PER_SEC)

START_TEST(test_first_at_once) {
    Coalescer c = {.interval_usec = INTERVAL};

    ck_assert_uint_eq(coalescer_due(&c), USEC_INFINITY);
    ck_assert(!coalescer_take(&c, START, false)); /* there is no news */
    ck_assert(!coalescer_take(&c, START, true));
    coalescer_add(&c);
    ck_assert_uint_le(coalescer_due(&c), START);
    ck_assert(coalescer_take(&c, START, false));
    ck_assert(!coalescer_take(&c, START, false)); /* it is told */
    ck_assert_uint_eq(coalescer_due(&c), USEC_INFINITY);
}
END_TEST

START_TEST(test_then_together) {
    Coalescer c = {.interval_usec = INTERVAL};

    coalescer_add(&c);
    ck_assert(coalescer_take(&c, START, false));
    coalescer_add(&c);
    coalescer_add(&c);
    ck_assert_uint_eq(coalescer_due(&c), START + INTERVAL);
    ck_assert(!coalescer_take(&c, START + INTERVAL - 1, false));
    coalescer_add(&c);
    ck_assert(coalescer_take(&c, START + INTERVAL, false));
    ck_assert(!coalescer_take(&c, START + 10 * INTERVAL, false));
    /* After a pause, again at once. */
    coalescer_add(&c);
    ck_assert(coalescer_take(&c, START + 10 * INTERVAL, false));
}
END_TEST

START_TEST(test_force) {
    Coalescer c = {.interval_usec = INTERVAL};

    coalescer_add(&c);
    ck_assert(coalescer_take(&c, START, false));
    coalescer_add(&c);
    ck_assert(coalescer_take(&c, START + 1, true));
    /* What was forced counts, too. */
    coalescer_add(&c);
    ck_assert_uint_eq(coalescer_due(&c), START + 1 + INTERVAL);
    ck_assert(!coalescer_take(&c, START + INTERVAL, false));
    ck_assert(coalescer_take(&c, START + 1 + INTERVAL, false));
}
END_TEST

START_TEST(test_hold) {
    Coalescer c = {.interval_usec = INTERVAL};

    coalescer_hold(&c, START);
    ck_assert_uint_eq(coalescer_due(&c), USEC_INFINITY);
    coalescer_add(&c);
    ck_assert_uint_eq(coalescer_due(&c), START + INTERVAL);
    ck_assert(!coalescer_take(&c, START + INTERVAL - 1, false));
    ck_assert(coalescer_take(&c, START + INTERVAL, false));
}
END_TEST

START_TEST(test_no_interval) {
    Coalescer c = {};

    for (int i = 0; i < 3; i++) {
        coalescer_add(&c);
        ck_assert(coalescer_take(&c, START, false));
    }
}
END_TEST

/* A minute of news, from one a second to a thousand: the owner comes when it is due, a little late
 * at times. It is never told more often than the rate allows, and all of it is told in time. */
static const struct {
    unsigned seed, per_second, late_usec;
} minutes[] = {
    {1, 1, 0}, {2, 9, 0}, {3, 10, 3000}, {4, 11, 0}, {5, 100, 20000}, {6, 1000, 0}, {7, 1000, 500},
};

START_TEST(test_minute) {
    Coalescer c = {.interval_usec = INTERVAL};
    unsigned seed = minutes[_i].seed, added = 0, told = 0, times = 0;
    uint64_t last = 0, waiting_since = USEC_INFINITY, wakeup = USEC_INFINITY;

    for (uint64_t now = START; now < START + USEC_PER_MINUTE; now += 100) {
        if ((unsigned)rand_r(&seed) % 10000 < minutes[_i].per_second) {
            coalescer_add(&c);
            added++;
            waiting_since = MIN(waiting_since, now);
            if (wakeup == USEC_INFINITY)
                wakeup =
                    coalescer_due(&c) +
                    (minutes[_i].late_usec ? (unsigned)rand_r(&seed) % minutes[_i].late_usec : 0);
        }
        if (now < wakeup)
            continue;
        MUST(coalescer_take(&c, now, false));
        MUST(times == 0 || now - last >= INTERVAL);
        MUST(now - waiting_since <= INTERVAL + minutes[_i].late_usec + 100);
        times++;
        told = added;
        last = now;
        waiting_since = wakeup = USEC_INFINITY;
    }
    if (coalescer_take(&c, START + 2 * USEC_PER_MINUTE, false))
        told = added;
    ck_assert_uint_gt(added, 0);
    ck_assert_uint_eq(told, added);
    ck_assert_uint_le(times, 601);
    /* Where there is always news, the rate is made use of. */
    if (minutes[_i].per_second == 1000 && minutes[_i].late_usec == 0)
        ck_assert_uint_ge(times, 590);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("coalesce");
    TCase *t = tcase_create("coalesce");

    tcase_add_test(t, test_first_at_once);
    tcase_add_test(t, test_then_together);
    tcase_add_test(t, test_force);
    tcase_add_test(t, test_hold);
    tcase_add_test(t, test_no_interval);
    tcase_add_loop_test(t, test_minute, 0, ELEMENTSOF(minutes));
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
