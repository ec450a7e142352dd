/* What a notification says of tasks that have ended. */

#include <string.h>

#include "client-gtk/base/end-news.h"
#include "tests/unit/unit.h"

static void says(const EndNews *n, const char *title, const char *body) {
    g_autofree char *shown_title = end_news_title(n), *shown_body = end_news_body(n);

    ck_assert_str_eq(shown_title, title);
    ck_assert_str_eq(shown_body, body);
}

static const struct {
    TaskState state;
    int exit_code;
    const char *title, *body;
} ones[] = {
    {TASK_SUCCEEDED, 0, "“build” has succeeded", "Task 7"},
    {TASK_FAILED, 3, "“build” has failed", "Task 7, exit code 3"},
    {TASK_FAILED, -1, "“build” has failed", "Task 7"},
    {TASK_TIMED_OUT, 143, "“build” has timed out", "Task 7"},
    {TASK_INTERRUPTED, -1, "“build” was interrupted", "Task 7"},
};

START_TEST(one) {
    g_autoptr(EndNews) n = end_news_new();

    end_news_add(n, 7, "build", ones[_i].state, ones[_i].exit_code);
    ck_assert_uint_eq(end_news_count(n), 1);
    ck_assert_uint_eq(end_news_task(n), 7);
    says(n, ones[_i].title, ones[_i].body);
}
END_TEST

START_TEST(several) {
    g_autoptr(EndNews) n = end_news_new();

    end_news_add(n, 7, "build", TASK_SUCCEEDED, 0);
    end_news_add(n, 8, "test", TASK_SUCCEEDED, 0);
    ck_assert_uint_eq(end_news_task(n), 0);
    says(n, "2 tasks have ended", "All of them have succeeded");
    end_news_add(n, 9, "deploy", TASK_FAILED, 1);
    says(n, "3 tasks have ended", "1 of them has not succeeded");
    for (guint64 id = 10; id < 100000; id++)
        end_news_add(n, id, "x", TASK_TIMED_OUT, -1);
    says(n, "99993 tasks have ended", "99991 of them have not succeeded");
}
END_TEST

START_TEST(one_without_a_name) {
    g_autoptr(EndNews) n = end_news_new();

    end_news_add(n, 7, NULL, TASK_SUCCEEDED, 0);
    ck_assert_uint_eq(end_news_task(n), 0);
    says(n, "1 task has ended", "All of them have succeeded");
}
END_TEST

START_TEST(is_cleared) {
    g_autoptr(EndNews) n = end_news_new();

    end_news_add(n, 7, "build", TASK_FAILED, 1);
    end_news_add(n, 8, "test", TASK_FAILED, 1);
    end_news_clear(n);
    ck_assert_uint_eq(end_news_count(n), 0);
    end_news_add(n, 9, "deploy", TASK_SUCCEEDED, 0);
    says(n, "“deploy” has succeeded", "Task 9");
}
END_TEST

static const struct {
    const char *label, *shown;
} labels[] = {
    {"<b>%s%n</b> & \"more\"", "<b>%s%n</b> & \"more\""},
    {"a tab\tand two\nlines", "a tab and twolines"},
    {"red \033[31malert", "red alert"},
    {"", ""},
};

START_TEST(a_label) {
    g_autoptr(EndNews) n = end_news_new();
    g_autofree char *title = g_strdup_printf("“%s” has succeeded", labels[_i].shown);

    end_news_add(n, 7, labels[_i].label, TASK_SUCCEEDED, 0);
    says(n, title, "Task 7");
}
END_TEST

START_TEST(a_long_label) {
    g_autoptr(EndNews) n = end_news_new();
    g_autofree char *label = g_strnfill(100000, 'a'), *title = NULL;

    end_news_add(n, 7, label, TASK_SUCCEEDED, 0);
    title = end_news_title(n);
    ck_assert_int_eq(g_utf8_strlen(title, -1), END_NEWS_LABEL_MAX + 16);
    ck_assert_ptr_nonnull(strstr(title, "aaa…”"));
}
END_TEST

static const struct {
    TaskState state;
    gboolean alone, child;
} wants[] = {
    {TASK_RUNNING, FALSE, FALSE}, {TASK_SUCCEEDED, TRUE, FALSE},
    {TASK_FAILED, TRUE, TRUE},    {TASK_CANCELLED, FALSE, FALSE},
    {TASK_TIMED_OUT, TRUE, TRUE}, {TASK_INTERRUPTED, TRUE, TRUE},
    {TASK_SKIPPED, FALSE, FALSE}, {_TASK_STATE_INVALID, FALSE, FALSE},
};

START_TEST(is_worth_telling) {
    ck_assert_int_eq(end_news_wants(wants[_i].state, FALSE), wants[_i].alone);
    ck_assert_int_eq(end_news_wants(wants[_i].state, TRUE), wants[_i].child);
}
END_TEST

int main(void) {
    Suite *s = suite_create("end-news");
    TCase *t = tcase_create("news");

    tcase_add_loop_test(t, one, 0, G_N_ELEMENTS(ones));
    tcase_add_test(t, several);
    tcase_add_test(t, one_without_a_name);
    tcase_add_test(t, is_cleared);
    tcase_add_loop_test(t, a_label, 0, G_N_ELEMENTS(labels));
    tcase_add_test(t, a_long_label);
    tcase_add_loop_test(t, is_worth_telling, 0, G_N_ELEMENTS(wants));
    suite_add_tcase(s, t);
    return unit_run(s);
}
