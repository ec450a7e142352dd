/* Faults of storage while the daemon runs: a commit that fails has written nothing, takes no other
 * along, and the next one goes through as soon as the cause is gone. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "tests/unit/store-rig.h"

static void setup(void) {
    rig_setup();
    rig_open();
}

/* ---- a limit on the size of files ---- */

static void limit_files(rlim_t size) {
    struct rlimit limit;

    MUST(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    MUST(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = size;
    MUST(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static rlim_t wal_size(void) {
    return (rlim_t)rig_size(rig_path("-wal"));
}

START_TEST(test_no_room) {
    _cleanup_(task_freep) Task *a = unit_task_new(1), *b = unit_task_new(2);

    rig_put(a);
    limit_files(wal_size());
    for (int i = 0; i < 3; i++)
        MUST(rig_commit(rig_batch(&b, 1)) == -ENOSPC);
    limit_files(RLIM_INFINITY);
    ck_assert_ptr_nonnull(rig_read_one(1));
    ck_assert_ptr_null(rig_read_one(2));
    rig_put(b);
    rig_reopen();
    ck_assert_uint_eq(rig_load()->n, 2);
}
END_TEST

static int errors[3];
static size_t called;

static void on_commit(void *userdata, int error) {
    errors[(uintptr_t)userdata] = error;
    called++;
}

/* Three commits that wait together, of which the one in the middle is too large for the disk. */
START_TEST(test_innocent_ones) {
    _cleanup_free_ char *large = unit_repeat('x', 6 * MIB);
    StoreBatch *batches[3];
    Task *tasks[3];
    sqlite3 *other;

    MUST(sqlite3_open_v2(rig_path(""), &other, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK);
    for (size_t i = 0; i < 3; i++) {
        tasks[i] = rig_ended(i + 1, TASK_SUCCEEDED);
        batches[i] = rig_batch(&tasks[i], 1);
    }
    MUST(store_batch_put_result(batches[1], 2, large) == 0);
    MUST(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
    limit_files(wal_size() + 3 * MIB);
    for (uintptr_t i = 0; i < 3; i++)
        MUST(store_commit(rig_store, batches[i], on_commit, (void *)i) == 0);
    MUST(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK);
    rig_wait(&called, 3);
    limit_files(RLIM_INFINITY);
    sqlite3_close(other);
    ck_assert_int_eq(errors[0], 0);
    ck_assert_int_eq(errors[1], -ENOSPC);
    ck_assert_int_eq(errors[2], 0);
    rig_reopen();
    ck_assert_ptr_nonnull(rig_read_one(1));
    ck_assert_ptr_null(rig_read_one(2));
    ck_assert_ptr_null(rig_result(2));
    ck_assert_ptr_nonnull(rig_read_one(3));
    for (size_t i = 0; i < 3; i++) {
        store_batch_free(batches[i]);
        task_free(tasks[i]);
    }
}
END_TEST

/* ---- somebody else ---- */

/* It is not waited for without end. */
START_TEST(test_held_by_another) {
    _cleanup_(task_freep) Task *t = unit_task_new(1);
    sqlite3 *other;

    MUST(sqlite3_open_v2(rig_path(""), &other, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK);
    MUST(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
    ck_assert_int_eq(rig_commit(rig_batch(&t, 1)), -EBUSY);
    sqlite3_close(other);
    rig_put(t);
}
END_TEST

/* ---- damage ---- */

static void fill(size_t n) {
    Task *tasks[500];

    MUST(n <= ELEMENTSOF(tasks));
    for (size_t i = 0; i < n; i++)
        tasks[i] = rig_ended(i + 1, TASK_SUCCEEDED);
    rig_put_many(tasks, n);
    for (size_t i = 0; i < n; i++)
        task_free(tasks[i]);
    rig_reopen(); /* all is in the file, nothing in the WAL or a cache */
}

/* All pages but the first. */
static void damage_all(void) {
    rig_damage(rig_path(""), 4096, (size_t)rig_size(rig_path("")) - 4096);
}

static void *as_userdata(uintptr_t n) {
    return (void *)n;
}

/* All that was handed in before the loop knew is refused; then it goes on, with ids above all that
 * were given out. */
START_TEST(test_damaged_while_running) {
    StoreBatch *batches[3];
    Task *tasks[3];

    fill(100);
    MUST(store_set_session(rig_store, "boot/1") == 0);
    damage_all();
    for (size_t i = 0; i < 3; i++) {
        tasks[i] = unit_task_new(1001 + i);
        batches[i] = rig_batch(&tasks[i], 1);
        MUST(store_commit(rig_store, batches[i], on_commit, as_userdata(i)) == 0);
    }
    ck_assert_ptr_null(store_damaged_path(rig_store));
    rig_wait(&called, 1);
    ck_assert_int_eq(errors[0], -EBADMSG);
    const char *damaged = store_damaged_path(rig_store);
    ck_assert_ptr_nonnull(damaged);
    ck_assert_ptr_nonnull(strstr(damaged, STORE_FILE ".damaged-"));
    ck_assert_int_gt(rig_size(damaged), 4096);
    rig_wait(&called, 3);
    ck_assert_int_eq(errors[1], -EBADMSG);
    ck_assert_int_eq(errors[2], -EBADMSG);

    rig_put_many(tasks, 1);
    ck_assert_ptr_nonnull(rig_read_one(1001));
    ck_assert_ptr_null(rig_read_one(1002));
    rig_reopen();
    ck_assert_ptr_null(rig_damaged);
    ck_assert_uint_eq(store_next_id(rig_store), 1004);
    _cleanup_free_ char *session = store_session(rig_store);
    ck_assert_str_eq(session, "boot/1");
    for (size_t i = 0; i < 3; i++) {
        store_batch_free(batches[i]);
        task_free(tasks[i]);
    }
}
END_TEST

/* What a question finds damaged is put right with the next commit. */
START_TEST(test_found_by_a_reader) {
    _cleanup_(task_freep) Task *t = unit_task_new(1001);
    _cleanup_free_ char *cwd = unit_repeat('d', 3000);
    Task *tasks[100];

    for (size_t i = 0; i < 100; i++) {
        tasks[i] = rig_ended(i + 1, TASK_SUCCEEDED);
        unit_set(&tasks[i]->spec->cwd, cwd);
    }
    rig_put_many(tasks, 100);
    rig_reopen();
    int64_t root = rig_sql("SELECT rootpage FROM sqlite_schema WHERE name = 'request'");
    rig_damage(rig_path(""), (long)(root - 1) * 4096, 4096);
    ck_assert_int_eq(rig_read((const uint64_t[]){50}, 1)->error, -EBADMSG);
    ck_assert_int_eq(rig_commit(rig_batch(&t, 1)), -EBADMSG);
    ck_assert_ptr_nonnull(store_damaged_path(rig_store));
    rig_put(t);
    ck_assert_int_eq(rig_list(&(TaskFilter){.limit = 1000})->error, 0);
    ck_assert_uint_eq(rig_list(&(TaskFilter){.limit = 1000})->n, 100);
    ck_assert_ptr_nonnull(rig_read_one(50)); /* its request is lost, the rest is there */
    for (size_t i = 0; i < 100; i++)
        task_free(tasks[i]);
}
END_TEST

/* Rows that were saved and are put in anew by who has them in memory. */
START_TEST(test_put_in_anew) {
    _cleanup_(task_freep) Task *t = unit_task_new(7);

    rig_put(t);
    t->stored = false;
    unit_set(&t->spec->label, "another");
    unit_set(&t->spec->cwd, "/elsewhere");
    rig_put(t);
    rig_assert_same(rig_read_one(7), t);
    ck_assert_int_eq(rig_sql("SELECT count(*) FROM task"), 1);
}
END_TEST

/* Its row was lost; what was to change it is enough to have it again. */
START_TEST(test_row_is_lost) {
    _cleanup_(task_freep) Task *t = unit_task_new(7);

    rig_put(t);
    MUST(rig_sql("DELETE FROM task") == -1);
    MUST(task_set_state(t, TASK_STARTING, 5) == 0);
    rig_put(t);
    rig_assert_same(rig_read_one(7), t);
}
END_TEST

START_TEST(test_file_deleted) {
    _cleanup_(task_freep) Task *a = unit_task_new(1), *b = unit_task_new(9);

    rig_put(a);
    MUST(unlink(rig_path("")) == 0);
    ck_assert_int_eq(rig_commit(rig_batch(&b, 1)), -EBADMSG);
    rig_put_many((Task *[]){a, b}, 2);
    ck_assert_ptr_nonnull(rig_read_one(9));
    rig_reopen();
    ck_assert_uint_eq(rig_load()->n, 2);
    ck_assert_uint_eq(store_next_id(rig_store), 10);
}
END_TEST

/* Deleted while no connection was open, after an error. */
START_TEST(test_file_deleted_after_error) {
    _cleanup_(task_freep) Task *t = unit_task_new(1);

    limit_files(wal_size());
    MUST(rig_commit(rig_batch(&t, 1)) == -ENOSPC);
    limit_files(RLIM_INFINITY);
    MUST(unlink(rig_path("")) == 0);
    ck_assert_int_eq(rig_commit(rig_batch(&t, 1)), -EBADMSG);
    rig_put(t);
    ck_assert_ptr_nonnull(rig_read_one(1));
}
END_TEST

/* There is no room for the new database: the damaged one stays, and it is tried again. */
START_TEST(test_damaged_without_room) {
    _cleanup_(task_freep) Task *t = unit_task_new(1001);

    fill(100);
    damage_all();
    limit_files(4096);
    MUST(rig_commit(rig_batch(&t, 1)) == -ENOSPC);
    MUST(!store_damaged_path(rig_store));
    MUST(unit_exists(STORE_FILE) && !unit_exists(STORE_FILE ".new"));
    limit_files(RLIM_INFINITY);
    ck_assert_int_eq(rig_commit(rig_batch(&t, 1)), -EBADMSG);
    ck_assert_ptr_nonnull(store_damaged_path(rig_store));
    rig_put(t);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("store-faults");
    TCase *t = tcase_create("store-faults");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, setup, rig_teardown);
    tcase_add_test(t, test_no_room);
    tcase_add_test(t, test_innocent_ones);
    tcase_add_test(t, test_held_by_another);
    tcase_add_test(t, test_damaged_while_running);
    tcase_add_test(t, test_found_by_a_reader);
    tcase_add_test(t, test_put_in_anew);
    tcase_add_test(t, test_row_is_lost);
    tcase_add_test(t, test_file_deleted);
    tcase_add_test(t, test_file_deleted_after_error);
    tcase_add_test(t, test_damaged_without_room);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
