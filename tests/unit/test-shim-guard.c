/* When a limit is reached, with a clock of the test's own. */

#include "daemon/shim/shim-guard.h"
#include "tests/unit/unit.h"

#define NONE UINT64_MAX
#define SEC USEC_PER_SEC
#define BEGIN (1000 * SEC)

static const ShimLimits no_limits = {NONE, NONE, NONE, NONE};

static ShimGuard guard(ShimLimits limits) {
    ShimGuard g;

    shim_guard_begin(&g, &limits, false, false, BEGIN);
    return g;
}

static void check_reached(const ShimGuard *g, uint64_t now, const char *limit, uint64_t reached) {
    ShimBreach breach = {};

    ck_assert(shim_guard_check_times(g, now, &breach));
    ck_assert_str_eq(breach.limit, limit);
    ck_assert_uint_eq(breach.reached, reached);
    ck_assert(!breach.at_once);
}

static void check_fine(const ShimGuard *g, uint64_t now) {
    ShimBreach breach;

    ck_assert(!shim_guard_check_times(g, now, &breach));
}

START_TEST(test_no_limits) {
    ShimGuard g = guard(no_limits);

    ck_assert_uint_eq(shim_guard_due(&g), USEC_INFINITY);
    check_fine(&g, USEC_INFINITY - 1);
    ck_assert(!shim_guard_wants_sample(&g, USEC_INFINITY - 1));
}
END_TEST

START_TEST(test_timeout) {
    ShimGuard g = guard((ShimLimits){10 * SEC, NONE, NONE, NONE});

    ck_assert_uint_eq(shim_guard_due(&g), BEGIN + 10 * SEC);
    shim_guard_activity(&g, BEGIN + 9 * SEC);
    check_fine(&g, BEGIN + 10 * SEC - 1);
    check_reached(&g, BEGIN + 10 * SEC, "timeout", 10 * SEC);
    check_reached(&g, BEGIN + 12 * SEC, "timeout", 12 * SEC);
}
END_TEST

START_TEST(test_longest_timeout) {
    ShimGuard g = guard((ShimLimits){NONE - 1, NONE - 1, NONE, NONE});

    ck_assert_uint_eq(shim_guard_due(&g), USEC_INFINITY);
    check_fine(&g, BEGIN + 1000000 * SEC);
}
END_TEST

START_TEST(test_idle) {
    ShimGuard g = guard((ShimLimits){NONE, 5 * SEC, NONE, NONE});

    ck_assert_uint_eq(shim_guard_due(&g), BEGIN + 5 * SEC);
    shim_guard_activity(&g, BEGIN + 4 * SEC);
    ck_assert_uint_eq(shim_guard_due(&g), BEGIN + 9 * SEC);
    check_fine(&g, BEGIN + 9 * SEC - 1);
    check_reached(&g, BEGIN + 9 * SEC, "idle-timeout", 5 * SEC);
}
END_TEST

START_TEST(test_extended) {
    ShimGuard g = guard((ShimLimits){10 * SEC, 5 * SEC, NONE, NONE});

    shim_guard_extend(&g, 2 * SEC, BEGIN + SEC); /* it has as much anyway */
    ck_assert_uint_eq(shim_guard_due(&g), BEGIN + 5 * SEC);
    shim_guard_extend(&g, 7 * SEC, BEGIN + SEC);
    ck_assert_uint_eq(shim_guard_due(&g), BEGIN + 8 * SEC);
    shim_guard_extend(&g, SEC, BEGIN + 2 * SEC);
    check_fine(&g, BEGIN + 8 * SEC - 1);
    check_reached(&g, BEGIN + 8 * SEC, "idle-timeout", 8 * SEC);
    shim_guard_extend(&g, 20 * SEC, BEGIN + 8 * SEC);
    ck_assert_uint_eq(shim_guard_due(&g), BEGIN + 28 * SEC);
    check_fine(&g, BEGIN + 28 * SEC - 1);
    check_reached(&g, BEGIN + 28 * SEC, "timeout", 28 * SEC);
    shim_guard_extend(&g, UINT64_MAX - 1, BEGIN + 20 * SEC);
    ck_assert_uint_eq(shim_guard_due(&g), USEC_INFINITY);
}
END_TEST

/* What was asked for is time to run. */
START_TEST(test_extended_and_paused) {
    ShimGuard g = guard((ShimLimits){10 * SEC, NONE, NONE, NONE});

    shim_guard_extend(&g, 20 * SEC, BEGIN + SEC);
    shim_guard_pause(&g, true, BEGIN + 2 * SEC);
    check_fine(&g, BEGIN + 100 * SEC);
    shim_guard_extend(&g, 20 * SEC, BEGIN + 50 * SEC); /* was on its way: 20 s from the pause */
    shim_guard_pause(&g, false, BEGIN + 102 * SEC);
    ck_assert_uint_eq(shim_guard_due(&g), BEGIN + 122 * SEC);
    check_fine(&g, BEGIN + 122 * SEC - 1);
}
END_TEST

