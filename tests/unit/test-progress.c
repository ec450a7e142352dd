/* How far a task is: readings that count and those that do not. */

#include <math.h>

#include "daemon/core/progress.h"
#include "tests/unit/unit.h"

#define U PROGRESS_UNKNOWN

typedef struct Reading {
    double fraction;
    uint64_t done, total;
    bool changed;
    double shown; /* fraction afterwards */
    uint64_t shown_done, shown_total;
} Reading;

static bool update(TaskProgress *p, double fraction, uint64_t done, uint64_t total, bool trusted) {
    ProgressNews news = {.fraction = fraction, .done = done, .total = total, .trusted = trusted};

    return progress_update(p, &news, 1000);
}

#define READINGS_MAX 8

static const struct {
    const char *name;
    bool trusted;
    Reading readings[READINGS_MAX]; /* a row of zeros ends them */
} runs[] = {
    {"fractions",
     true,
     {{0, 0, 0, true, 0}, {0.25, 0, 0, true, 0.25}, {0.25, 0, 0, false, 0.25}, {1, 0, 0, true, 1}}},
    {"never backwards",
     true,
     {{0.5, 0, 0, true, 0.5},
      {0.4, 0, 0, false, 0.5},
      {0, 0, 0, false, 0.5},
      {0.6, 0, 0, true, 0.6}}},
    {"done of total",
     true,
     {{U, 0, 4, true, 0, 0, 4},
      {U, 1, 4, true, 0.25, 1, 4},
      {U, 1, 4, false, 0.25, 1, 4},
      {U, 0, 4, false, 0.25, 1, 4},
      {U, 4, 4, true, 1, 4, 4}}},
    {"more done than there is",
     true,
     {{U, 9, 4, true, 1, 4, 4}, {U, UINT64_MAX, 4, false, 1, 4, 4}}},
    {"the total, named once",
     true,
     {{U, 0, 10, true, 0, 0, 10}, {U, 3, 0, true, 0.3, 3, 10}, {U, 2, 0, false, 0.3, 3, 10}}},
    {"the total comes late",
     true,
     {{U, 3, 0, true, U, 3, 0}, {U, 2, 0, false, U, 3, 0}, {U, 4, 10, true, 0.4, 4, 10}}},
    {"the total grows",
     true,
     {{U, 5, 10, true, 0.5, 5, 10},
      {U, 6, 20, false, 0.5, 5, 10},
      {U, 11, 20, true, 0.55, 11, 20}}},
    {"the total grows and the fraction stays",
     true,
     {{U, 5, 10, true, 0.5, 5, 10}, {U, 10, 20, true, 0.5, 10, 20}}},
    {"counts win over the fraction",
     true,
     {{0.9, 1, 4, true, 0.25, 1, 4}, {7, 2, 4, true, 0.5, 2, 4}, {NAN, 3, 4, true, 0.75, 3, 4}}},
    {"a fraction behind counts",
     true,
     {{U, 1, 2, true, 0.5, 1, 2}, {0.5, 0, 0, false, 0.5, 1, 2}, {0.75, 0, 0, true, 0.75, 0, 0}}},
    {"a fraction with a count of nothing",
     true,
     {{0.5, 0, 0, true, 0.5},
      {0.5, 7, 0, true, 0.5, 7, 0},
      {0.5, 7, 0, false, 0.5, 7, 0},
      {0.6, 9, 0, true, 0.6, 9, 0}}},
    {"no numbers",
     true,
     {{NAN, 0, 0, false, U},
      {INFINITY, 0, 0, false, U},
      {-INFINITY, 0, 0, false, U},
      {-0.5, 0, 0, false, U},
      {1.0000001, 0, 0, false, U},
      {1e308, 0, 0, false, U},
      {-1e308, 0, 0, false, U}}},
    {"no numbers behind good ones",
     true,
     {{U, 4, 10, true, 0.4, 4, 10},
      {NAN, 0, 0, false, 0.4, 4, 10},
      {INFINITY, 5, 0, true, 0.5, 5, 10},
      {NAN, 6, 0, true, 0.6, 6, 10},
      {1e308, 99, 0, true, 1, 10, 10}}},
    {"no numbers with a count",
     true,
     {{NAN, 3, 0, true, U, 3, 0}, {-7, 4, 0, true, U, 4, 0}, {1e308, 4, 0, false, U, 4, 0}}},
    {"huge counts",
     true,
     {{U, UINT64_MAX - 1, UINT64_MAX, true, 1, UINT64_MAX - 1, UINT64_MAX},
      {U, UINT64_MAX, UINT64_MAX, true, 1, UINT64_MAX, UINT64_MAX}}},
    {"a source that is not trusted",
     false,
     {{0.5, 0, 0, true, 0.5},
      {0.9989, 0, 0, true, 0.9989},
      {1, 0, 0, true, 0.999},
      {1, 0, 0, false, 0.999},
      {0.9995, 0, 0, false, 0.999}}},
    {"a source that is not trusted, counting",
     false,
     {{U, 3, 4, true, 0.75, 3, 4}, {U, 4, 4, true, 0.999, 4, 4}, {U, 5, 4, false, 0.999, 4, 4}}},
};

