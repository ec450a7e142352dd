/* All tasks: found by id and unique key, walked both ways, forgotten in the order of their ends. */

#include "daemon/core/task-table.h"
#include "tests/unit/unit-task.h"

static TaskTable table;

static void setup(void) {
    task_table_init(&table);
}

static void teardown(void) {
    task_table_done(&table);
    ck_assert_ptr_null(table.by_id);
    ck_assert_ptr_null(table.by_unique);
    ck_assert_uint_eq(table.n_ended, 0);
}

static Task *add(uint64_t id, const char *unique) {
    Task *t = unit_task_new(id);

    unit_set(&t->spec->unique, unique);
    task_table_add(&table, t);
    return t;
}

static void end(uint64_t id) {
    Task *t = task_table_find(&table, id);

    t->state = TASK_FAILED;
    task_table_ended(&table, t);
}

static void take(uint64_t id) {
    Task *t = task_table_find(&table, id);

    task_table_take(&table, t);
    ck_assert_ptr_null(task_table_find(&table, id));
    task_free(t);
}

START_TEST(test_find) {
    Task *a = add(7, ""), *b = add(UINT64_MAX, "");

    ck_assert_ptr_eq(task_table_find(&table, 7), a);
    ck_assert_ptr_eq(task_table_find(&table, UINT64_MAX), b);
    ck_assert_ptr_null(task_table_find(&table, 0));
    ck_assert_ptr_null(task_table_find(&table, 8));
    take(7);
    ck_assert_ptr_eq(task_table_find(&table, UINT64_MAX), b);
}
END_TEST

START_TEST(test_take_is_the_callers) {
    Task *a = add(1, "key");

    task_table_take(&table, a);
    ck_assert_uint_eq(a->id, 1);
    ck_assert_ptr_null(task_table_find_unique(&table, "key"));
    task_free(a);
}
END_TEST

/* ---- walking ---- */

#define IDS_MAX 8

static const struct {
    uint64_t cursor;
    bool newest_first;
    uint64_t ids[IDS_MAX]; /* of those that are there: 10, 20, 30, 40, 50 */
} walks[] = {
    {0, false, {10, 20, 30, 40, 50}},
    {0, true, {50, 40, 30, 20, 10}},
    {10, false, {10, 20, 30, 40, 50}},
    {30, false, {30, 40, 50}},
    {30, true, {30, 20, 10}},
    {50, false, {50}},
    {10, true, {10}},
    /* The one at which the page was to begin is gone. */
    {25, false, {30, 40, 50}},
    {25, true, {20, 10}},
    {1, false, {10, 20, 30, 40, 50}},
    {1, true, {}},
    {51, false, {}},
    {51, true, {50, 40, 30, 20, 10}},
    {UINT64_MAX, false, {}},
    {UINT64_MAX, true, {50, 40, 30, 20, 10}},
};

static void expect_walk(uint64_t cursor, bool newest_first, const uint64_t *ids) {
    for (Task *t = task_table_begin(&table, cursor, newest_first); t;
         t = task_table_next(&table, t, newest_first))
        ck_assert_uint_eq(t->id, *ids++);
    ck_assert_uint_eq(*ids, 0);
}

START_TEST(test_walk) {
    for (uint64_t id = 10; id <= 50; id += 10)
        add(id, "");
    expect_walk(walks[_i].cursor, walks[_i].newest_first, walks[_i].ids);
}
END_TEST

START_TEST(test_walk_after_removal) {
    for (uint64_t id = 10; id <= 50; id += 10)
        add(id, "");
    take(30);
    expect_walk(30, false, (uint64_t[]){40, 50, 0});
    expect_walk(30, true, (uint64_t[]){20, 10, 0});
    take(50);
    take(10);
    expect_walk(0, false, (uint64_t[]){20, 40, 0});
    expect_walk(0, true, (uint64_t[]){40, 20, 0});
    add(60, "");
    expect_walk(0, true, (uint64_t[]){60, 40, 20, 0});
    take(20);
    take(40);
    take(60);
    expect_walk(0, false, (uint64_t[]){0});
    expect_walk(0, true, (uint64_t[]){0});
    expect_walk(60, true, (uint64_t[]){0});
}
END_TEST

/* Pages of seven, with tasks that go between two pages: none of those that stay is missed or shown
 * twice. */
