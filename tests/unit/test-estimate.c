/* Rates and ends: what is said about runs of all sorts, with a clock of the test's own. */

#include <math.h>
#include <stdio.h>

#include "daemon/core/estimate.h"
#include "tests/unit/unit.h"

#define SEC USEC_PER_SEC
#define MSEC USEC_PER_MSEC
#define U (-1.0)

static Estimate *e;
static uint64_t now;

static void setup(void) {
    now = 1000 * SEC;
    e = NULL;
}

static void teardown(void) {
    e = estimate_free(e);
}

static void note(double fraction, uint64_t done) {
    estimate_note(&e, now, fraction, done);
}

/* Seconds; -1 where it is not known. */
static double left(void) {
    uint64_t usec = estimate_remaining_usec(e, now);

    return usec == USEC_INFINITY ? -1 : (double)usec / SEC;
}

static double rate(void) {
    return estimate_rate(e, now);
}

#define NEAR(value, low, high)                                                                     \
    do {                                                                                           \
        double _value = (value);                                                                   \
        ck_assert_msg(_value >= (low) && _value <= (high), "%s is %g, not %g to %g", #value,       \
                      _value, (double)(low), (double)(high));                                      \
    } while (false)

/* From the fraction where it is, at `speed` a second, a reading every `step`. What is done is the
 * fraction times 1000. */
static double at;

static void go_on(double seconds, double speed, double step) {
    for (double t = step; t <= seconds + step / 1000; t += step) {
        now += (uint64_t)llround(step * SEC);
        at += speed * step;
        note(at, (uint64_t)llround(at * 1000));
    }
}

static void silent(double seconds) {
    now += (uint64_t)llround(seconds * SEC);
}

static void begin(void) {
    at = 0;
    note(0, 0);
}

/* ---- what is known ---- */

START_TEST(test_nothing_known) {
    ck_assert_double_eq(left(), -1);
    ck_assert_double_eq(rate(), -1);
    estimate_pause(e, now, true);
    estimate_reset(e);
    ck_assert_ptr_null(estimate_free(e));

    note(0.4, 40); /* one reading says nothing, however long ago it is */
    ck_assert_double_eq(left(), -1);
    silent(100);
    ck_assert_double_eq(left(), -1);
    ck_assert_double_eq(rate(), -1);

    note(0.4, 40); /* nor do several of the same */
    silent(100);
    note(0.4, 40);
    ck_assert_double_eq(left(), -1);
    ck_assert_double_eq(rate(), -1);
}
END_TEST

START_TEST(test_evidence) {
    begin();
    go_on(0.3, 0.01, 0.3);
    ck_assert_double_eq(left(), -1); /* two readings in a moment */
    go_on(0.6, 0.01, 0.3);
    NEAR(left(), 95, 103); /* three more */
    NEAR(rate(), 9, 11);

    e = estimate_free(e);
    begin();
    go_on(1, 0.01, 1);
    NEAR(left(), 98, 100); /* two, with a second between them */
    NEAR(rate(), 9, 11);
}
END_TEST

START_TEST(test_clock_stands_still) {
    begin();
    for (int i = 1; i <= 50; i++)
        note(i * 0.01, (uint64_t)i);
    ck_assert_double_eq(left(), -1);
    ck_assert_double_eq(rate(), -1);
    silent(5); /* nothing new came in that time */
    ck_assert_double_eq(left(), -1);
    go_on(10, 0.01, 1);
    NEAR(left(), 1, 90);

    e = estimate_free(e);
    begin();
    go_on(10, 0.01, 1);
    now -= 5 * SEC; /* cannot be, and harms nobody */
    note(0.11, 110);
    NEAR(left(), 60, 100);
}
END_TEST

START_TEST(test_no_numbers) {
    static const double bad[] = {NAN, INFINITY, -INFINITY, -0.5, 1.5, 1e308};

    begin();
    go_on(10, 0.01, 1);
    for (size_t i = 0; i < ELEMENTSOF(bad); i++)
        note(bad[i], 0);
    NEAR(left(), 85, 92);
    note(0.05, 3); /* less than there was */
    NEAR(left(), 85, 92);
    NEAR(rate(), 9, 11);
    go_on(10, 0.01, 1);
    NEAR(left(), 75, 82);
}
END_TEST

