/* The tasks that have to do with one: who they are, and what becomes of them. */

#include "client-gtk/task/task-link.h"
#include "client-gtk/task/task-links.h"
#include "tests/gtk/task-rig.h"
#include "tests/unit/unit.h"

static TaskRig *rig;
static TaskDetails *details;
static TaskLinks *links;
static GPtrArray *others; /* DbusTask, as long as they are there */

static void setup(void) {
    rig = task_rig_new();
    details = task_details_new(NULL, TASK_RIG_ID);
    links = task_links_new(details);
    others = g_ptr_array_new_with_free_func(g_object_unref);
}

static void teardown(void) {
    g_clear_object(&links);
    g_clear_object(&details);
    g_ptr_array_unref(others);
    task_rig_free(rig);
}

static void load(void) {
    task_details_open(details, rig->client, NULL);
    UNTIL(task_details_get_standing(details) == TASK_STANDING_LIVE);
    task_rig_flush(rig);
}

/* "parent 7 Label running, …", the roles by their numbers. */
static char *describe(GListModel *model) {
    g_autoptr(GString) all = g_string_new(NULL);

    for (guint i = 0; i < g_list_model_get_n_items(model); i++) {
        g_autoptr(TaskLink) link = g_list_model_get_item(model, i);
        const char *state = task_link_is_gone(link) ? "gone"
                            : task_link_get_state(link) == _TASK_STATE_INVALID
                                ? "?"
                                : task_state_to_string(task_link_get_state(link));

        g_string_append_printf(all, "%s%d:%" G_GUINT64_FORMAT " %s %s", i > 0 ? ", " : "",
                               task_link_get_role(link), task_link_get_id(link),
                               task_link_get_label(link), state);
    }
    return g_strdup(all->str);
}

static gboolean related_are(const char *expected) {
    g_autofree char *text = describe(task_links_get_related(links));

    return g_str_equal(text, expected);
}

static gboolean children_are(const char *expected) {
    g_autofree char *text = describe(task_links_get_children(links));

    return g_str_equal(text, expected);
}

static void add_task(guint64 id, const char *label, const char *state) {
    g_autofree char *path = daemon_link_task_path(id);
    DbusTask *task = dbus_task_skeleton_new();

    g_ptr_array_add(others, task);
    dbus_task_set_label(task, label);
    dbus_task_set_state(task, state);
    ck_assert(
        g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(task), rig->daemon, path, NULL));
}

static GVariant *finished(guint64 id) {
    return g_variant_new_parsed("[(%t, 'failed', 3)]", id);
}

static GVariant *removed(guint64 id) {
    return g_variant_new_parsed("[%t]", id);
}

START_TEST(has_none) {
    load();
    ck_assert(related_are(""));
    ck_assert(children_are(""));
}
END_TEST

START_TEST(finds_those_before_it) {
    add_task(7, "the parent", "running");
    add_task(8, "the one before", "succeeded");
    task_rig_remove(rig, 3);
    task_rig_remove(rig, 4);
    dbus_task_set_parent(rig->task, 7);
    dbus_task_set_retry_of(rig->task, 3);
    dbus_task_set_after(rig->task, g_variant_new_parsed("[@t 8]"));
    dbus_task_set_after_any(rig->task, g_variant_new_parsed("[@t 7]"));
    dbus_task_set_after_failed(rig->task, g_variant_new_parsed("[@t 4]"));
    load();
    UNTIL(related_are("0:7 the parent running, 1:3  gone, 2:8 the one before succeeded, "
                      "3:7 the parent running, 4:4  gone"));

    /* What is told of a task holds for all its rows. */
    dbus_manager_emit_tasks_finished(rig->manager, finished(7));
    UNTIL(related_are("0:7 the parent failed, 1:3  gone, 2:8 the one before succeeded, "
                      "3:7 the parent failed, 4:4  gone"));
    dbus_manager_emit_tasks_removed(rig->manager, removed(8));
    UNTIL(related_are("0:7 the parent failed, 1:3  gone, 2:8 the one before gone, "
                      "3:7 the parent failed, 4:4  gone"));
}
END_TEST

START_TEST(related_have_a_cap) {
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE("at"));
    for (guint64 id = 100; id < 1100; id++)
        g_variant_builder_add(&b, "t", id);
    dbus_task_set_after(rig->task, g_variant_builder_end(&b));
    load();
    ck_assert_uint_eq(g_list_model_get_n_items(task_links_get_related(links)),
                      LONGRUN_TASK_RELATED_MAX);
}
END_TEST

