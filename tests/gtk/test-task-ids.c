/* What may stand behind longrun-gtk on the command line. */

#include "client-gtk/base/task-ids.h"
#include "tests/unit/unit.h"

static const struct {
    const char *word;
    guint64 id; /* 0: is none */
} words[] = {
    {"1", 1},
    {"007", 7},
    {"18446744073709551615", G_MAXUINT64},
    {"18446744073709551616", 0},
    {"0", 0},
    {"-1", 0},
    {"+1", 0},
    {" 1", 0},
    {"1x", 0},
    {"0x1", 0},
    {"", 0},
    {"task/1", 0},
};

START_TEST(a_word) {
    const char *const line[] = {words[_i].word, NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) ids = task_ids_parse(line, &error);

    if (words[_i].id > 0) {
        ck_assert_ptr_nonnull(ids);
        ck_assert_uint_eq(ids->len, 1);
        ck_assert_uint_eq(g_array_index(ids, guint64, 0), words[_i].id);
    } else {
        ck_assert_ptr_null(ids);
        ck_assert_ptr_nonnull(strstr(error->message, words[_i].word));
        ck_assert_ptr_nonnull(strstr(error->message, "longrun list"));
    }
}
END_TEST

START_TEST(many_words) {
    const char *line[TASK_IDS_MAX + 2] = {};
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) all = NULL;

    for (int i = 0; i < TASK_IDS_MAX; i++)
        line[i] = "5";
    all = task_ids_parse(line, &error);
    ck_assert_uint_eq(all->len, TASK_IDS_MAX);
    line[TASK_IDS_MAX] = "5";
    ck_assert_ptr_null(task_ids_parse(line, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "At most 20"));
}
END_TEST

START_TEST(no_word) {
    g_autoptr(GArray) ids = task_ids_parse(NULL, NULL);

    ck_assert_uint_eq(ids->len, 0);
}
END_TEST

int main(void) {
    Suite *s = suite_create("task-ids");
    TCase *t = tcase_create("ids");

    tcase_add_loop_test(t, a_word, 0, G_N_ELEMENTS(words));
    tcase_add_test(t, many_words);
    tcase_add_test(t, no_word);
    suite_add_tcase(s, t);
    return unit_run(s);
}