START_TEST(test_counted_alone) {
    for (unsigned i = 1; i <= 20; i++) {
        note(U, i * 4096);
        silent(0.5);
    }
    NEAR(rate(), 8000, 8400);
    ck_assert_double_eq(left(), -1);

    /* Now of how many is known; what there was is not to be taken for a step. */
    note(0.5, 21 * 4096);
    ck_assert_double_eq(left(), -1);
    for (unsigned i = 1; i <= 4; i++) {
        silent(0.5);
        note(0.5 + 0.01 * i, (21 + i) * 4096);
    }
    NEAR(left(), 20, 24);
    NEAR(rate(), 8000, 8400);
}
END_TEST

START_TEST(test_not_counted) {
    for (unsigned i = 0; i <= 10; i++) {
        note(i * 0.05, 0);
        silent(1);
    }
    NEAR(left(), 8, 11);
    ck_assert_double_eq(rate(), -1);
    note(0.6, 600000); /* from here on it counts; this is where it was all along */
    silent(1);
    note(0.65, 650000);
    NEAR(rate(), 1, 60000);
}
END_TEST

/* ---- runs of all sorts ---- */

START_TEST(test_steady) {
    static const double steps[] = {0.001, 0.1, 1, 7};

    for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
        begin();
        go_on(steps[i] < 0.01 ? 1 : 14, 0.01, steps[i]);
        while (at < 0.95) {
            go_on(steps[i] < 0.01 ? 0.5 : 7, 0.01, steps[i]);
            NEAR(left(), (1 - at) * 97, (1 - at) * 103);
            NEAR(rate(), 9.5, 10.5);
        }
        e = estimate_free(e);
    }
}
END_TEST

/* A reading every ten seconds: it counts down in between. */
START_TEST(test_stairs) {
    begin();
    go_on(10, 0.005, 10);
    for (double end = 190; end > 20; end -= 10) {
        double before = left();
        NEAR(before, end - 1, end + 1);
        NEAR(rate(), 4.5, 5.5);
        for (int i = 1; i < 10; i++) {
            silent(1);
            NEAR(left(), before - i - 0.5, before - i + 0.5);
            NEAR(rate(), 4.5, 5.5);
        }
        silent(1);
        at += 0.05;
        note(at, (uint64_t)llround(at * 1000));
    }
}
END_TEST

/* The same, told again and again in between. */
START_TEST(test_stairs_repeated) {
    begin();
    for (int i = 1; i < 180; i++) {
        silent(1);
        double step = floor(i / 10.0) * 0.05;
        note(step, 0);
        if (i > 20)
            NEAR(left(), (200 - i) * 0.9 - 1, (200 - i) * 1.1 + 1);
    }
}
END_TEST

/* Twenty at once, then five seconds nothing. */
START_TEST(test_bursts) {
    begin();
    for (int i = 1; i <= 38; i++) {
        go_on(0.2, 0.02 / 0.2, 0.01);
        double end = (50 - i) * 5.2;
        if (i > 3)
            NEAR(left(), end * 0.6, end * 1.6);
        for (int k = 0; k < 10; k++) {
            silent(0.5);
            if (i > 3)
                NEAR(left(), (end - k * 0.5) * 0.6 - 1, (end - k * 0.5) * 1.6);
        }
    }
}
END_TEST

/* Files that are there already: much at once, and the pace is what it was. */
START_TEST(test_outlier) {
    begin();
    go_on(20, 0.005, 0.5);
    silent(0.5);
    at += 0.4;
    note(at, (uint64_t)(at * 1000));
    NEAR(left(), 85, 110);
    go_on(5, 0.005, 0.5);
    NEAR(left(), 80, 110);
    NEAR(rate(), 4, 6);

    /* The second of its kind is the pace. */
    for (int i = 0; i < 3; i++) {
        go_on(1, 0.005, 0.5);
        silent(0.5);
        at += 0.1;
        note(at, (uint64_t)(at * 1000));
    }
    NEAR(left(), 0.5, 20);
}
END_TEST

