/* The moments of a series, with a clock of the test's own. */

#include "daemon/core/series.h"
#include "tests/unit/unit-task.h"

#define S USEC_PER_SEC
#define NOW (UINT64_C(1795280000) * S)
#define HOUR USEC_PER_HOUR

static Task *task;

static void setup(void) {
    task = unit_task_new(7);
}

static void teardown(void) {
    task = task_free(task);
}

static void be_every(uint64_t usec, uint64_t start_at) {
    task->spec->every_usec = usec;
    task->spec->start_at = start_at;
    series_begin(task, NOW);
}

static void be_calendar(bool persistent, uint64_t start_at) {
    unit_set(&task->spec->calendar, "hourly");
    task->spec->persistent = persistent;
    task->spec->start_at = start_at;
    series_begin(task, NOW);
}

/* ---- every ---- */

START_TEST(every) {
    be_every(10 * S, 0);
    ck_assert_uint_eq(task->due_at, NOW); /* the first one at once */
    series_run_made(task, NOW + 1);
    ck_assert_uint_eq(task->due_at, 0);
    ck_assert_uint_eq(task->attempt, 1);
    /* From its end on. */
    series_run_ended(task, NOW + HOUR, false);
    ck_assert_uint_eq(task->due_at, NOW + HOUR + 10 * S);
    series_run_made(task, NOW + HOUR + 10 * S);
    series_run_ended(task, NOW + 2 * HOUR, true);
    ck_assert_uint_eq(task->due_at, NOW + 2 * HOUR + 10 * S);
    ck_assert_uint_eq(task->attempt, 2);
    /* Overdue, it is not missed. */
    ck_assert(!series_is_missed(task, NOW + 1000 * HOUR));
}
END_TEST

START_TEST(every_from) {
    be_every(10 * S, NOW + HOUR);
    ck_assert_uint_eq(task->due_at, NOW + HOUR);
    be_every(10 * S, NOW - HOUR);
    ck_assert_uint_eq(task->due_at, NOW);
}
END_TEST

/* ---- calendar ---- */

START_TEST(calendar) {
    be_calendar(false, 0);
    ck_assert_uint_eq(task->due_at, 0); /* that systemd says */
    ck_assert_uint_eq(series_base(task, NOW + 5), NOW);
    task->due_at = NOW + HOUR;
    series_run_made(task, NOW + HOUR + 3);
    ck_assert_uint_eq(task->due_at, 0);
    ck_assert_uint_eq(task->attempt, 1);
    ck_assert_uint_eq(series_base(task, NOW + HOUR + 9), NOW + HOUR + 3);
}
END_TEST

START_TEST(calendar_from) {
    uint64_t start = NOW + 24 * HOUR;

    /* The moment that start-at names is one, if the calendar has it. */
    be_calendar(false, start);
    ck_assert_uint_eq(series_base(task, NOW), start - 1);
    ck_assert_uint_eq(series_base(task, start - 2 * S), start - 1);
    ck_assert_uint_eq(series_first_base(task->spec, start + 1), start + 1);
    be_calendar(false, NOW - HOUR);
    ck_assert_uint_eq(series_base(task, NOW), NOW);
}
END_TEST

static const struct {
    uint64_t due, end, want_due; /* after NOW; 0: unknown */
    bool recovering, want_skip;
} run_ends[] = {
    {2 * HOUR, HOUR + 5, 2 * HOUR, false, false},
    {2 * HOUR, 2 * HOUR - 1, 2 * HOUR, false, false},
    {2 * HOUR, 2 * HOUR, 0, false, true},
    {2 * HOUR, 3 * HOUR, 0, false, true},
    {0, 3 * HOUR, 0, false, true}, /* systemd has not answered by then */
    {2 * HOUR, 3 * HOUR, 2 * HOUR, true, false},
    {0, 3 * HOUR, 0, true, false},
};

START_TEST(run_ends_late) {
    uint64_t due = run_ends[_i].due, want = run_ends[_i].want_due, end = NOW + run_ends[_i].end;

    be_calendar(false, 0);
    series_run_made(task, NOW + HOUR);
    task->due_at = due ? NOW + due : 0;
    series_run_ended(task, end, run_ends[_i].recovering);
    ck_assert_uint_eq(task->due_at, want ? NOW + want : 0);
    ck_assert_uint_eq(series_base(task, end), run_ends[_i].want_skip ? end : NOW + HOUR);
}
END_TEST

static const struct {
    bool persistent;
    uint64_t late;
    bool missed;
} lates[] = {
    {false, 0, false},
    {false, SERIES_GRACE_USEC, false},
    {false, SERIES_GRACE_USEC + 1, true},
    {false, 1000 * HOUR, true},
    {true, 1000 * HOUR, false},
};

START_TEST(missed) {
    be_calendar(lates[_i].persistent, 0);
    task->due_at = NOW + HOUR;
    ck_assert_int_eq(series_is_missed(task, task->due_at + lates[_i].late), lates[_i].missed);
    ck_assert(!series_is_missed(task, NOW));
}
END_TEST

