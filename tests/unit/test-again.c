/* When a question to a daemon that has gone away is asked again. */

#include "client-cli/again.h"
#include "tests/unit/unit.h"

#define BEGIN (1000 * USEC_PER_SEC)

/* A daemon that does not come back: asked again soon at first, then every half second, told of
 * once, and given up after a minute. */
START_TEST(test_patience) {
    uint64_t now = BEGIN, delay = 0, last = 0, said_at = 0;
    unsigned asked = 0, said = 0;
    Again a = {};

    for (;; asked++) {
        AgainAdvice advice = again_advise(&a, now, now, &delay);
        if (advice == AGAIN_GIVE_UP)
            break;
        if (advice == AGAIN_SAY_AND_WAIT) {
            said++;
            said_at = now;
        }
        ck_assert_uint_ge(delay, last);
        ck_assert_uint_gt(delay, 0);
        ck_assert_uint_le(delay, 500 * USEC_PER_MSEC);
        last = delay;
        now += delay;
        ck_assert_uint_le(now, BEGIN + AGAIN_PATIENCE_USEC + 500 * USEC_PER_MSEC);
    }
    ck_assert_uint_ge(now, BEGIN + AGAIN_PATIENCE_USEC);
    ck_assert_uint_eq(said, 1);
    ck_assert_uint_ge(said_at, BEGIN + 2 * USEC_PER_SEC);
    ck_assert_uint_le(said_at, BEGIN + 5 * USEC_PER_SEC);
    ck_assert_uint_ge(asked, 100);
    ck_assert_uint_le(asked, 200);
}
END_TEST

/* A daemon that has worked on the question for a while was there: patience begins anew. */
START_TEST(test_came_back) {
    uint64_t now = BEGIN, delay;
    Again a = {};

    for (unsigned day = 0; day < 100; day++) {
        ck_assert_int_eq(again_advise(&a, now, now + USEC_PER_DAY, &delay), AGAIN_WAIT);
        ck_assert_uint_le(delay, 100 * USEC_PER_MSEC);
        now += USEC_PER_DAY + delay;
    }
}
END_TEST

/* One that dies of the question each time is not asked for ever. */
START_TEST(test_dies_of_it) {
    uint64_t now = BEGIN, delay;
    unsigned asked = 0;
    Again a = {};

    while (again_advise(&a, now, now + USEC_PER_SEC, &delay) != AGAIN_GIVE_UP) {
        now += USEC_PER_SEC + delay;
        ck_assert_uint_lt(++asked, 100);
    }
    ck_assert_uint_ge(now + USEC_PER_SEC, BEGIN + AGAIN_PATIENCE_USEC);
}
END_TEST

/* The first failure may come after any time: nobody has been away until then. */
START_TEST(test_first) {
    uint64_t delay = 0;
    Again a = {};

    ck_assert_int_eq(again_advise(&a, BEGIN, BEGIN, &delay), AGAIN_WAIT);
    ck_assert_uint_le(delay, 100 * USEC_PER_MSEC);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("again");
    TCase *t = tcase_create("again");

    tcase_add_test(t, test_patience);
    tcase_add_test(t, test_came_back);
    tcase_add_test(t, test_dies_of_it);
    tcase_add_test(t, test_first);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