/* Both count from the second on. */
START_TEST(test_two_outliers) {
    begin();
    go_on(20, 0.005, 0.5);
    for (int i = 0; i < 2; i++) {
        silent(0.5);
        at += 0.2;
        note(at, (uint64_t)(at * 1000));
        NEAR(left(), i == 0 ? 100 : 3.5, i == 0 ? 150 : 7);
        go_on(3, 0.005, 0.5);
    }
    NEAR(left(), 5, 20);
}
END_TEST

/* As many files that each are a step of their own size are no outliers. */
START_TEST(test_uneven_steps) {
    begin();
    for (int i = 1; at < 0.9; i++) {
        double step = i % 10 == 0 ? 0.05 : 0.002;
        silent(1);
        at += step;
        note(at, 0);
        if (at > 0.3)
            NEAR(left(), (1 - at) / 0.0068 * 0.5 - 1, (1 - at) / 0.0068 * 2 + 1);
    }
}
END_TEST

START_TEST(test_slow_then_fast) {
    begin();
    go_on(60, 0.001, 1); /* 6% */
    NEAR(left(), 900, 970);
    go_on(15, 0.01, 1); /* 21%: 79 s are left */
    NEAR(left(), 70, 250);
    go_on(35, 0.01, 1); /* 56% */
    NEAR(left(), 40, 88);
    NEAR(rate(), 8, 11);
}
END_TEST

START_TEST(test_fast_then_slow) {
    begin();
    go_on(10, 0.05, 0.5); /* half of it */
    NEAR(left(), 9, 11);
    go_on(20, 0.005, 0.5); /* 60%: 80 s are left */
    NEAR(left(), 40, 85);
    NEAR(rate(), 4.5, 8);
    go_on(20, 0.005, 0.5); /* 70% */
    NEAR(left(), 40, 65);
}
END_TEST

START_TEST(test_stall) {
    begin();
    go_on(60, 0.01, 0.5);
    double before = left(), last_rate = rate();
    NEAR(before, 39, 41);
    silent(2);
    for (int i = 0; i < 600; i++) {
        silent(1);
        NEAR(left(), before, 1e6); /* it only grows */
        NEAR(rate(), 0, last_rate);
        before = left();
        last_rate = rate();
    }
    NEAR(before, 300, 1e6);
    NEAR(last_rate, 0, 0.2);

    /* It goes on: first what was lost counts, then it is seen to be over. */
    go_on(1, 0.01, 0.5);
    NEAR(left(), 40, 1e6);
    go_on(19, 0.01, 0.5);
    NEAR(left(), 10, 40);
    NEAR(rate(), 5, 11);
}
END_TEST

/* The network is gone again and again: that is the pace. */
START_TEST(test_stalls) {
    begin();
    for (int i = 0; i < 8; i++) {
        go_on(10, 0.01, 0.5);
        if (i >= 3)
            NEAR(left(), (9 - i) * 70 * 0.5, (9 - i) * 70 * 2);
        silent(60);
        if (i >= 3)
            NEAR(left(), 30, (9 - i) * 70 * 2);
    }
}
END_TEST

/* Some seconds of silence now and then are usual. */
START_TEST(test_usual_silences) {
    begin();
    for (int i = 0; i < 5; i++) {
        go_on(30, 0.004, 0.5);
        silent(5);
    }
    go_on(30, 0.004, 0.5);
    double before = left();
    NEAR(before, 75, 100);
    silent(4);
    NEAR(left(), before - 4.5, before - 2);
    silent(20);
    NEAR(left(), before, 200);
}
END_TEST

START_TEST(test_pause) {
    begin();
    go_on(50, 0.01, 1);
    NEAR(left(), 49, 51);
    silent(0.5);
    double before = left(), last_rate = rate();
    estimate_pause(e, now, true);
    estimate_pause(e, now, true); /* it is */
    for (int i = 0; i < 10; i++) {
        silent(1000);
        ck_assert_double_eq(left(), before);
        ck_assert_double_eq(rate(), last_rate);
    }
    note(0.51, 510); /* what it said before, and is heard only now */
    silent(1000);
    NEAR(left(), 44, 51);
    estimate_pause(e, now, false);
    estimate_pause(e, now, false);
    NEAR(left(), 44, 51);
    at = 0.51;
    go_on(20, 0.01, 1);
    NEAR(left(), 28, 30);
    NEAR(rate(), 9, 11);

    /* A new phase does not make it go on. */
    estimate_pause(e, now, true);
    estimate_reset(e);
    begin();
    silent(1000);
    estimate_pause(e, now, false);
    go_on(2, 0.01, 1);
    NEAR(left(), 97, 99);
}
END_TEST

