/* What the daemon tells of a backend: what is taken, what is not, and the latency that comes of it.
 */

#include <math.h>

#include "client-gtk/backends/backend-item.h"
#include "tests/unit/unit.h"

#define SEC ((gint64)G_USEC_PER_SEC)

static BackendItem *item;
static guint changes;

static void on_changed(void) {
    changes++;
}

static void setup(void) {
    g_setenv("TZ", "UTC", TRUE);
    item = backend_item_new("laptop", "/org/longrun/Longrun1/backend/laptop");
    g_signal_connect(item, "changed", G_CALLBACK(on_changed), NULL);
    changes = 0;
}

static void teardown(void) {
    g_clear_object(&item);
}

static void apply(const char *text) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) properties =
        g_variant_parse(G_VARIANT_TYPE_VARDICT, text, NULL, NULL, &error);

    ck_assert_msg(properties, "%s: %s", text, error ? error->message : "");
    backend_item_apply(item, properties);
}

START_TEST(nothing_is_known_at_first) {
    ck_assert(!backend_item_is_loaded(item));
    ck_assert_str_eq(backend_item_get_text(item, "Url"), "");
    ck_assert_uint_eq(backend_item_get_number(item, "LastUpdate"), 0);
    ck_assert(!backend_item_get_flag(item, "Polling"));
    ck_assert_ptr_null(backend_item_get_settings(item));
    ck_assert(!backend_item_is_polled(item));
}
END_TEST

START_TEST(is_told_once) {
    apply("{'Url': <'http://a'>, 'Polling': <true>}");
    ck_assert_uint_eq(changes, 1);
    apply("{'Url': <'http://a'>}");
    ck_assert_uint_eq(changes, 1);
    apply("{'Url': <'http://b'>}");
    ck_assert_uint_eq(changes, 2);
    ck_assert_str_eq(backend_item_get_text(item, "Url"), "http://b");
    ck_assert(backend_item_get_flag(item, "Polling"));
}
END_TEST

START_TEST(of_another_type_is_nothing) {
    apply("{'Url': <5>, 'Polling': <'yes'>, 'Latency': <int32 3>, 'Status': <'{}'>, 'New': <1>}");
    ck_assert_uint_eq(changes, 0);
    ck_assert(!backend_item_is_loaded(item));
}
END_TEST

/* ---- latency ---- */

START_TEST(each_answer_is_a_sample) {
    PlotSeries *latency = backend_item_get_latency(item);

    apply("{'LastUpdate': <uint64 0>, 'Latency': <uint64 0>}");
    ck_assert_uint_eq(plot_series_get_n(latency), 0);
    apply("{'LastUpdate': <uint64 1000000>, 'Latency': <uint64 500>}");
    apply("{'LastUpdate': <uint64 1000000>, 'Latency': <uint64 500>}");
    apply("{'State': <'online'>}");
    ck_assert_uint_eq(plot_series_get_n(latency), 1);
    /* The same latency, another answer. */
    apply("{'LastUpdate': <uint64 2000000>, 'Latency': <uint64 500>}");
    ck_assert_uint_eq(plot_series_get_n(latency), 2);
    ck_assert_int_eq(plot_series_get(latency, 1).usec, 2 * SEC);
    ck_assert_double_eq(plot_series_get(latency, 1).value, 500);
}
END_TEST

START_TEST(samples_are_bounded) {
    for (int i = 1; i < 3 * BACKEND_SAMPLES_MAX; i++) {
        g_autofree char *text = g_strdup_printf("{'LastUpdate': <uint64 %d>}", i);

        apply(text);
    }
    ck_assert_uint_eq(plot_series_get_n(backend_item_get_latency(item)), BACKEND_SAMPLES_MAX);
}
END_TEST

START_TEST(offline_is_one_gap) {
    PlotSeries *latency = backend_item_get_latency(item);

    backend_item_note_offline(item, SEC);
    ck_assert_uint_eq(plot_series_get_n(latency), 0);
    apply("{'LastUpdate': <uint64 1000000>, 'Latency': <uint64 500>}");
    for (int i = 2; i < 10; i++)
        backend_item_note_offline(item, i * SEC);
    ck_assert_uint_eq(plot_series_get_n(latency), 2);
    ck_assert(isnan(plot_series_get(latency, 1).value));
}
END_TEST

/* ---- polls ---- */

static const struct {
    const char *properties;
    gboolean polled;
} polls[] = {
    {"{'Polling': <true>, 'Type': <'json'>, 'Settings': <{'poll-path': <'/x'>}>}", TRUE},
    {"{'Polling': <false>, 'Type': <'json'>, 'Settings': <{'poll-path': <'/x'>}>}", FALSE},
    {"{'Polling': <true>, 'Type': <'json'>, 'Settings': <{'poll-path': <''>}>}", FALSE},
    {"{'Polling': <true>, 'Type': <'json'>}", FALSE},
    {"{'Polling': <true>, 'Type': <'messenger'>}", TRUE},
};

START_TEST(knows_whether_it_is_polled) {
    apply(polls[_i].properties);
    ck_assert_int_eq(backend_item_is_polled(item), polls[_i].polled);
}
END_TEST

/* ---- words ---- */

static void says(const char *expected) {
    g_autofree char *text = backend_item_last_update(item);

    ck_assert_str_eq(text, expected);
}

START_TEST(says_when) {
    says("Last update: Never");
    apply("{'LastUpdate': <uint64 1700000000123456>}");
    says("Last update: 22:13:20");
}
END_TEST

static const struct {
    double usec;
    const char *text;
} latencies[] = {
    {0, "0 µs"},        {999, "999 µs"},    {1000, "1.0 ms"}, {9949, "9.9 ms"},   {9950, "10 ms"},
    {123456, "123 ms"}, {999499, "999 ms"}, {1e6, "1.0 s"},   {65.4e6, "65.4 s"},
};

START_TEST(writes_latencies) {
    g_autofree char *text = backend_format_latency(latencies[_i].usec);

    ck_assert_str_eq(text, latencies[_i].text);
}
END_TEST

int main(void) {
    Suite *s = suite_create("backend-item");
    TCase *t = tcase_create("item");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, nothing_is_known_at_first);
    tcase_add_test(t, is_told_once);
    tcase_add_test(t, of_another_type_is_nothing);
    tcase_add_test(t, each_answer_is_a_sample);
    tcase_add_test(t, samples_are_bounded);
    tcase_add_test(t, offline_is_one_gap);
    tcase_add_loop_test(t, knows_whether_it_is_polled, 0, G_N_ELEMENTS(polls));
    tcase_add_test(t, says_when);
    tcase_add_loop_test(t, writes_latencies, 0, G_N_ELEMENTS(latencies));
    suite_add_tcase(s, t);
    return unit_run(s);
}
