/* The state of a task as the window knows it: loaded, followed, lost with the daemon and back. */

#include "client-gtk/task/task-details.h"
#include "client-gtk/task/task-note.h"
#include "tests/gtk/task-rig.h"
#include "tests/unit/unit.h"

static TaskRig *rig;
static TaskDetails *details;
static guint changed, moved;

static void on_changed(void) {
    changed++;
}

static void on_moved(void) {
    moved++;
}

static void setup(void) {
    rig = task_rig_new();
    details = task_details_new(NULL, TASK_RIG_ID);
    changed = moved = 0;
    g_signal_connect(details, "changed", G_CALLBACK(on_changed), NULL);
    g_signal_connect(details, "moved", G_CALLBACK(on_moved), NULL);
}

static void teardown(void) {
    g_clear_object(&details);
    task_rig_free(rig);
}

static TaskStanding standing(void) {
    return task_details_get_standing(details);
}

static const char *text(const char *name) {
    return task_props_string(task_details_get_props(details), name);
}

static void load(void) {
    task_details_open(details, rig->client, NULL);
    UNTIL(standing() != TASK_STANDING_LOADING);
}

static void run(void) {
    dbus_task_set_state(rig->task, "running");
    dbus_task_set_started_at(rig->task, (guint64)g_get_real_time());
    dbus_task_set_progress(rig->task, 0.25);
    load();
    task_rig_flush(rig);
}

START_TEST(loads_all) {
    ck_assert_int_eq(standing(), TASK_STANDING_LOADING);
    ck_assert(!task_details_is_known(details));
    ck_assert_uint_eq(task_details_can(details), 0);
    ck_assert_ptr_null(task_details_get_proxy(details));
    load();
    ck_assert_int_eq(standing(), TASK_STANDING_LIVE);
    ck_assert_str_eq(text("Label"), "a task");
    ck_assert_uint_eq(task_details_can(details),
                      TASK_CAN_CANCEL | TASK_CAN_SET_LABEL | TASK_CAN_SET_PRIORITY);
    ck_assert_ptr_nonnull(task_details_get_proxy(details));
}
END_TEST

START_TEST(is_not_there) {
    task_rig_remove(rig, TASK_RIG_ID);
    load();
    ck_assert_int_eq(standing(), TASK_STANDING_GONE);
    ck_assert(!task_details_is_known(details));
}
END_TEST

/* ---- signals ---- */

START_TEST(follows_progress_and_status) {
    run();
    changed = moved = 0;
    dbus_task_emit_progress(rig->task, 0.5, 4, 8, "second half");
    dbus_task_emit_status(rig->task, "Processing step 4 of 8");
    UNTIL(moved == 2);
    ck_assert_double_eq(task_props_double(task_details_get_props(details), "Progress"), 0.5);
    ck_assert_uint_eq(task_props_number(task_details_get_props(details), "Done"), 4);
    ck_assert_str_eq(text("Phase"), "second half");
    ck_assert_str_eq(text("Status"), "Processing step 4 of 8");
    ck_assert_uint_eq(changed, 0);
}
END_TEST

/* The rest of what has changed is asked for behind the signal. */
START_TEST(follows_states) {
    run();
    dbus_task_set_reason(rig->task, "somebody has paused it");
    dbus_task_set_state(rig->task, "paused");
    UNTIL(g_str_equal(text("State"), "paused"));
    ck_assert(task_details_can(details) & TASK_CAN_RESUME);
    UNTIL(g_str_equal(text("Reason"), "somebody has paused it"));
}
END_TEST

START_TEST(follows_the_end) {
    run();
    dbus_task_set_has_result(rig->task, TRUE);
    dbus_task_set_finished_at(rig->task, 7);
    dbus_task_emit_finished(rig->task, "failed", 3, "exit code 3");
    UNTIL(g_str_equal(text("State"), "failed"));
    ck_assert_str_eq(text("Message"), "exit code 3");
    ck_assert_int_eq(task_props_int(task_details_get_props(details), "ExitCode"), 3);
    dbus_task_set_state(rig->task, "failed");
    UNTIL(task_details_can(details) & TASK_CAN_TAKE_RESULT);
    ck_assert_uint_eq(task_props_number(task_details_get_props(details), "FinishedAt"), 7);
}
END_TEST

