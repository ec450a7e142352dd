/* Values of a plot: never more than its capacity, whatever comes; and its words and numbers. */

#include <math.h>

#include "client-gtk/widgets/plot-series.h"
#include "tests/unit/unit.h"

#define SEC ((gint64)G_USEC_PER_SEC)

static PlotSeries *series;
static guint changes;

static void on_changed(void) {
    changes++;
}

static void use(PlotKeep keep, guint capacity) {
    series = plot_series_new(keep, capacity);
    g_signal_connect(series, "changed", G_CALLBACK(on_changed), NULL);
}

static void teardown(void) {
    g_clear_object(&series);
    changes = 0;
}

static PlotSample last(void) {
    return plot_series_get(series, plot_series_get_n(series) - 1);
}

/* ---- bounds ---- */

START_TEST(keeps_the_newest) {
    use(PLOT_KEEP_NEWEST, 10);
    for (int i = 0; i < 1000; i++)
        plot_series_add(series, i * SEC, i);
    ck_assert_uint_eq(plot_series_get_n(series), 10);
    for (guint i = 0; i < 10; i++)
        ck_assert_double_eq(plot_series_get(series, i).value, 990 + i);
    ck_assert_uint_eq(changes, 1000);
}
END_TEST

/* The first and the newest are there at any time, and what is between is equally dense. */
START_TEST(keeps_all_the_time) {
    use(PLOT_KEEP_ALL, 100);
    for (int i = 0; i < 100000; i++) {
        plot_series_add(series, i * SEC / 10, i);
        MUST(plot_series_get_n(series) <= 100);
        MUST(plot_series_get(series, 0).value == 0);
        MUST(last().value == i);
    }
    ck_assert_uint_ge(plot_series_get_n(series), 50);
    for (guint i = 1; i < plot_series_get_n(series); i++) {
        double step = plot_series_get(series, i).value - plot_series_get(series, i - 1).value;

        ck_assert_double_gt(step, 0);
        ck_assert_double_le(step, 100000.0 / 45);
    }
}
END_TEST

START_TEST(survives_a_clock_that_stands) {
    use(PLOT_KEEP_ALL, 4);
    for (int i = 0; i < 100; i++)
        plot_series_add(series, 7, i);
    ck_assert_uint_le(plot_series_get_n(series), 4);
    ck_assert_double_eq(last().value, 99);
}
END_TEST

START_TEST(begins_anew_when_the_clock_was_set) {
    use(PLOT_KEEP_NEWEST, 10);
    plot_series_add(series, 100, 1);
    plot_series_add(series, 200, 2);
    plot_series_add(series, 50, 3);
    ck_assert_uint_eq(plot_series_get_n(series), 1);
    ck_assert_double_eq(last().value, 3);
}
END_TEST

START_TEST(is_cleared) {
    use(PLOT_KEEP_ALL, 10);
    plot_series_clear(series);
    ck_assert_uint_eq(changes, 0);
    plot_series_add(series, 1, 1);
    plot_series_clear(series);
    ck_assert_uint_eq(changes, 2);
    ck_assert_uint_eq(plot_series_get_n(series), 0);
    ck_assert_uint_eq(plot_series_extent(series).n, 0);
}
END_TEST

/* ---- extent ---- */

START_TEST(gaps_have_a_time_but_no_value) {
    PlotExtent extent;

    use(PLOT_KEEP_NEWEST, 10);
    plot_series_add(series, 10, NAN);
    plot_series_add(series, 20, 5);
    plot_series_add(series, 30, 2);
    plot_series_add(series, 40, NAN);
    extent = plot_series_extent(series);
    ck_assert_int_eq(extent.first, 10);
    ck_assert_int_eq(extent.last, 40);
    ck_assert_double_eq(extent.low, 2);
    ck_assert_double_eq(extent.high, 5);
    ck_assert_double_eq(extent.now, 2);
    ck_assert_uint_eq(extent.n, 2);
}
END_TEST

/* ---- axis ---- */

static const struct {
    double value;
    gboolean binary;
    double limit;
} limits[] = {
    {0, FALSE, 1},      {-3, FALSE, 1},      {NAN, FALSE, 1},    {INFINITY, TRUE, 1},
    {1, FALSE, 1},      {1.01, FALSE, 2},    {2, FALSE, 2},      {3, FALSE, 5},
    {5.1, FALSE, 10},   {10, FALSE, 10},     {99, FALSE, 100},   {0.03, FALSE, 0.05},
    {0.2, FALSE, 0.2},  {12345, FALSE, 2e4}, {1000, TRUE, 1024}, {1024, TRUE, 1024},
    {1025, TRUE, 2048},
};

START_TEST(limits_are_round) {
    ck_assert_double_eq_tol(plot_nice_limit(limits[_i].value, limits[_i].binary), limits[_i].limit,
                            limits[_i].limit / 1e9);
}
END_TEST

/* ---- words ---- */

static char *format(double value) {
    return g_strdup_printf("%g ms", value);
}

static void describes(const char *expected) {
    g_autofree char *text = plot_series_describe(series, format);

    ck_assert_str_eq(text, expected);
}

START_TEST(is_described) {
    use(PLOT_KEEP_NEWEST, 10);
    describes("No values yet");
    plot_series_add(series, 0, NAN);
    describes("No values yet");
    plot_series_add(series, 1, 12);
    describes("12 ms");
    plot_series_add(series, 60 * SEC, 40);
    plot_series_add(series, 120 * SEC, 3);
    describes("3 ms; between 3 ms and 40 ms in the last 2min 0s");
}
END_TEST

int main(void) {
    Suite *s = suite_create("plot-series");
    TCase *t = tcase_create("series");

    tcase_add_checked_fixture(t, NULL, teardown);
    tcase_add_test(t, keeps_the_newest);
    tcase_add_test(t, keeps_all_the_time);
    tcase_add_test(t, survives_a_clock_that_stands);
    tcase_add_test(t, begins_anew_when_the_clock_was_set);
    tcase_add_test(t, is_cleared);
    tcase_add_test(t, gaps_have_a_time_but_no_value);
    tcase_add_loop_test(t, limits_are_round, 0, G_N_ELEMENTS(limits));
    tcase_add_test(t, is_described);
    suite_add_tcase(s, t);
    return unit_run(s);
}
