/* The words of the demo. */

#include "client-gtk/demo/demo-words.h"
#include "tests/unit/unit.h"

START_TEST(status_has_the_time) {
    g_autofree char *text = demo_words_status("Processing step 3 of 8", 3);
    g_autofree char *before = demo_words_status("Initializing...", -5);

    ck_assert_str_eq(text, "Processing step 3 of 8 (Elapsed: 3s)");
    ck_assert_str_eq(before, "Initializing... (Elapsed: 0s)");
}
END_TEST

START_TEST(lines_have_the_time) {
    g_autofree char *line = NULL;

    g_setenv("TZ", "UTC", TRUE);
    line = demo_words_log_line(1700000000, "Task started...");
    ck_assert_str_eq(line, "[22:13:20] Task started...");
}
END_TEST

/* Of eight steps, as they are given in doubles, and what is none of them. */
static const struct {
    double fraction;
    guint percent;
} percents[] = {
    {1.0 / 8, 12}, {2.0 / 8, 25}, {3.0 / 8, 37}, {4.0 / 8, 50}, {5.0 / 8, 62},
    {6.0 / 8, 75}, {7.0 / 8, 87}, {1, 100},      {0, 0},        {-1, 0},
    {0.29, 29},    {0.999, 99},   {7, 100},
};

START_TEST(percents_are_rounded_down) {
    ck_assert_uint_eq(demo_words_percent(percents[_i].fraction), percents[_i].percent);
}
END_TEST

START_TEST(result_is_read) {
    g_auto(DemoResult) result = {0};

    ck_assert(demo_result_read("{\"uuid\":\"12\",\"value\":2.718281828459045,\"duration\":3.00123,"
                               "\"iterations\":12345678}",
                               &result));
    ck_assert_str_eq(result.uuid, "12");
    ck_assert_str_eq(result.value, "2.718281828459045");
    ck_assert_str_eq(result.duration, "3.00 s");
    ck_assert_str_eq(result.iterations, "12345678");
}
END_TEST

static const char *const no_results[] = {"", "{", "[]", "5", "{\"uuid\":\"12\"}"};

START_TEST(no_result_is_none) {
    DemoResult result = {0};

    ck_assert(!demo_result_read(no_results[_i], &result));
    ck_assert_ptr_null(result.uuid);
}
END_TEST

START_TEST(parts_may_be_missing) {
    g_auto(DemoResult) result = {0};

    ck_assert(demo_result_read("{\"value\":\"x\",\"uuid\":5}", &result));
    ck_assert_str_eq(result.value, "");
    ck_assert_str_eq(result.uuid, "");
    ck_assert_str_eq(result.duration, "");
}
END_TEST

int main(void) {
    Suite *s = suite_create("demo-words");
    TCase *t = tcase_create("words");

    tcase_add_test(t, status_has_the_time);
    tcase_add_test(t, lines_have_the_time);
    tcase_add_loop_test(t, percents_are_rounded_down, 0, G_N_ELEMENTS(percents));
    tcase_add_test(t, result_is_read);
    tcase_add_loop_test(t, no_result_is_none, 0, G_N_ELEMENTS(no_results));
    tcase_add_test(t, parts_may_be_missing);
    suite_add_tcase(s, t);
    return unit_run(s);
}