static GVariant *ids(guint64 first, guint64 second) {
    return g_variant_new_parsed("[%t, %t]", first, second);
}

START_TEST(is_removed) {
    run();
    dbus_manager_emit_tasks_removed(rig->manager, ids(1, 2));
    task_rig_flush(rig);
    ck_assert_int_eq(standing(), TASK_STANDING_LIVE);
    dbus_manager_emit_tasks_removed(rig->manager, ids(1, TASK_RIG_ID));
    UNTIL(standing() == TASK_STANDING_GONE);
    ck_assert(task_details_is_known(details));
    ck_assert_str_eq(text("Label"), "a task");
    ck_assert_uint_eq(task_details_can(details), 0);
}
END_TEST

START_TEST(keeps_messages_within_bounds) {
    GListModel *notes = task_details_get_notes(details);
    g_autoptr(TaskNote) first = NULL, last = NULL;

    load();
    for (guint i = 0; i < LONGRUN_TASK_NOTES_MAX + 10; i++) {
        g_autofree char *message = g_strdup_printf("message %u", i);

        dbus_task_emit_message(rig->task, i % 2 ? TASK_RIG_ID : 0, message);
    }
    task_rig_flush(rig);
    ck_assert_uint_eq(g_list_model_get_n_items(notes), LONGRUN_TASK_NOTES_MAX);
    first = g_list_model_get_item(notes, 0);
    last = g_list_model_get_item(notes, LONGRUN_TASK_NOTES_MAX - 1);
    ck_assert_str_eq(task_note_get_text(first), "message 10");
    ck_assert_str_eq(task_note_get_text(last), "message 209");
    ck_assert_uint_eq(task_note_get_from(first), 0);
    ck_assert_uint_eq(task_note_get_from(last), TASK_RIG_ID);
}
END_TEST

/* ---- the daemon goes and comes ---- */

START_TEST(drifts_and_comes_back) {
    run();
    task_details_open(details, NULL, NULL);
    ck_assert_int_eq(standing(), TASK_STANDING_ADRIFT);
    ck_assert_str_eq(text("State"), "running");
    ck_assert_uint_eq(task_details_can(details), 0);
    ck_assert_ptr_null(task_details_get_proxy(details));

    /* Nobody listens meanwhile. */
    dbus_task_emit_progress(rig->task, 0.75, 6, 8, "");
    task_rig_flush(rig);
    ck_assert_double_eq(task_props_double(task_details_get_props(details), "Progress"), 0.25);

    dbus_task_set_state(rig->task, "succeeded");
    task_details_open(details, rig->client, NULL);
    UNTIL(standing() == TASK_STANDING_LIVE);
    ck_assert_str_eq(text("State"), "succeeded");
}
END_TEST

/* It goes while an answer is under way, which is for nobody then. */
START_TEST(goes_before_the_answer) {
    task_details_open(details, rig->client, NULL);
    task_details_open(details, NULL, NULL);
    task_rig_flush(rig);
    ck_assert_int_eq(standing(), TASK_STANDING_LOADING);
    load();
    task_details_reload(details);
    task_details_open(details, NULL, NULL);
    task_rig_flush(rig);
    ck_assert_int_eq(standing(), TASK_STANDING_ADRIFT);
}
END_TEST

START_TEST(is_dropped_before_the_answer) {
    task_details_open(details, rig->client, NULL);
    g_clear_object(&details);
    task_rig_flush(rig);

    details = task_details_new(NULL, TASK_RIG_ID);
    load();
    task_details_reload(details);
    g_clear_object(&details);
    task_rig_flush(rig);
    ck_assert_uint_eq(changed, 0);
}
END_TEST