START_TEST(test_update) {
    TaskProgress p;

    progress_init(&p);
    for (const Reading *r = runs[_i].readings; r < runs[_i].readings + READINGS_MAX; r++) {
        static const Reading end;
        if (memcmp(r, &end, sizeof(end)) == 0)
            break;
        bool changed = update(&p, r->fraction, r->done, r->total, runs[_i].trusted);
        ck_assert_msg(changed == r->changed, "%s, reading %zu", runs[_i].name,
                      (size_t)(r - runs[_i].readings));
        ck_assert_double_eq(p.fraction, r->shown);
        ck_assert_uint_eq(p.done, r->shown_done);
        ck_assert_uint_eq(p.total, r->shown_total);
    }
    progress_done(&p);
}
END_TEST

START_TEST(test_phase) {
    TaskProgress p;

    progress_init(&p);
    ck_assert(!progress_set_phase(&p, "")); /* there was none, there is none */
    ck_assert(update(&p, -1, 5, 10, true));
    ck_assert(progress_set_phase(&p, "scan"));
    ck_assert_str_eq(p.phase, "scan");
    ck_assert_double_eq(p.fraction, PROGRESS_UNKNOWN);
    ck_assert_uint_eq(p.done, 0);
    ck_assert_uint_eq(p.total, 0);

    ck_assert(update(&p, -1, 9, 10, true));
    ck_assert(!progress_set_phase(&p, "scan")); /* it goes on */
    ck_assert_double_eq(p.fraction, 0.9);
    /* The new phase begins below, and the total of the old one is not its own. */
    ck_assert(progress_set_phase(&p, "hash"));
    ck_assert(update(&p, -1, 1, 0, true));
    ck_assert_double_eq(p.fraction, PROGRESS_UNKNOWN);
    ck_assert(update(&p, -1, 1, 100, true));
    ck_assert_double_eq(p.fraction, 0.01);
    ck_assert(progress_set_phase(&p, ""));
    ck_assert_str_eq(p.phase, "");
    progress_done(&p);
    ck_assert_ptr_null(p.phase);
}
END_TEST

static void count_bytes(TaskProgress *p, uint64_t done, uint64_t now_sec) {
    ProgressNews news = {.fraction = PROGRESS_UNKNOWN,
                         .done = done,
                         .total = 1000,
                         .bytes = true,
                         .source = PROGRESS_SOURCE_COUNTER};

    progress_update(p, &news, now_sec * USEC_PER_SEC);
}

