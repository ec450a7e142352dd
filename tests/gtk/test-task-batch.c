/* The same for many tasks, of which some are not what they were when they were selected. */

#include "client-gtk/tasks/task-batch.h"
#include "tests/gtk/fake-manager.h"
#include "tests/unit/unit.h"

static FakeManager *fake;
static gboolean is_done;

static void setup(void) {
    fake = fake_manager_new();
    is_done = FALSE;
}

static void teardown(void) {
    fake_manager_free(fake);
}

static void on_done(void) {
    MUST(!is_done);
    is_done = TRUE;
}

static TaskBatch *run(TaskBatchSort sort, guint64 first, guint64 last) {
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(guint64));

    for (guint64 id = last; id >= first; id--)
        g_array_append_val(ids, id);
    TaskBatch *batch = task_batch_new(sort, ids);
    g_signal_connect(batch, "done", G_CALLBACK(on_done), NULL);
    task_batch_run(batch, fake_manager_proxy(fake));
    SPIN_UNTIL(is_done);
    return batch;
}

START_TEST(cancels_what_runs) {
    fake_manager_add(fake, 2500, TASK_RUNNING, "default");
    fake_manager_set_state(fake, 2500, TASK_SUCCEEDED);
    g_autoptr(TaskBatch) batch = run(TASK_BATCH_CANCEL, 1, 2500);
    ck_assert_uint_eq(task_batch_count_done(batch), 2499);
    ck_assert_ptr_null(task_batch_get_error(batch));
    for (guint64 id = 1; id < 2500; id++)
        MUST(fake_manager_state(fake, id) == TASK_CANCELLED);
}
END_TEST

START_TEST(finds_nothing_to_cancel) {
    fake_manager_add(fake, 3, TASK_FAILED, "default");
    g_autoptr(TaskBatch) batch = run(TASK_BATCH_CANCEL, 1, 3);
    ck_assert_uint_eq(task_batch_count_done(batch), 0);
    ck_assert_ptr_null(task_batch_get_error(batch));
}
END_TEST

/* Others have removed some meanwhile: one such spoils a call. */
START_TEST(removes_all_but_what_is_gone) {
    guint64 gone[] = {1, 700, 701, 2500};

    fake_manager_add(fake, 2500, TASK_SUCCEEDED, "default");
    fake_manager_remove(fake, gone, G_N_ELEMENTS(gone));
    g_autoptr(TaskBatch) batch = run(TASK_BATCH_REMOVE, 1, 2500);
    ck_assert_uint_eq(task_batch_count_done(batch), 2496);
    ck_assert_ptr_null(task_batch_get_error(batch));
    ck_assert_uint_eq(fake_manager_count(fake), 0);
}
END_TEST

START_TEST(removes_all_but_what_is_active) {
    fake_manager_add(fake, 1500, TASK_SUCCEEDED, "default");
    fake_manager_set_state(fake, 40, TASK_RUNNING);
    g_autoptr(TaskBatch) batch = run(TASK_BATCH_REMOVE, 1, 1500);
    ck_assert_uint_eq(task_batch_count_done(batch), 1499);
    ck_assert(g_error_matches(task_batch_get_error(batch), G_IO_ERROR, G_IO_ERROR_DBUS_ERROR));
    ck_assert_uint_eq(fake_manager_count(fake), 1);
}
END_TEST

/* Where nothing can be written, it is asked for once. */
START_TEST(gives_up) {
    fake_manager_add(fake, 5000, TASK_SUCCEEDED, "default");
    fake_manager_fail(fake, "Storage");
    g_autoptr(TaskBatch) batch = run(TASK_BATCH_REMOVE, 1, 5000);
    ck_assert_uint_eq(task_batch_count_done(batch), 0);
    ck_assert_ptr_nonnull(task_batch_get_error(batch));
}
END_TEST

START_TEST(has_nothing_to_do) {
    g_autoptr(TaskBatch) batch = run(TASK_BATCH_REMOVE, 1, 0);
    ck_assert_uint_eq(task_batch_count_done(batch), 0);
    ck_assert_ptr_null(task_batch_get_error(batch));
}
END_TEST

/* It is not needed any more by anybody but its own calls. */
START_TEST(lives_until_it_is_done) {
    fake_manager_add(fake, 2500, TASK_SUCCEEDED, "default");
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(guint64));
    for (guint64 id = 1; id <= 2500; id++)
        g_array_append_val(ids, id);
    TaskBatch *batch = task_batch_new(TASK_BATCH_REMOVE, ids);
    task_batch_run(batch, fake_manager_proxy(fake));
    g_object_unref(batch);
    SPIN_UNTIL(fake_manager_count(fake) == 0);
    fake_manager_settle(fake);
}
END_TEST

int main(void) {
    Suite *s = suite_create("task-batch");
    TCase *t = tcase_create("batch");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, cancels_what_runs);
    tcase_add_test(t, finds_nothing_to_cancel);
    tcase_add_test(t, removes_all_but_what_is_gone);
    tcase_add_test(t, removes_all_but_what_is_active);
    tcase_add_test(t, gives_up);
    tcase_add_test(t, has_nothing_to_do);
    tcase_add_test(t, lives_until_it_is_done);
    suite_add_tcase(s, t);
    return unit_run(s);
}