START_TEST(test_phase) {
    begin();
    go_on(50, 0.01, 1);
    estimate_reset(e);
    ck_assert_double_eq(left(), -1);
    ck_assert_double_eq(rate(), -1);
    at = 0;
    go_on(1, 0.001, 1);
    ck_assert_double_eq(left(), -1);
    go_on(10, 0.001, 1);
    NEAR(left(), 980, 992);
    NEAR(rate(), 0.8, 1.2);
}
END_TEST

/* All of it at once, and then something that is not told. */
START_TEST(test_jump_to_end) {
    note(0.999, 0);
    silent(100);
    ck_assert_double_eq(left(), -1);

    e = estimate_free(e);
    begin();
    silent(0.01);
    note(0.999, 999);
    silent(100);
    ck_assert_double_eq(left(), -1);

    e = estimate_free(e);
    begin();
    go_on(20, 0.01, 1);
    silent(1);
    note(0.999, 999);
    NEAR(left(), 0, 1);
    silent(60); /* who knows; but it is not over in a moment */
    NEAR(left(), 30, 120);

    note(1, 1000);
    silent(60);
    ck_assert_double_eq(left(), 0);
}
END_TEST

START_TEST(test_huge) {
    for (unsigned i = 0; i < 100; i++) {
        silent(1);
        note(U, UINT64_MAX / 100 * i);
    }
    NEAR(rate(), 1.7e17, 1.9e17);

    e = estimate_free(e);
    begin();
    silent(1);
    note(1e-20, 0);
    ck_assert_double_eq(left(), -1); /* never, that is */
    silent(1);
    note(2e-20, 1);
    silent(1);
    note(2e-20, UINT64_MAX);
    NEAR(rate(), 1e18, 2e19);

    e = estimate_free(e);
    now = 1;
    begin();
    now = UINT64_MAX - 10;
    note(0.5, 10);
    NEAR(left(), -1, 1e14);
}
END_TEST

/* ---- whatever comes ---- */

static double random_unit(unsigned *seed) {
    return (double)rand_r(seed) / RAND_MAX;
}

/* A run with a pace that changes now and then, at most by the factor, and with noise: each reading
 * brings up to twice what it should, or nothing. Times of the readings are uneven, too. */
typedef struct Course {
    double factor;   /* of the paces, between the slowest and the fastest */
    unsigned parts;  /* of different paces */
    double interval; /* between readings, mean, seconds */
    double noise;    /* 0 to 1 */
    double seconds;  /* all in all, about */
} Course;

typedef struct Point {
    uint64_t usec;
    double fraction;
} Point;

#define POINTS_MAX 20000

static size_t make_course(const Course *c, unsigned *seed, Point *points) {
    double pace = 1, sum = 0, t = 0;
    size_t n = 0, per_part = (size_t)(c->seconds / c->interval / c->parts);

    for (unsigned part = 0; part < c->parts; part++) {
        if (c->factor > 1)
            pace = exp(random_unit(seed) * log(c->factor));
        for (size_t i = 0; i < per_part && n < POINTS_MAX; i++) {
            double seconds = c->interval * (1 + c->noise * (2 * random_unit(seed) - 1));
            t += seconds;
            sum += pace * seconds * (1 + c->noise * (2 * random_unit(seed) - 1));
            points[n++] = (Point){.usec = (uint64_t)(t * SEC), .fraction = sum};
        }
    }
    for (size_t i = 0; i < n; i++)
        points[i].fraction /= sum;
    return n;
}

