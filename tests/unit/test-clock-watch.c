/* Alarms on the wall clock, and what is told when the clock or the time zone is set. The clock is
 * the one of clock-shift.c, which is linked into this program. */

#include "daemon/clock-watch.h"

#include <stdio.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "tests/unit/unit.h"

#define DEADLINE_USEC (20 * USEC_PER_SEC)
#define SLACK_USEC (5 * USEC_PER_SEC) /* of busy machines */

static sd_event *event;
static ClockWatch *watch;
static int shift_fd = -EBADF;

static uint64_t next;
static unsigned alarms, jumps, zones;
static int64_t jumped_by;

static uint64_t get_next(void *userdata) {
    ck_assert_ptr_eq(userdata, &event);
    return next;
}

static void on_alarm(void *userdata) {
    ck_assert_uint_ge(clock_usec(CLOCK_REALTIME), next);
    alarms++;
    next = USEC_INFINITY;
}

static void on_jump(void *userdata, int64_t usec) {
    jumps++;
    jumped_by += usec;
}

static void on_zone(void *userdata) {
    zones++;
}

static const ClockEvents events = {
    .next = get_next,
    .alarm = on_alarm,
    .jumped = on_jump,
    .zone_changed = on_zone,
};

static void set_clock(int64_t seconds) {
    MUST(pwrite(shift_fd, &seconds, sizeof(seconds), 0) == sizeof(seconds));
}

static void setup(void) {
    set_clock(0);
    next = USEC_INFINITY;
    MUST(sd_event_new(&event) >= 0);
    unit_write("localtime", "", 0);
    MUST(clock_watch_new(&watch, event, unit_path("localtime"), &events, &event) == 0);
}

static void teardown(void) {
    watch = clock_watch_free(watch);
    ck_assert_ptr_null(sd_event_unref(event));
}

static void until(const unsigned *count, unsigned n) {
    uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + DEADLINE_USEC;

    while (*count < n) {
        ck_assert_uint_lt(clock_usec(CLOCK_MONOTONIC), deadline);
        MUST(sd_event_run(event, DEADLINE_USEC) >= 0);
    }
}

/* All that is there has been handled. */
static void settle(void) {
    while (sd_event_run(event, 0) > 0)
        ;
}

static uint64_t ahead(uint64_t usec) {
    return clock_usec(CLOCK_REALTIME) + usec;
}

START_TEST(alarm_comes) {
    next = ahead(50 * USEC_PER_MSEC);
    until(&alarms, 1);
    /* A sooner one takes the place of a later one. */
    next = ahead(1000 * USEC_PER_SEC);
    settle();
    next = ahead(50 * USEC_PER_MSEC);
    until(&alarms, 2);
    ck_assert_uint_eq(jumps, 0);
}
END_TEST

static const uint64_t pasts[] = {0, 1, 1000 * USEC_PER_SEC};

START_TEST(alarm_of_the_past) {
    next = pasts[_i];
    until(&alarms, 1);
}
END_TEST

static const uint64_t futures[] = {USEC_INFINITY, USEC_INFINITY - 1,
                                   UINT64_C(4102444800) * USEC_PER_SEC};

START_TEST(alarm_far_away) {
    next = futures[_i];
    settle();
    ck_assert_uint_eq(alarms, 0);
    set_clock(+3600);
    until(&jumps, 1);
    ck_assert_uint_eq(alarms, 0);
}
END_TEST

START_TEST(set_forward) {
    next = ahead(1800 * USEC_PER_SEC);
    settle();
    set_clock(+3600);
    until(&jumps, 1);
    ck_assert_int_ge(jumped_by, 3600 * (int64_t)USEC_PER_SEC - (int64_t)SLACK_USEC);
    ck_assert_int_le(jumped_by, 3600 * (int64_t)USEC_PER_SEC + (int64_t)SLACK_USEC);
    until(&alarms, 1);
    /* What is told is the difference to the time before. */
    set_clock(+3700);
    until(&jumps, 2);
    ck_assert_int_le(jumped_by, 3700 * (int64_t)USEC_PER_SEC + (int64_t)SLACK_USEC);
}
END_TEST

START_TEST(set_back) {
    uint64_t begin = clock_usec(CLOCK_MONOTONIC);

    next = ahead(200 * USEC_PER_MSEC);
    settle();
    set_clock(-3600);
    until(&jumps, 1);
    ck_assert_int_le(jumped_by, -3600 * (int64_t)USEC_PER_SEC + (int64_t)SLACK_USEC);
    while (clock_usec(CLOCK_MONOTONIC) < begin + 400 * USEC_PER_MSEC)
        MUST(sd_event_run(event, 100 * USEC_PER_MSEC) >= 0);
    ck_assert_uint_eq(alarms, 0);
    next -= 3600 * USEC_PER_SEC;
    until(&alarms, 1);
}
END_TEST

/* The kernel tells of the change either when the timer is read, or when it is set anew. */
START_TEST(set_while_busy) {
    settle();
    set_clock(+3600);
    next = ahead(1000 * USEC_PER_SEC);
    until(&jumps, 1);
    settle();
    ck_assert_uint_eq(jumps, 1);
    ck_assert_uint_eq(alarms, 0);
}
END_TEST

START_TEST(small_corrections) {
    settle();
    set_clock(0); /* written anew: the timer is told of a change, of nothing */
    for (unsigned i = 0; i < 3; i++) {
        MUST(sd_event_run(event, 50 * USEC_PER_MSEC) >= 0);
        settle();
    }
    ck_assert_uint_eq(jumps, 0);
    next = ahead(50 * USEC_PER_MSEC);
    until(&alarms, 1);
}
END_TEST

START_TEST(zone) {
    unit_write("other", "", 0);
    settle();
    ck_assert_uint_eq(zones, 0);
    /* As timedatectl(1) does it. */
    MUST(symlink("/usr/share/zoneinfo/UTC", unit_path("new")) == 0);
    MUST(rename(unit_path("new"), unit_path("localtime")) == 0);
    until(&zones, 1);
    MUST(unlink(unit_path("localtime")) == 0);
    unit_write("localtime", "TZif2", 5);
    until(&zones, 2);
    ck_assert_uint_eq(alarms, 0);
}
END_TEST

START_TEST(zone_without_folder) {
    ClockWatch *w;

    MUST(clock_watch_new(&w, event, unit_path("nowhere/localtime"), &events, &event) == 0);
    next = ahead(50 * USEC_PER_MSEC);
    until(&alarms, 1);
    ck_assert_ptr_null(clock_watch_free(w));
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("clock-watch");
    TCase *t = tcase_create("watch");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, alarm_comes);
    tcase_add_loop_test(t, alarm_of_the_past, 0, ELEMENTSOF(pasts));
    tcase_add_loop_test(t, alarm_far_away, 0, ELEMENTSOF(futures));
    tcase_add_test(t, set_forward);
    tcase_add_test(t, set_back);
    tcase_add_test(t, set_while_busy);
    tcase_add_test(t, small_corrections);
    tcase_add_test(t, zone);
    tcase_add_test(t, zone_without_folder);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    char path[] = "/tmp/longrun-test-clock-XXXXXX";
    int r = EXIT_FAILURE;

    /* Before anybody asks for the time. */
    shift_fd = mkstemp(path);
    if (shift_fd >= 0 && setenv("CLOCK_SHIFT", path, 1) >= 0) {
        set_clock(0);
        r = unit_run(suite());
    }
    (void)unlink(path);
    return r;
}