START_TEST(is_removed_while_the_daemon_was_away) {
    run();
    task_details_open(details, NULL, NULL);
    task_rig_remove(rig, TASK_RIG_ID);
    task_details_open(details, rig->client, NULL);
    UNTIL(standing() == TASK_STANDING_GONE);
    ck_assert_str_eq(text("State"), "running");
}
END_TEST

/* ---- looked at ---- */

/* Rate, reason and the like have no signals. */
START_TEST(asks_again_while_somebody_looks) {
    run();
    task_details_set_awake(details, TRUE);
    dbus_task_set_rate(rig->task, 2.5);
    UNTIL(task_props_double(task_details_get_props(details), "Rate") == 2.5);
    UNTIL(moved > 0);
}
END_TEST

START_TEST(closed_input_takes_nothing_until_the_next_attempt) {
    dbus_task_set_stdin_open(rig->task, TRUE);
    dbus_task_set_attempt(rig->task, 1);
    run();
    ck_assert(task_details_can(details) & TASK_CAN_SEND);
    task_details_set_stdin_closed(details);
    ck_assert(!(task_details_can(details) & (TASK_CAN_SEND | TASK_CAN_CLOSE_STDIN)));
    dbus_task_set_attempt(rig->task, 2);
    task_details_reload(details);
    UNTIL(task_details_can(details) & TASK_CAN_SEND);
}
END_TEST

START_TEST(history_begins_with_the_start) {
    PlotSeries *progress = task_history_get_progress(task_details_get_history(details));

    run();
    ck_assert_double_eq(plot_series_get(progress, 0).value, 0);
    ck_assert_double_eq(plot_series_get(progress, 1).value, 0.25);
    dbus_task_emit_progress(rig->task, 0.5, 4, 8, "");
    UNTIL(plot_series_extent(progress).now == 0.5);

    /* Another attempt is another story. */
    dbus_task_set_attempt(rig->task, 2);
    dbus_task_set_progress(rig->task, -1);
    task_details_reload(details);
    UNTIL(plot_series_get_n(progress) == 0);
}
END_TEST

START_TEST(history_has_a_cap) {
    g_autoptr(TaskHistory) history = task_history_new();
    g_autoptr(TaskProps) props = g_variant_dict_new(NULL);

    g_variant_dict_insert(props, "State", "s", "running");
    g_variant_dict_insert(props, "StartedAt", "t", (guint64)1);
    for (int i = 0; i < 10000; i++) {
        g_variant_dict_insert(props, "Progress", "d", i / 10000.0);
        g_variant_dict_insert(props, "Rate", "d", 1.0 * i);
        task_history_note(history, props, 1000000 + i * 100000);
    }
    ck_assert_uint_le(plot_series_get_n(task_history_get_progress(history)), 600);
    ck_assert_uint_le(plot_series_get_n(task_history_get_rate(history)), 600);
    ck_assert_double_eq(plot_series_extent(task_history_get_progress(history)).now, 0.9999);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("task-details");
    TCase *t = tcase_create("task-details");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, loads_all);
    tcase_add_test(t, is_not_there);
    tcase_add_test(t, follows_progress_and_status);
    tcase_add_test(t, follows_states);
    tcase_add_test(t, follows_the_end);
    tcase_add_test(t, is_removed);
    tcase_add_test(t, keeps_messages_within_bounds);
    tcase_add_test(t, drifts_and_comes_back);
    tcase_add_test(t, goes_before_the_answer);
    tcase_add_test(t, is_dropped_before_the_answer);
    tcase_add_test(t, is_removed_while_the_daemon_was_away);
    tcase_add_test(t, asks_again_while_somebody_looks);
    tcase_add_test(t, closed_input_takes_nothing_until_the_next_attempt);
    tcase_add_test(t, history_begins_with_the_start);
    tcase_add_test(t, history_has_a_cap);
    suite_add_tcase(suite, t);
    return unit_run(suite);
}
