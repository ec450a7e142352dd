/* All tasks: found by id and unique key, walked both ways, out of memory in the order of their
 * ends. */

#include "daemon/core/task-table.h"
#include "tests/unit/unit-task.h"

static TaskTable table;

static void setup(void) {
    task_table_init(&table);
}

static void teardown(void) {
    task_table_done(&table);
    ck_assert(RB_EMPTY(&table.by_id));
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

static void expect_walk(bool newest_first, const uint64_t *ids) {
    for (Task *t = task_table_begin(&table, newest_first); t;
         t = task_table_next(&table, t, newest_first))
        ck_assert_uint_eq(t->id, *ids++);
    ck_assert_uint_eq(*ids, 0);
}

START_TEST(test_walk) {
    for (uint64_t id = 10; id <= 50; id += 10)
        add(id, "");
    expect_walk(false, (uint64_t[]){10, 20, 30, 40, 50, 0});
    expect_walk(true, (uint64_t[]){50, 40, 30, 20, 10, 0});
}
END_TEST

/* However they came: one that is read from the disk is older than those before it. */
START_TEST(test_walk_is_by_id) {
    const uint64_t ids[] = {30, 10, 50, 20, 40};

    for (size_t i = 0; i < ELEMENTSOF(ids); i++)
        add(ids[i], "");
    expect_walk(false, (uint64_t[]){10, 20, 30, 40, 50, 0});
    expect_walk(true, (uint64_t[]){50, 40, 30, 20, 10, 0});
}
END_TEST

static const struct {
    uint64_t cursor, first, first_of_newest;
} cursors[] = {
    {0, 10, 0},  {1, 10, 0},   {10, 10, 10},        {11, 20, 10}, {20, 20, 20},
    {99, 0, 50}, {50, 50, 50}, {UINT64_MAX, 0, 50}, {49, 50, 40},
};

START_TEST(test_begin_at) {
    for (uint64_t id = 10; id <= 50; id += 10)
        add(id, "");
    for (int newest_first = 0; newest_first < 2; newest_first++) {
        const Task *t = task_table_begin_at(&table, cursors[_i].cursor, newest_first);
        ck_assert_uint_eq(t ? t->id : 0,
                          newest_first ? cursors[_i].first_of_newest : cursors[_i].first);
    }
}
END_TEST

START_TEST(test_begin_at_nothing) {
    ck_assert_ptr_null(task_table_begin_at(&table, 5, false));
    ck_assert_ptr_null(task_table_begin_at(&table, 5, true));
}
END_TEST

START_TEST(test_walk_after_removal) {
    for (uint64_t id = 10; id <= 50; id += 10)
        add(id, "");
    take(30);
    expect_walk(false, (uint64_t[]){10, 20, 40, 50, 0});
    expect_walk(true, (uint64_t[]){50, 40, 20, 10, 0});
    take(50);
    take(10);
    expect_walk(false, (uint64_t[]){20, 40, 0});
    expect_walk(true, (uint64_t[]){40, 20, 0});
    add(60, "");
    expect_walk(true, (uint64_t[]){60, 40, 20, 0});
    take(20);
    take(40);
    take(60);
    expect_walk(false, (uint64_t[]){0});
    expect_walk(true, (uint64_t[]){0});
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

/* The end is on disk, and all have been told. */
static void tell(uint64_t id) {
    task_table_find(&table, id)->told = true;
}

static bool has(uint64_t id) {
    return task_table_find(&table, id);
}

START_TEST(test_evict_all) {
    for (uint64_t id = 1; id <= 6; id++)
        add(id, "");
    end(4);
    end(2);
    end(5);
    tell(4);
    tell(2);
    task_table_evict(&table, false); /* they are few */
    ck_assert_uint_eq(table.n_ended, 3);
    task_table_evict(&table, true);
    ck_assert(!has(4) && !has(2));
    ck_assert(has(5));                     /* not told yet */
    ck_assert(has(1) && has(3) && has(6)); /* active */
    ck_assert_uint_eq(table.n_ended, 1);
    tell(5);
    task_table_find(&table, 5)->is_changed = true; /* a new label is on its way to the disk */
    task_table_evict(&table, true);
    ck_assert(has(5));
    task_table_find(&table, 5)->is_changed = false;
    task_table_evict(&table, true);
    ck_assert(!has(5));
    task_table_evict(&table, true);
    ck_assert_uint_eq(table.n_ended, 0);
    ck_assert_uint_eq(table.ended_bytes, 0);
}
END_TEST

/* Those that came first go first. */
START_TEST(test_evict_above) {
    for (uint64_t id = 1; id <= TASK_TABLE_ENDED_MAX + 3; id++) {
        add(id, "");
        end(id);
        tell(id);
    }
    task_table_evict(&table, false);
    ck_assert_uint_eq(table.n_ended, TASK_TABLE_ENDED_MAX);
    ck_assert(!has(1) && !has(2) && !has(3) && has(4));
}
END_TEST

/* However few they are: what they were asked with must not take too much memory. */
START_TEST(test_evict_bytes) {
    size_t each = TASK_TABLE_ENDED_BYTES_MAX / 4;

    for (uint64_t id = 1; id <= 6; id++) {
        add(id, "")->request_bytes = each;
        tell(id);
    }
    for (uint64_t id = 1; id <= 4; id++)
        end(id);
    task_table_evict(&table, false);
    ck_assert_uint_eq(table.ended_bytes, 4 * each);
    end(6);
    task_table_evict(&table, false);
    ck_assert(!has(1) && has(2) && has(5));
    ck_assert_uint_eq(table.ended_bytes, 4 * each);
}
END_TEST

/* One that comes from the disk has ended long ago: it takes no key from the active one. */
START_TEST(test_recalled) {
    Task *active = add(5, "nightly"), *recalled = unit_task_new(2);

    unit_set(&recalled->spec->unique, "nightly");
    recalled->state = TASK_FAILED;
    recalled->told = true;
    task_table_add(&table, recalled);
    ck_assert_ptr_eq(task_table_find(&table, 2), recalled);
    ck_assert_ptr_eq(task_table_find_unique(&table, "nightly"), active);
    ck_assert_uint_eq(table.n_ended, 1);
    ck_assert_uint_gt(table.ended_bytes, 0);
    task_table_evict(&table, true);
    ck_assert(!has(2));
    ck_assert_ptr_eq(task_table_find_unique(&table, "nightly"), active);
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
    tcase_add_test(t, test_walk);
    tcase_add_test(t, test_walk_is_by_id);
    tcase_add_loop_test(t, test_begin_at, 0, ELEMENTSOF(cursors));
    tcase_add_test(t, test_begin_at_nothing);
    tcase_add_test(t, test_walk_after_removal);
    tcase_add_test(t, test_unique);
    tcase_add_test(t, test_evict_all);
    tcase_add_test(t, test_evict_above);
    tcase_add_test(t, test_evict_bytes);
    tcase_add_test(t, test_recalled);
    tcase_add_test(t, test_done_frees_all);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
