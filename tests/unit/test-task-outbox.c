/* The signals of one task: their order, and at most ten of a sort a second, the last before
 * Finished included. */

#include <inttypes.h>

#include "daemon/bus/task-outbox.h"
#include "tests/unit/unit-task.h"

#define START (1000 * USEC_PER_SEC)
#define INTERVAL TASK_SIGNAL_INTERVAL_USEC
#define PER_SECOND_MAX 10

static Task *task;
static TaskOutbox *outbox;

static void setup(void) {
    task = unit_task_new(1);
    outbox = task_outbox_new(task, START);
    MUST(outbox);
}

static void teardown(void) {
    free(outbox);
    task_free(task);
}

static int take(uint64_t now) {
    return task_outbox_take(outbox, now, false);
}

START_TEST(test_empty) {
    ck_assert_ptr_eq(outbox->task, task);
    ck_assert_uint_eq(task_outbox_due(outbox), USEC_INFINITY);
    ck_assert_int_eq(take(START + USEC_PER_MINUTE), -1);
    ck_assert_int_eq(task_outbox_take(outbox, START, true), -1);
}
END_TEST

/* A task that ends before the first interval is over has sent nothing; whoever sends Finished looks
 * at first_usec. */
START_TEST(test_short_task) {
    for (int change = 0; change < _BUS_CHANGE_MAX; change++)
        task_outbox_add(outbox, (BusChange)change);
    ck_assert_uint_eq(outbox->first_usec, START + INTERVAL);
    ck_assert_uint_eq(task_outbox_due(outbox), START + INTERVAL);
    ck_assert_int_eq(take(START), -1);
    ck_assert_int_eq(take(START + INTERVAL - 1), -1);
    ck_assert_int_ge(take(START + INTERVAL), 0);
}
END_TEST

/* In the order in which they came first, whatever came again meanwhile. */
START_TEST(test_order) {
    static const BusChange come[] = {BUS_CHANGE_LOG, BUS_CHANGE_STATUS, BUS_CHANGE_LOG,
                                     BUS_CHANGE_STATE, BUS_CHANGE_STATUS};
    static const int go[] = {BUS_CHANGE_LOG, BUS_CHANGE_STATUS, BUS_CHANGE_STATE, -1};
    uint64_t now = START;

    for (int round = 0; round < 3; round++) {
        bool all = round == 1;
        for (size_t i = 0; i < ELEMENTSOF(come); i++)
            task_outbox_add(outbox, come[i]);
        now += all ? 1 : INTERVAL;
        for (size_t i = 0; i < ELEMENTSOF(go); i++)
            ck_assert_int_eq(task_outbox_take(outbox, now, all), go[i]);
    }
}
END_TEST

/* Each sort has a clock of its own: one that was just sent does not hold up the others. */
START_TEST(test_sorts) {
    uint64_t now = START + INTERVAL;

    task_outbox_add(outbox, BUS_CHANGE_STATUS);
    ck_assert_int_eq(take(now), BUS_CHANGE_STATUS);
    task_outbox_add(outbox, BUS_CHANGE_STATUS);
    task_outbox_add(outbox, BUS_CHANGE_LOG);
    ck_assert_uint_le(task_outbox_due(outbox), now);
    ck_assert_int_eq(take(now + 1), BUS_CHANGE_LOG);
    ck_assert_int_eq(take(now + 1), -1);
    ck_assert_uint_eq(task_outbox_due(outbox), now + INTERVAL);
    ck_assert_int_eq(take(now + INTERVAL), BUS_CHANGE_STATUS);
}
END_TEST

/* ---- the rate ---- */

#define TIMES_MAX 100

static uint64_t times[_BUS_CHANGE_MAX][TIMES_MAX];
static size_t n_times[_BUS_CHANGE_MAX];

static void note_all(uint64_t now, bool final) {
    for (int change; (change = task_outbox_take(outbox, now, final)) >= 0;) {
        MUST(n_times[change] < TIMES_MAX);
        times[change][n_times[change]++] = now;
    }
}

static void expect_rate(void) {
    for (size_t c = 0; c < _BUS_CHANGE_MAX; c++)
        for (size_t i = PER_SECOND_MAX; i < n_times[c]; i++)
            ck_assert_msg(times[c][i] - times[c][i - PER_SECOND_MAX] >= USEC_PER_SEC,
                          "change %zu: %d within %" PRIu64 " us", c, PER_SECOND_MAX + 1,
                          times[c][i] - times[c][i - PER_SECOND_MAX]);
}

/* Everything changes all the time, and the task ends at any moment: no second, wherever it begins,
 * sees more than ten of a sort. */
START_TEST(test_rate) {
    uint64_t end = START + 2 * USEC_PER_SEC + (uint64_t)_i * 500;

    for (uint64_t now = START; now < end; now += 100) {
        for (int change = 0; change < _BUS_CHANGE_MAX; change++)
            task_outbox_add(outbox, (BusChange)change);
        if (now >= task_outbox_due(outbox))
            note_all(now, false);
    }
    note_all(end, true);
    expect_rate();
    for (size_t c = 0; c < _BUS_CHANGE_MAX; c++) {
        ck_assert_uint_ge(n_times[c], 2 * 8);
        ck_assert_uint_eq(times[c][n_times[c] - 1], end);
    }
}
END_TEST

/* The same when changes come now and then. */
START_TEST(test_rate_at_random) {
    unsigned seed = (unsigned)_i;
    uint64_t now = START;

    for (int i = 0; i < 200; i++) {
        now += (uint64_t)rand_r(&seed) % (40 * USEC_PER_MSEC);
        task_outbox_add(outbox, (BusChange)(rand_r(&seed) % _BUS_CHANGE_MAX));
        if (now >= task_outbox_due(outbox))
            note_all(now, false);
    }
    note_all(now, true);
    ck_assert_uint_eq(task_outbox_due(outbox), USEC_INFINITY); /* nothing is left behind */
    expect_rate();
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("task-outbox");
    TCase *t = tcase_create("task-outbox");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_empty);
    tcase_add_test(t, test_short_task);
    tcase_add_test(t, test_order);
    tcase_add_test(t, test_sorts);
    tcase_add_loop_test(t, test_rate, 0, (int)(INTERVAL / 500) + 1);
    tcase_add_loop_test(t, test_rate_at_random, 1, 11);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