/* ---- children ---- */

static guint at, gone, come;

static void on_items(GListModel *model, guint position, guint removed_ones, guint added) {
    at = position;
    gone = removed_ones;
    come = added;
}

static void with_children(void) {
    dbus_task_set_children(rig->task, g_variant_new_parsed("[@t 51]"));
    task_rig_set_children(rig, "[{'id': <@t 51>, 'label': <'run #2'>, 'state': <'running'>},"
                               " {'id': <@t 50>, 'label': <'run #1'>, 'state': <'succeeded'>}]");
    load();
    UNTIL(children_are("5:51 run #2 running, 5:50 run #1 succeeded"));
    g_signal_connect(task_links_get_children(links), "items-changed", G_CALLBACK(on_items), NULL);
}

/* Rows of those that stay do so. */
START_TEST(new_children_come_at_the_beginning) {
    with_children();
    task_rig_set_children(rig, "[{'id': <@t 52>, 'label': <'run #3'>, 'state': <'queued'>},"
                               " {'id': <@t 51>, 'label': <'run #2'>, 'state': <'failed'>}]");
    dbus_task_set_children(rig->task, g_variant_new_parsed("[@t 52]"));
    task_details_reload(details);
    UNTIL(children_are("5:52 run #3 queued, 5:51 run #2 failed"));
    task_rig_set_children(rig, "[{'id': <@t 53>, 'label': <'run #4'>, 'state': <'queued'>},"
                               " {'id': <@t 52>, 'label': <'run #3'>, 'state': <'failed'>},"
                               " {'id': <@t 51>, 'label': <'run #2'>, 'state': <'failed'>}]");
    dbus_task_set_attempt(rig->task, 4);
    task_details_reload(details);
    UNTIL(children_are("5:53 run #4 queued, 5:52 run #3 failed, 5:51 run #2 failed"));
    ck_assert_uint_eq(at, 0);
    ck_assert_uint_eq(gone, 0);
    ck_assert_uint_eq(come, 1);

    task_rig_set_children(rig, "[{'id': <@t 53>, 'label': <'run #4'>, 'state': <'queued'>},"
                               " {'id': <@t 52>, 'label': <'run #3'>, 'state': <'failed'>}]");
    dbus_task_set_attempt(rig->task, 5);
    task_details_reload(details);
    UNTIL(children_are("5:53 run #4 queued, 5:52 run #3 failed"));
    ck_assert_uint_eq(at, 2);
    ck_assert_uint_eq(gone, 1);
    ck_assert_uint_eq(come, 0);
}
END_TEST

/* An answer that is older than the news. */
START_TEST(what_has_ended_stays_so) {
    guint lists;

    with_children();
    dbus_manager_emit_tasks_finished(rig->manager, finished(51));
    UNTIL(children_are("5:51 run #2 failed, 5:50 run #1 succeeded"));
    lists = rig->lists;
    dbus_task_set_attempt(rig->task, 4);
    task_details_reload(details);
    UNTIL(rig->lists > lists);
    task_rig_flush(rig);
    ck_assert(children_are("5:51 run #2 failed, 5:50 run #1 succeeded"));
}
END_TEST

START_TEST(asks_only_when_there_is_something_new) {
    guint lists;

    with_children();
    lists = rig->lists;
    for (int i = 0; i < 5; i++) {
        task_details_reload(details);
        task_rig_flush(rig);
    }
    ck_assert_uint_eq(rig->lists, lists);
}
END_TEST

START_TEST(asks_anew_when_the_daemon_is_back) {
    with_children();
    task_details_open(details, NULL, NULL);
    ck_assert(children_are("5:51 run #2 running, 5:50 run #1 succeeded"));
    task_rig_set_children(rig, "[{'id': <@t 51>, 'label': <'run #2'>, 'state': <'interrupted'>}]");
    load();
    UNTIL(children_are("5:51 run #2 interrupted"));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("task-links");
    TCase *t = tcase_create("task-links");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, has_none);
    tcase_add_test(t, finds_those_before_it);
    tcase_add_test(t, related_have_a_cap);
    tcase_add_test(t, new_children_come_at_the_beginning);
    tcase_add_test(t, what_has_ended_stays_so);
    tcase_add_test(t, asks_only_when_there_is_something_new);
    tcase_add_test(t, asks_anew_when_the_daemon_is_back);
    suite_add_tcase(suite, t);
    return unit_run(suite);
}