START_TEST(test_pause) {
    ShimGuard g = guard((ShimLimits){10 * SEC, 5 * SEC, NONE, NONE});

    shim_guard_pause(&g, true, BEGIN + 2 * SEC);
    ck_assert_uint_eq(shim_guard_due(&g), USEC_INFINITY);
    check_fine(&g, BEGIN + 100 * SEC);
    /* The second does nothing. What was on its way through a pipe does not make the pause active.
     */
    shim_guard_pause(&g, true, BEGIN + 50 * SEC);
    shim_guard_activity(&g, BEGIN + 60 * SEC);
    shim_guard_pause(&g, false, BEGIN + 102 * SEC);
    shim_guard_pause(&g, false, BEGIN + 103 * SEC);
    ck_assert_uint_eq(shim_guard_due(&g), BEGIN + 107 * SEC);
    check_reached(&g, BEGIN + 107 * SEC, "idle-timeout", 5 * SEC);
    shim_guard_activity(&g, BEGIN + 106 * SEC);
    check_reached(&g, BEGIN + 110 * SEC, "timeout", 10 * SEC);
}
END_TEST

static const struct {
    uint64_t memory, pids;
    const char *limit;
    uint64_t reached;
    bool at_once;
} samples[] = {
    {1000, 10, NULL, 0, false},
    {1001, 10, "memory-max", 1001, true},
    {1000, 11, "pids-max", 11, false},
    {2000, 20, "memory-max", 2000, true},
};

START_TEST(test_sample) {
    ShimGuard g = guard((ShimLimits){NONE, NONE, 1000, 10});
    uint64_t now = shim_guard_due(&g);
    ShimBreach breach;

    ck_assert(shim_guard_wants_sample(&g, now));
    bool reached = shim_guard_check_sample(&g, now, samples[_i].memory, samples[_i].pids, &breach);
    ck_assert(reached == (samples[_i].limit != NULL));
    if (!reached)
        return;
    ck_assert_str_eq(breach.limit, samples[_i].limit);
    ck_assert_uint_eq(breach.reached, samples[_i].reached);
    ck_assert(breach.at_once == samples[_i].at_once);
}
END_TEST

/* The nearer the limit, the sooner the next look, and never more than ten a second. */
START_TEST(test_sample_times) {
    ShimGuard g = guard((ShimLimits){NONE, NONE, 1000, 10});
    uint64_t now = shim_guard_due(&g);
    ShimBreach breach;

    ck_assert_uint_le(now, BEGIN + SEC / 5);
    ck_assert(!shim_guard_check_sample(&g, now, 10, 1, &breach));
    ck_assert_uint_eq(shim_guard_due(&g), now + SEC / 2);
    ck_assert(!shim_guard_check_sample(&g, now, 900, 1, &breach));
    ck_assert_uint_eq(shim_guard_due(&g), now + SEC / 10);
    ck_assert(!shim_guard_check_sample(&g, now, 10, 9, &breach));
    ck_assert_uint_eq(shim_guard_due(&g), now + SEC / 10);
    ck_assert(!shim_guard_wants_sample(&g, now));
    shim_guard_pause(&g, true, now);
    ck_assert(!shim_guard_wants_sample(&g, now + SEC));
}
END_TEST

/* What the kernel keeps is not looked at. */
START_TEST(test_kept_by_the_kernel) {
    ShimLimits limits = {NONE, NONE, 1000, 10};
    ShimBreach breach;
    ShimGuard g;

    shim_guard_begin(&g, &limits, true, true, BEGIN);
    ck_assert_uint_eq(shim_guard_due(&g), USEC_INFINITY);
    shim_guard_begin(&g, &limits, true, false, BEGIN);
    ck_assert_uint_ne(shim_guard_due(&g), USEC_INFINITY);
    ck_assert(!shim_guard_check_sample(&g, BEGIN + SEC, 5000, 1, &breach));
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("shim-guard");
    TCase *t = tcase_create("shim-guard");

    tcase_add_test(t, test_no_limits);
    tcase_add_test(t, test_timeout);
    tcase_add_test(t, test_longest_timeout);
    tcase_add_test(t, test_idle);
    tcase_add_test(t, test_extended);
    tcase_add_test(t, test_extended_and_paused);
    tcase_add_test(t, test_pause);
    tcase_add_loop_test(t, test_sample, 0, ELEMENTSOF(samples));
    tcase_add_test(t, test_sample_times);
    tcase_add_test(t, test_kept_by_the_kernel);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
