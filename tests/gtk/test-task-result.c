/* Results of tasks: as people read them, and kept for those who come back. */

#include <string.h>

#include "client-gtk/task/result-keep.h"
#include "client-gtk/task/result-text.h"
#include "tests/unit/unit.h"

static const struct {
    const char *json, *text;
} texts[] = {
    {"", ""},
    {"null", "null"},
    {"3.14", "3.14"},
    {"\"a \\\"b\\\" {c}, [d]\"", "\"a \\\"b\\\" {c}, [d]\""},
    {"\"\\\\\"", "\"\\\\\""},
    {"{}", "{}"},
    {"[ ]", "[]"},
    {"{\"a\":1,\"b\":[1,2]}", "{\n  \"a\": 1,\n  \"b\": [\n    1,\n    2\n  ]\n}"},
    {"{ \"ä\" : \"ö\" }", "{\n  \"ä\": \"ö\"\n}"},
    /* What is none loses nothing but blanks. */
    {"]}", "\n]\n}"},
    {"\"open", "\"open"},
    {"[[", "[\n  [\n    "},
};

START_TEST(is_on_lines_of_its_own) {
    gboolean cut;
    g_autofree char *text = result_text(texts[_i].json, 1000, &cut);

    ck_assert_str_eq(text, texts[_i].text);
    ck_assert(!cut);
}
END_TEST

/* At a character, and soon. */
START_TEST(is_cut) {
    g_autoptr(GString) json = g_string_new("\"");
    g_autofree char *text = NULL;
    gboolean cut;

    for (int i = 0; i < 100000; i++)
        g_string_append(json, "ö");
    g_string_append_c(json, '"');
    text = result_text(json->str, 1001, &cut);
    ck_assert(cut);
    ck_assert_uint_ge(strlen(text), 1001);
    ck_assert_uint_le(strlen(text), 1010);
    ck_assert(g_utf8_validate(text, -1, NULL));
}
END_TEST

static gsize longest_line(const char *text) {
    gsize longest = 0;

    while (*text) {
        gsize n = strcspn(text, "\n");

        longest = MAX(longest, n);
        text += n + (text[n] == '\n');
    }
    return longest;
}

START_TEST(has_no_endless_line) {
    g_autofree char *json = g_strnfill(100000, 'x'), *text = NULL, *deep = g_strnfill(5000, '[');
    g_autofree char *deep_text = NULL;
    gboolean cut;

    text = result_text(json, 1000000, &cut);
    ck_assert(!cut);
    ck_assert_uint_le(longest_line(text), LONGRUN_RESULT_LINE_MAX);
    ck_assert_uint_ge(strlen(text), 100000);
    deep_text = result_text(deep, 1000000, &cut);
    ck_assert_uint_le(longest_line(deep_text), 200);
}
END_TEST

/* ---- kept ---- */

START_TEST(keeps_the_last_ones) {
    for (guint64 id = 1; id <= LONGRUN_RESULTS_KEPT + 5; id++) {
        g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, id);

        result_keep(id, text);
    }
    ck_assert_ptr_null(result_keep_find(5));
    ck_assert_str_eq(result_keep_find(6), "6");
    ck_assert_str_eq(result_keep_find(LONGRUN_RESULTS_KEPT + 5), "25");
    result_keep_clear();
    ck_assert_ptr_null(result_keep_find(25));
}
END_TEST

START_TEST(keeps_so_many_bytes) {
    g_autofree char *half = g_strnfill(LONGRUN_RESULTS_BYTES / 2, 'x');
    g_autofree char *all = g_strnfill(LONGRUN_RESULTS_BYTES + 1, 'x');

    result_keep(1, half);
    result_keep(2, half);
    ck_assert_ptr_nonnull(result_keep_find(1));
    result_keep(3, "1");
    ck_assert_ptr_null(result_keep_find(1));
    ck_assert_ptr_nonnull(result_keep_find(2));
    result_keep(4, all);
    ck_assert_ptr_null(result_keep_find(3));
    ck_assert_ptr_nonnull(result_keep_find(4));
    result_keep_clear();
}
END_TEST

int main(void) {
    Suite *suite = suite_create("task-result");
    TCase *t = tcase_create("task-result");

    tcase_add_loop_test(t, is_on_lines_of_its_own, 0, (int)ELEMENTSOF(texts));
    tcase_add_test(t, is_cut);
    tcase_add_test(t, has_no_endless_line);
    tcase_add_test(t, keeps_the_last_ones);
    tcase_add_test(t, keeps_so_many_bytes);
    suite_add_tcase(suite, t);
    return unit_run(suite);
}
