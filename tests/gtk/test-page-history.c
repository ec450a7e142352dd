/* The way back over the pages of tasks. */

#include "client-gtk/base/page-history.h"
#include "tests/unit/unit.h"

START_TEST(goes_there_and_back) {
    g_autoptr(PageHistory) h = page_history_new();

    ck_assert_uint_eq(page_history_current(h), 0);
    ck_assert(page_history_go(h, 7));
    ck_assert(page_history_go(h, 3));
    ck_assert(page_history_go(h, 7));
    ck_assert_uint_eq(page_history_current(h), 7);
    ck_assert_uint_eq(page_history_back(h), 3);
    ck_assert_uint_eq(page_history_back(h), 7);
    ck_assert_uint_eq(page_history_back(h), 0);
    ck_assert_uint_eq(page_history_back(h), 0);
}
END_TEST

START_TEST(stays_where_it_is) {
    g_autoptr(PageHistory) h = page_history_new();

    ck_assert(page_history_go(h, 7));
    ck_assert(!page_history_go(h, 7));
    ck_assert_uint_eq(page_history_back(h), 0);
}
END_TEST

START_TEST(is_cleared) {
    g_autoptr(PageHistory) h = page_history_new();

    page_history_go(h, 7);
    page_history_go(h, 8);
    page_history_clear(h);
    ck_assert_uint_eq(page_history_current(h), 0);
    ck_assert_uint_eq(page_history_back(h), 0);
}
END_TEST

START_TEST(forgets_the_first_steps) {
    g_autoptr(PageHistory) h = page_history_new();
    guint64 n = 10 * PAGE_HISTORY_MAX, steps = 1;

    for (guint64 id = 1; id <= n; id++)
        page_history_go(h, id);
    ck_assert_uint_eq(page_history_current(h), n);
    while (page_history_back(h) == n - steps)
        steps++;
    ck_assert_uint_eq(steps, PAGE_HISTORY_MAX);
    ck_assert_uint_eq(page_history_current(h), 0);
}
END_TEST

int main(void) {
    Suite *s = suite_create("page-history");
    TCase *t = tcase_create("history");

    tcase_add_test(t, goes_there_and_back);
    tcase_add_test(t, stays_where_it_is);
    tcase_add_test(t, is_cleared);
    tcase_add_test(t, forgets_the_first_steps);
    suite_add_tcase(s, t);
    return unit_run(s);
}