START_TEST(test_pace) {
    TaskProgress p;

    progress_init(&p);
    ck_assert_ptr_null(p.estimate);
    for (uint64_t i = 0; i <= 10; i++)
        count_bytes(&p, i * 20, 100 + i);
    ck_assert(p.bytes);
    ck_assert_int_eq(p.source, PROGRESS_SOURCE_COUNTER);
    ck_assert_double_eq_tol(estimate_rate(p.estimate, 110 * USEC_PER_SEC), 20, 0.1);
    ck_assert_uint_ge(estimate_remaining_usec(p.estimate, 110 * USEC_PER_SEC), 39 * USEC_PER_SEC);
    ck_assert_uint_le(estimate_remaining_usec(p.estimate, 110 * USEC_PER_SEC), 41 * USEC_PER_SEC);

    /* What is no reading, or less than there was, is no part of it; nor is a source that is worse
     * named for it. */
    ProgressNews less = {
        .fraction = PROGRESS_UNKNOWN, .done = 1, .total = 1000, .source = PROGRESS_SOURCE_PERCENT};
    ck_assert(!progress_update(&p, &less, 110 * USEC_PER_SEC));
    ck_assert(p.bytes);
    ck_assert_int_eq(p.source, PROGRESS_SOURCE_COUNTER);

    /* The next phase begins anew. */
    ck_assert(progress_set_phase(&p, "next"));
    ck_assert(!p.bytes);
    ck_assert_double_eq(estimate_rate(p.estimate, 111 * USEC_PER_SEC), -1);
    ck_assert_uint_eq(estimate_remaining_usec(p.estimate, 111 * USEC_PER_SEC), USEC_INFINITY);
    for (uint64_t i = 1; i <= 10; i++)
        count_bytes(&p, i, 120 + i);
    ck_assert_double_eq_tol(estimate_rate(p.estimate, 130 * USEC_PER_SEC), 1, 0.1);

    progress_end(&p, false);
    ck_assert_ptr_null(p.estimate);
    ck_assert_uint_eq(p.done, 10);
    progress_done(&p);
}
END_TEST

START_TEST(test_complete) {
    TaskProgress p;

    progress_init(&p);
    progress_end(&p, true);
    ck_assert_double_eq(p.fraction, 1);
    ck_assert_uint_eq(p.done, 0);

    progress_init(&p);
    update(&p, 1, 0, 0, false);
    progress_end(&p, true);
    ck_assert_double_eq(p.fraction, 1);

    progress_init(&p);
    update(&p, -1, 3, 10, true);
    progress_end(&p, true);
    ck_assert_double_eq(p.fraction, 1);
    ck_assert_uint_eq(p.done, 10);
    ck_assert_uint_eq(p.total, 10);

    progress_init(&p);
    update(&p, -1, 3, 0, true); /* of how many it never said */
    progress_end(&p, true);
    ck_assert_uint_eq(p.done, 3);
    progress_done(&p);
}
END_TEST

/* Whatever readings come: within a phase the fraction never falls, it is never above 1, and 1 comes
 * of a trusted source alone. */
START_TEST(test_any_readings) {
    static const double fractions[] = {U, 0, 0.3, 0.7, 0.9999, 1, 2, NAN, INFINITY, -INFINITY};
    static const uint64_t counts[] = {0, 1, 3, 7, 1000, UINT64_MAX};
    unsigned seed = (unsigned)_i;
    TaskProgress p;

    progress_init(&p);
    for (int i = 0; i < 100000; i++) {
        double before = p.fraction;
        uint64_t done = p.done, total = p.total;
        bool trusted = _i % 2 == 0;
        bool changed = update(&p, fractions[rand_r(&seed) % ELEMENTSOF(fractions)],
                              counts[rand_r(&seed) % ELEMENTSOF(counts)],
                              counts[rand_r(&seed) % ELEMENTSOF(counts)], trusted);
        MUST(p.fraction >= before && p.fraction <= (trusted ? 1 : 0.999));
        MUST(p.total == 0 || p.done <= p.total);
        MUST(changed == (p.fraction != before || p.done != done || p.total != total));
        if (rand_r(&seed) % 20 == 0)
            progress_set_phase(&p, rand_r(&seed) % 2 ? "a" : "b");
    }
    progress_done(&p);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("progress");
    TCase *t = tcase_create("progress");

    tcase_add_loop_test(t, test_update, 0, ELEMENTSOF(runs));
    tcase_add_test(t, test_phase);
    tcase_add_test(t, test_pace);
    tcase_add_test(t, test_complete);
    tcase_add_loop_test(t, test_any_readings, 1, 9);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
