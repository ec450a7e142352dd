/* When the task that is stopped gets SIGKILL, with a clock of the test's own; there are no
 * processes. */

#include <errno.h>

#include "daemon/shim/shim-stop.h"
#include "tests/unit/unit.h"

#define SEC USEC_PER_SEC
#define BEGIN (1000 * SEC)

static ShimProcs procs;

static ShimStop requested(uint64_t timeout_usec) {
    ShimStop s;

    procs = SHIM_PROCS_NONE;
    shim_stop_init(&s, &procs, timeout_usec);
    ck_assert_uint_eq(s.next_usec, USEC_INFINITY);
    shim_stop_request(&s, BEGIN);
    ck_assert(s.requested);
    return s;
}

START_TEST(test_timeout) {
    ShimStop s = requested(10 * SEC);

    ck_assert_uint_eq(s.next_usec, BEGIN + 10 * SEC);
    shim_stop_request(&s, BEGIN + 5 * SEC);
    ck_assert_uint_eq(s.next_usec, BEGIN + 10 * SEC);
    shim_stop_tick(&s, BEGIN + 10 * SEC - 1);
    ck_assert(!s.killing);
    shim_stop_tick(&s, BEGIN + 10 * SEC);
    ck_assert(s.killing && s.timed_out);
}
END_TEST

START_TEST(test_no_timeout) {
    ShimStop s = requested(0);

    ck_assert(s.killing && s.timed_out);
    s = requested(USEC_INFINITY);
    ck_assert_uint_eq(s.next_usec, USEC_INFINITY);
    ck_assert(!s.killing);
}
END_TEST

START_TEST(test_extended) {
    ShimStop s = requested(10 * SEC);

    shim_stop_extend(&s, 5 * SEC, BEGIN + SEC); /* it has as much anyway */
    ck_assert_uint_eq(s.next_usec, BEGIN + 10 * SEC);
    shim_stop_extend(&s, 20 * SEC, BEGIN + SEC);
    ck_assert_uint_eq(s.next_usec, BEGIN + 21 * SEC);
    shim_stop_extend(&s, SEC, BEGIN + 2 * SEC);
    ck_assert_uint_eq(s.next_usec, BEGIN + 21 * SEC);
    shim_stop_tick(&s, BEGIN + 21 * SEC - 1);
    ck_assert(!s.killing);
    shim_stop_tick(&s, BEGIN + 21 * SEC);
    ck_assert(s.killing && s.timed_out);
    /* Too late. */
    uint64_t next = s.next_usec;
    shim_stop_extend(&s, 20 * SEC, BEGIN + 21 * SEC);
    ck_assert_uint_eq(s.next_usec, next);
}
END_TEST

START_TEST(test_extended_for_ever) {
    ShimStop s = requested(10 * SEC);

    shim_stop_extend(&s, UINT64_MAX - 1, BEGIN);
    ck_assert_uint_eq(s.next_usec, USEC_INFINITY);
}
END_TEST

/* Of the state that the task is in: before it is stopped there is nothing to extend. */
START_TEST(test_extended_before) {
    ShimStop s;

    procs = SHIM_PROCS_NONE;
    shim_stop_init(&s, &procs, 10 * SEC);
    shim_stop_extend(&s, 100 * SEC, BEGIN - SEC);
    shim_stop_request(&s, BEGIN);
    ck_assert_uint_eq(s.next_usec, BEGIN + 10 * SEC);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("shim-stop");
    TCase *t = tcase_create("shim-stop");

    tcase_add_test(t, test_timeout);
    tcase_add_test(t, test_no_timeout);
    tcase_add_test(t, test_extended);
    tcase_add_test(t, test_extended_for_ever);
    tcase_add_test(t, test_extended_before);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