START_TEST(unknown_is_not_missed) {
    be_calendar(false, 0);
    ck_assert(!series_is_missed(task, NOW + 1000 * HOUR));
}
END_TEST

START_TEST(skip) {
    be_calendar(false, 0);
    task->due_at = NOW + HOUR;
    series_skip(task, NOW + 3 * HOUR);
    ck_assert_uint_eq(task->due_at, 0);
    ck_assert_uint_eq(task->attempt, 0);
    ck_assert_uint_eq(series_base(task, NOW + 3 * HOUR + 1), NOW + 3 * HOUR);
}
END_TEST

/* ---- the clock is set ---- */

/* A little: the moment of the run that was just made does not come again. A lot: the clock was
 * another one. */
START_TEST(base_in_the_future) {
    be_calendar(false, 0);
    series_run_made(task, NOW + HOUR);
    ck_assert_uint_eq(series_base(task, NOW + HOUR - 2 * S), NOW + HOUR);
    ck_assert_uint_eq(series_base(task, NOW + HOUR - SERIES_GRACE_USEC), NOW + HOUR);
    ck_assert_uint_eq(series_base(task, NOW), NOW);
    ck_assert_uint_eq(series_base(task, NOW - 1000 * HOUR), NOW - 1000 * HOUR);
}
END_TEST

START_TEST(first_base_in_the_future) {
    be_calendar(false, 0);
    ck_assert_uint_eq(series_base(task, NOW - HOUR), NOW - HOUR);
    be_calendar(false, NOW + HOUR);
    ck_assert_uint_eq(series_base(task, NOW - HOUR), NOW + HOUR - 1);
}
END_TEST

typedef enum Kind {
    EVERY,
    CALENDAR,
    RETRY,
    PLAIN
} Kind;

static const struct {
    Kind kind;
    uint64_t start_at; /* after NOW */
    unsigned attempt;
    uint64_t due; /* after NOW */
    int64_t jump;
    bool moved;
    int64_t want; /* after NOW */
} moves[] = {
    {EVERY, 0, 1, 10 * S, 3600 * (int64_t)S, true, 3610 * (int64_t)S},
    {EVERY, 0, 1, 10 * S, -3600 * (int64_t)S, true, -3590 * (int64_t)S},
    {EVERY, 0, 0, 10 * S, -3600 * (int64_t)S, true, -3590 * (int64_t)S},
    {EVERY, HOUR, 0, HOUR, -7200 * (int64_t)S, false, 3600 * (int64_t)S},
    {EVERY, HOUR, 1, 2 * HOUR, -7200 * (int64_t)S, true, 0},
    {CALENDAR, 0, 1, HOUR, 3600 * (int64_t)S, false, 3600 * (int64_t)S},
    {RETRY, 0, 1, 10 * S, 3600 * (int64_t)S, true, 3610 * (int64_t)S},
    {RETRY, HOUR, 1, 2 * HOUR, -3600 * (int64_t)S, true, 3600 * (int64_t)S},
    {PLAIN, HOUR, 0, HOUR, 3600 * (int64_t)S, false, 3600 * (int64_t)S},
};

START_TEST(clock_jumps) {
    if (moves[_i].kind == EVERY)
        task->spec->every_usec = 10 * S;
    if (moves[_i].kind == CALENDAR)
        unit_set(&task->spec->calendar, "hourly");
    task->spec->start_at = moves[_i].start_at ? NOW + moves[_i].start_at : 0;
    task->attempt = moves[_i].attempt;
    task->due_at = NOW + moves[_i].due;
    ck_assert_int_eq(series_clock_jumped(task, moves[_i].jump), moves[_i].moved);
    ck_assert_int_eq((int64_t)(task->due_at - NOW), moves[_i].want);
}
END_TEST

START_TEST(clock_jumps_far) {
    be_every(10 * S, 0);
    ck_assert(series_clock_jumped(task, -(int64_t)NOW - 1000));
    ck_assert_uint_eq(task->due_at, 1); /* 0 would be none */
    series_run_made(task, 5);
    ck_assert(!series_clock_jumped(task, 1000));
    ck_assert_uint_eq(task->due_at, 0);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("series");
    TCase *t = tcase_create("series");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, every);
    tcase_add_test(t, every_from);
    tcase_add_test(t, calendar);
    tcase_add_test(t, calendar_from);
    tcase_add_loop_test(t, run_ends_late, 0, ELEMENTSOF(run_ends));
    tcase_add_loop_test(t, missed, 0, ELEMENTSOF(lates));
    tcase_add_test(t, unknown_is_not_missed);
    tcase_add_test(t, skip);
    tcase_add_test(t, base_in_the_future);
    tcase_add_test(t, first_base_in_the_future);
    tcase_add_loop_test(t, clock_jumps, 0, ELEMENTSOF(moves));
    tcase_add_test(t, clock_jumps_far);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite());
}