START_TEST(test_pages) {
    uint64_t cursor = 0, expected = 100;
    bool again = true;

    for (uint64_t id = 1; id <= 100; id++)
        add(id, "");
    while (again) {
        Task *t = task_table_begin(&table, cursor, true);
        for (int i = 0; i < 7 && t; i++) {
            ck_assert_uint_eq(t->id, expected--);
            t = task_table_next(&table, t, true);
        }
        again = t;
        if (t) {
            cursor = t->id;
            take(cursor); /* just there the next page was to begin */
            expected--;
        }
    }
    ck_assert_uint_eq(expected, 0);
}
END_TEST

/* ---- the unique key ---- */

START_TEST(test_unique) {
    Task *a = add(1, "nightly");

    add(2, "");
    ck_assert_ptr_eq(task_table_find_unique(&table, "nightly"), a);
    ck_assert_ptr_null(task_table_find_unique(&table, "night"));
    ck_assert_ptr_null(task_table_find_unique(&table, "nightly "));
    ck_assert_ptr_null(task_table_find_unique(&table, ""));
    end(1);
    ck_assert_ptr_null(task_table_find_unique(&table, "nightly"));
    /* The next with the key; the end of the first is of no account. */
    Task *b = add(3, "nightly");
    ck_assert_ptr_eq(task_table_find_unique(&table, "nightly"), b);
    take(1);
    ck_assert_ptr_eq(task_table_find_unique(&table, "nightly"), b);
    take(3);
    ck_assert_ptr_null(task_table_find_unique(&table, "nightly"));
}
END_TEST

/* ---- those that have ended ---- */

START_TEST(test_ended_above) {
    for (uint64_t id = 1; id <= 5; id++)
        add(id, "");
    ck_assert_ptr_null(task_table_ended_above(&table, 0));
    end(4);
    end(2);
    end(5);
    ck_assert_uint_eq(table.n_ended, 3);
    ck_assert_ptr_null(task_table_ended_above(&table, 3));
    ck_assert_uint_eq(task_table_ended_above(&table, 2)->id, 4);
    take(2); /* by hand */
    ck_assert_ptr_null(task_table_ended_above(&table, 2));
    ck_assert_uint_eq(task_table_ended_above(&table, 1)->id, 4);
    take(4);
    ck_assert_uint_eq(task_table_ended_above(&table, 0)->id, 5);
    take(1); /* an active one does not count */
    ck_assert_uint_eq(table.n_ended, 1);
    take(5);
    ck_assert_ptr_null(task_table_ended_above(&table, 0));
    end(3);
    ck_assert_uint_eq(task_table_ended_above(&table, 0)->id, 3);
}
END_TEST

/* However few they are: what they were asked with must not take too much memory. */
START_TEST(test_ended_bytes) {
    size_t each = TASK_TABLE_ENDED_BYTES_MAX / 4;

    for (uint64_t id = 1; id <= 6; id++)
        add(id, "")->request_bytes = each;
    for (uint64_t id = 1; id <= 4; id++)
        end(id);
    ck_assert_uint_eq(table.ended_bytes, 4 * each);
    ck_assert_ptr_null(task_table_ended_above(&table, 100));
    end(6);
    ck_assert_uint_eq(task_table_ended_above(&table, 100)->id, 1);
    take(1);
    ck_assert_ptr_null(task_table_ended_above(&table, 100));
    take(5); /* an active one does not count */
    for (uint64_t id = 2; id <= 6; id++)
        if (id != 5)
            take(id);
    ck_assert_uint_eq(table.ended_bytes, 0);
}
END_TEST

START_TEST(test_done_frees_all) {
    for (uint64_t id = 1; id <= 100; id++)
        add(id, "");
    for (uint64_t id = 1; id <= 100; id += 2)
        end(id);
    task_table_done(&table); /* the leak check does the rest */
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("task-table");
    TCase *t = tcase_create("task-table");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_find);
    tcase_add_test(t, test_take_is_the_callers);
    tcase_add_loop_test(t, test_walk, 0, ELEMENTSOF(walks));
    tcase_add_test(t, test_walk_after_removal);
    tcase_add_test(t, test_pages);
    tcase_add_test(t, test_unique);
    tcase_add_test(t, test_ended_above);
    tcase_add_test(t, test_ended_bytes);
    tcase_add_test(t, test_done_frees_all);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