static const Course courses[] = {
    {.factor = 1, .parts = 1, .interval = 0.1, .noise = 0, .seconds = 20},
    {.factor = 1, .parts = 1, .interval = 0.1, .noise = 1, .seconds = 20},
    {.factor = 1, .parts = 1, .interval = 1, .noise = 0.8, .seconds = 60},
    {.factor = 1, .parts = 1, .interval = 30, .noise = 0.7, .seconds = 1200},
    {.factor = 1, .parts = 1, .interval = 0.02, .noise = 0.9, .seconds = 2},
    {.factor = 1.7, .parts = 5, .interval = 0.1, .noise = 0.5, .seconds = 30},
    {.factor = 1.7, .parts = 5, .interval = 1, .noise = 0.5, .seconds = 1000},
    {.factor = 1.7, .parts = 100, .interval = 0.5, .noise = 0.9, .seconds = 600},
    {.factor = 3, .parts = 200, .interval = 0.2, .noise = 0.5, .seconds = 600},
};

/* In the second half of the time, the end is told within a factor of two: but for the last moment,
 * where one reading more or less is more than that. */
START_TEST(test_courses) {
    static Point points[POINTS_MAX];
    const Course *c = &courses[_i];
    unsigned bad = 0, looks = 0;

    for (unsigned seed = 1; seed <= 40; seed++) {
        unsigned state = seed * 7919;
        size_t n = make_course(c, &state, points);
        uint64_t start = now, end = start + points[n - 1].usec;
        for (size_t i = 0; i + 1 < n; i++) {
            now = start + points[i].usec;
            note(points[i].fraction, 0);
            /* Somewhere before the next reading. */
            now += (uint64_t)(random_unit(&state) * (double)(points[i + 1].usec - points[i].usec));
            double truth = (double)(end - now) / SEC, told = left();
            MUST(told >= 0 || now < start + (end - start) / 2);
            if (now < start + (end - start) / 2 || truth < 4 * c->interval)
                continue;
            looks++;
            bad += told > 2 * truth || told < truth / 2;
        }
        now = end;
        e = estimate_free(e);
    }
    /* Noise may be anything for a moment. */
    ck_assert_msg(bad * 100 <= looks, "course %d: %u of %u are not within a factor of two", _i, bad,
                  looks);
}
END_TEST

/* Anything at all: never negative, no number that is none, and nothing is known of a single one. */
START_TEST(test_anything) {
    unsigned seed = (unsigned)_i;
    static const double fractions[] = {U, 0, 0.1, 0.2, 0.5, 0.9, 0.999, 1, NAN, 2};

    for (int i = 0; i < 200000; i++) {
        unsigned what = (unsigned)rand_r(&seed) % 100;
        if (what < 60)
            silent(pow(10, random_unit(&seed) * 8 - 5));
        if (what == 98)
            estimate_pause(e, now, rand_r(&seed) % 2);
        else if (what == 99)
            estimate_reset(e);
        else if (what > 20)
            note(rand_r(&seed) % 4 ? random_unit(&seed)
                                   : fractions[(size_t)rand_r(&seed) % ELEMENTSOF(fractions)],
                 (uint64_t)pow(10, random_unit(&seed) * 19));
        double r = rate();
        MUST(left() == -1 || left() >= 0);
        MUST(r == -1 || (r >= 0 && r < 1e30));
    }
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("estimate");
    TCase *t = tcase_create("estimate");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_nothing_known);
    tcase_add_test(t, test_evidence);
    tcase_add_test(t, test_clock_stands_still);
    tcase_add_test(t, test_no_numbers);
    tcase_add_test(t, test_counted_alone);
    tcase_add_test(t, test_not_counted);
    tcase_add_test(t, test_steady);
    tcase_add_test(t, test_stairs);
    tcase_add_test(t, test_stairs_repeated);
    tcase_add_test(t, test_bursts);
    tcase_add_test(t, test_outlier);
    tcase_add_test(t, test_two_outliers);
    tcase_add_test(t, test_uneven_steps);
    tcase_add_test(t, test_slow_then_fast);
    tcase_add_test(t, test_fast_then_slow);
    tcase_add_test(t, test_stall);
    tcase_add_test(t, test_stalls);
    tcase_add_test(t, test_usual_silences);
    tcase_add_test(t, test_pause);
    tcase_add_test(t, test_phase);
    tcase_add_test(t, test_jump_to_end);
    tcase_add_test(t, test_huge);
    tcase_add_loop_test(t, test_courses, 0, ELEMENTSOF(courses));
    tcase_add_loop_test(t, test_anything, 1, 4);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
