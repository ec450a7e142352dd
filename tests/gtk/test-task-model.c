/* The list of tasks against a daemon that is a fake: what is asked for, and that who listens to the
 * changes always has what the list has. */

#include "client-gtk/tasks/task-cache.h"
#include "client-gtk/tasks/task-model.h"
#include "tests/gtk/fake-manager.h"
#include "tests/unit/unit.h"

static FakeManager *fake;
static TaskModel *model;
static GArray *mirror; /* of ids, by what is told alone */
static guint n_removed;

static void on_items_changed(GListModel *list, guint position, guint removed, guint added) {
    if (removed > 0)
        g_array_remove_range(mirror, position, removed);
    for (guint i = 0; i < added; i++) {
        guint64 id = task_model_entry(model, position + i).id;
        g_array_insert_val(mirror, position + i, id);
    }
    n_removed += removed;
}

static void setup(void) {
    fake = fake_manager_new();
    mirror = g_array_new(FALSE, FALSE, sizeof(guint64));
    model = task_model_new();
    n_removed = 0;
    g_signal_connect(model, "items-changed", G_CALLBACK(on_items_changed), NULL);
}

static void teardown(void) {
    g_object_unref(model);
    g_array_unref(mirror);
    fake_manager_free(fake);
}

static guint n_rows(void) {
    return g_list_model_get_n_items(G_LIST_MODEL(model));
}

static TaskItem *item_at(guint position) {
    return g_list_model_get_item(G_LIST_MODEL(model), position);
}

/* Rows are in order, as was told, and in these states; with 0 they are all tasks there are. */
static gboolean is_as_daemon(guint states) {
    MUST(mirror->len == n_rows());
    for (guint i = 0; i < n_rows(); i++) {
        TaskEntry e = task_model_entry(model, i);
        TaskState state = fake_manager_state(fake, e.id);
        MUST(g_array_index(mirror, guint64, i) == e.id);
        MUST(i == 0 || g_array_index(mirror, guint64, i - 1) > e.id);
        if (state < 0 || (states != 0 && !(states & (1u << state))))
            return FALSE;
    }
    return states != 0 || n_rows() == fake_manager_count(fake);
}

/* With n tasks, all of them listed. */
static void load(guint n) {
    fake_manager_tell(fake, FALSE);
    fake_manager_add(fake, n, TASK_SUCCEEDED, "default");
    fake_manager_tell(fake, TRUE);
    task_model_set_manager(model, fake_manager_proxy(fake));
    SPIN_UNTIL(task_model_is_complete(model));
}

/* ---- loading ---- */

START_TEST(shows_the_newest_first) {
    fake_manager_tell(fake, FALSE);
    fake_manager_add(fake, 2500, TASK_SUCCEEDED, "default");
    ck_assert_int_eq(task_model_get_status(model), TASK_MODEL_LOADING);
    task_model_set_manager(model, fake_manager_proxy(fake));
    SPIN_UNTIL(task_model_get_status(model) == TASK_MODEL_READY);
    ck_assert_uint_eq(n_rows(), 100);
    ck_assert_uint_eq(task_model_entry(model, 0).id, 2500);
    g_autoptr(TaskItem) item = item_at(0);
    ck_assert_str_eq(task_item_facts(item)->label, "task-2500");

    SPIN_UNTIL(task_model_is_complete(model));
    ck_assert(is_as_daemon(0));
    ck_assert_int_eq(task_model_entry(model, 2499).state, TASK_SUCCEEDED);
    /* The first hundred, and three pages for the rest. */
    ck_assert_uint_eq(fake_manager_calls(fake), 4);
    ck_assert_uint_eq(n_removed, 0);
}
END_TEST

START_TEST(has_nothing) {
    load(0);
    ck_assert_uint_eq(n_rows(), 0);
    ck_assert_int_eq(task_model_get_status(model), TASK_MODEL_READY);
    ck_assert_ptr_null(item_at(0));
}
END_TEST

START_TEST(loads_what_is_shown) {
    load(2500);
    guint listed = fake_manager_listed(fake);
    g_autoptr(TaskItem) item = item_at(2000), other = item_at(2040);

    ck_assert(!task_item_facts(item)->is_known);
    ck_assert_int_eq(task_item_facts(item)->state, TASK_SUCCEEDED);
    fake_manager_settle(fake);
    ck_assert(!task_item_facts(item)->is_known);

    task_model_show(model, item);
    task_model_show(model, other);
    SPIN_UNTIL(task_item_facts(item)->is_known && task_item_facts(other)->is_known);
    ck_assert_str_eq(task_item_facts(item)->label, "task-500");
    ck_assert_str_eq(task_item_facts(other)->label, "task-460");
    ck_assert_uint_eq(fake_manager_listed(fake) - listed, 41);
    g_autoptr(TaskItem) again = item_at(2000);
    ck_assert_ptr_eq(again, item);
}
END_TEST

/* That a task is called something else now is told by no signal. */
START_TEST(asks_again_for_what_is_shown) {
    load(100);
    g_autoptr(TaskItem) item = item_at(3);
    task_model_show(model, item);
    fake_manager_settle(fake);
    guint calls = fake_manager_calls(fake);

    ck_assert(task_item_facts(item)->is_fresh);
    task_model_refresh(model);
    ck_assert(!task_item_facts(item)->is_fresh);
    SPIN_UNTIL(task_item_facts(item)->is_fresh);
    fake_manager_settle(fake);
    ck_assert_uint_eq(fake_manager_calls(fake), calls + 1);
}
END_TEST

/* Somebody drags the bar of a long list: rows that are gone again are not asked for. */
START_TEST(passes_by_what_is_not_shown_any_more) {
    load(20000);
    guint calls = fake_manager_calls(fake);
    g_autoptr(TaskItem) last = item_at(19999);

    for (guint i = 200; i < 19999; i++) {
        g_autoptr(TaskItem) item = item_at(i);
        task_model_show(model, item);
        if (i % 500 == 0)
            fake_manager_turn();
        task_model_hide(model, item);
    }
    task_model_show(model, last);
    SPIN_UNTIL(task_item_facts(last)->is_known);
    ck_assert_uint_lt(fake_manager_calls(fake) - calls, 60);
}
END_TEST

/* Shown in two rows, for a moment, as rows move. */
START_TEST(counts_its_rows) {
    load(300);
    g_autoptr(TaskItem) item = item_at(299);

    task_model_show(model, item);
    task_model_show(model, item);
    task_model_hide(model, item);
    SPIN_UNTIL(task_item_facts(item)->is_known);
}
END_TEST

/* ---- bounds ---- */

START_TEST(keeps_few_items) {
    TaskCache *cache = task_cache_new();
    g_autoptr(TaskItem) held = task_cache_get(cache, 1, TASK_RUNNING);

    for (guint64 id = 1; id <= 5000; id++)
        g_object_unref(task_cache_get(cache, id, TASK_RUNNING));
    ck_assert_uint_eq(task_cache_size(cache), LONGRUN_TASK_CACHE_MAX + 1);
    ck_assert_ptr_eq(task_cache_peek(cache, 1), held);
    ck_assert_ptr_null(task_cache_peek(cache, 2));
    ck_assert_ptr_nonnull(task_cache_peek(cache, 5000));
    task_cache_free(cache);
}
END_TEST

START_TEST(cuts_long_texts) {
    g_autoptr(TaskItem) item = task_item_new(1, TASK_RUNNING);
    g_autofree char *text = g_strnfill(100000, 'x');
    g_autoptr(GVariant) task = NULL;

    memcpy(text, "two\nlines", 9);
    task = g_variant_ref_sink(g_variant_new_parsed("{'label': <%s>, 'status': <'\u00fc'>}", text));
    task_item_load(item, task);
    ck_assert_uint_eq(strlen(task_item_facts(item)->label), LONGRUN_TASK_TEXT_MAX);
    ck_assert(g_str_has_prefix(task_item_facts(item)->label, "two lines"));
    ck_assert_str_eq(task_item_facts(item)->status, "\u00fc");
    task_item_change(item, TASK_RUNNING, 0.5, text);
    ck_assert_uint_eq(strlen(task_item_facts(item)->status), LONGRUN_TASK_TEXT_MAX);
}
END_TEST

START_TEST(cuts_what_is_searched) {
    g_autofree char *text = g_strnfill(10000, 'x');
    TaskQuery query = {};

    ck_assert(task_query_set(&query, 0, "", text));
    ck_assert_ptr_null(query.group);
    ck_assert_uint_eq(strlen(query.text), LONGRUN_TASK_QUERY_TEXT_MAX);
    ck_assert(!task_query_set(&query, 0, NULL, text));
    task_query_clear(&query);
}
END_TEST

/* ---- signals ---- */

START_TEST(follows_new_tasks) {
    load(150);
    fake_manager_add(fake, 7000, TASK_QUEUED, "default");
    SPIN_UNTIL(n_rows() == 7150);
    ck_assert_uint_eq(task_model_entry(model, 0).id, 7150);
    /* What their states are is asked for. */
    SPIN_UNTIL(task_model_entry(model, 0).state == TASK_QUEUED &&
               task_model_entry(model, 6999).state == TASK_QUEUED);
    fake_manager_settle(fake);
    ck_assert(is_as_daemon(0));
    ck_assert_uint_eq(n_removed, 0);
}
END_TEST

START_TEST(follows_a_task_to_its_end) {
    load(0);
    fake_manager_add(fake, 1, TASK_QUEUED, "default");
    SPIN_UNTIL(n_rows() == 1);
    g_autoptr(TaskItem) item = item_at(0);
    const TaskFacts *f = task_item_facts(item);
    task_model_show(model, item);
    SPIN_UNTIL(f->is_known);

    fake_manager_set_state(fake, 1, TASK_RUNNING);
    SPIN_UNTIL(f->state == TASK_RUNNING);
    ck_assert_double_eq(f->progress, 0.5);
    ck_assert_str_eq(f->status, "half of it");
    ck_assert(!f->is_fresh);
    SPIN_UNTIL(f->is_fresh);

    fake_manager_set_state(fake, 1, TASK_FAILED);
    SPIN_UNTIL(f->state == TASK_FAILED && f->is_fresh);
    ck_assert_int_eq(task_model_entry(model, 0).state, TASK_FAILED);
    /* A late word of when it ran. */
    task_item_change(item, TASK_RUNNING, 0.7, "late");
    ck_assert_int_eq(f->state, TASK_FAILED);
    ck_assert_str_eq(f->status, "half of it");
}
END_TEST

START_TEST(forgets_what_is_removed) {
    guint64 ids[] = {3, 10, 11, 12, 150};

    load(150);
    fake_manager_remove(fake, ids, G_N_ELEMENTS(ids));
    SPIN_UNTIL(n_rows() == 145);
    ck_assert(is_as_daemon(0));
    ck_assert_uint_eq(n_removed, 5);
}
END_TEST

/* Every other one of many: told one by one, in slices; and some that nobody knows. */
START_TEST(forgets_many) {
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(guint64));

    load(6000);
    for (guint64 id = 1; id <= 6000; id += 2)
        g_array_append_val(ids, id);
    fake_manager_remove(fake, &g_array_index(ids, guint64, 0), ids->len);
    fake_manager_add(fake, 10, TASK_QUEUED, "default");
    SPIN_UNTIL(n_rows() == 3010);
    ck_assert(is_as_daemon(0));
    ck_assert_uint_eq(n_removed, 3000);
}
END_TEST

/* ---- queries ---- */

START_TEST(lists_what_is_in_a_state) {
    load(500);
    for (guint64 id = 1; id <= 500; id += 100)
        fake_manager_set_state(fake, id, TASK_RUNNING);
    task_model_set_query(model, TASK_STATES_AT_WORK, NULL, NULL);
    ck_assert_int_eq(task_model_get_status(model), TASK_MODEL_LOADING);
    /* Until it is known which, those of before stay. */
    ck_assert_uint_eq(n_rows(), 500);
    SPIN_UNTIL(task_model_get_status(model) == TASK_MODEL_READY);
    ck_assert_uint_eq(n_rows(), 5);

    guint calls = fake_manager_calls(fake);
    fake_manager_set_state(fake, 250, TASK_RUNNING);
    SPIN_UNTIL(n_rows() == 6);
    fake_manager_set_state(fake, 1, TASK_CANCELLED);
    SPIN_UNTIL(n_rows() == 5);
    ck_assert(is_as_daemon(TASK_STATES_AT_WORK));
    ck_assert_uint_eq(fake_manager_calls(fake), calls);

    task_model_set_query(model, 0, NULL, NULL);
    SPIN_UNTIL(task_model_is_complete(model));
    ck_assert(is_as_daemon(0));
}
END_TEST

START_TEST(lists_a_group) {
    load(200);
    fake_manager_add(fake, 3, TASK_QUEUED, "encodes");
    task_model_set_query(model, 0, "encodes", NULL);
    SPIN_UNTIL(task_model_is_complete(model));
    ck_assert_uint_eq(n_rows(), 3);
    fake_manager_add(fake, 2, TASK_QUEUED, "default");
    fake_manager_add(fake, 2, TASK_QUEUED, "encodes");
    SPIN_UNTIL(n_rows() == 5);
    fake_manager_settle(fake);
    ck_assert_uint_eq(n_rows(), 5);
    ck_assert_uint_eq(task_model_entry(model, 0).id, 207);
}
END_TEST

/* The signals do not say of which group a task is. */
START_TEST(lists_states_of_a_group) {
    load(200);
    fake_manager_add(fake, 3, TASK_QUEUED, "encodes");
    task_model_set_query(model, TASK_STATES_AT_WORK, "encodes", NULL);
    SPIN_UNTIL(task_model_is_complete(model));
    ck_assert_uint_eq(n_rows(), 0);
    fake_manager_add(fake, 1, TASK_QUEUED, "default");
    fake_manager_set_state(fake, 204, TASK_RUNNING);
    fake_manager_set_state(fake, 202, TASK_RUNNING);
    SPIN_UNTIL(n_rows() == 1);
    ck_assert_uint_eq(task_model_entry(model, 0).id, 202);
    fake_manager_set_state(fake, 202, TASK_SUCCEEDED);
    SPIN_UNTIL(n_rows() == 0);
}
END_TEST

START_TEST(finds_a_text) {
    load(1200);
    task_model_set_query(model, 0, NULL, "task-11");
    task_model_set_query(model, 0, NULL, "task-119");
    SPIN_UNTIL(task_model_is_complete(model));
    ck_assert_uint_eq(n_rows(), 11); /* 119, 1190 to 1199 */
    task_model_set_query(model, 0, NULL, "nothing of that name");
    SPIN_UNTIL(task_model_is_complete(model));
    ck_assert_uint_eq(n_rows(), 0);
}
END_TEST

/* ---- the daemon goes and comes ---- */

START_TEST(outlives_the_daemon) {
    guint64 gone[] = {140, 7};

    load(2150);
    g_autoptr(TaskItem) kept = item_at(2000);
    task_model_show(model, kept);
    SPIN_UNTIL(task_item_facts(kept)->is_fresh);
    task_model_set_manager(model, NULL);
    ck_assert_uint_eq(n_rows(), 2150);

    /* Nobody is told. */
    fake_manager_remove(fake, gone, G_N_ELEMENTS(gone));
    fake_manager_add(fake, 5, TASK_QUEUED, "default");
    fake_manager_set_state(fake, 150, TASK_RUNNING);
    fake_manager_settle(fake);
    ck_assert_uint_eq(n_rows(), 2150);

    task_model_set_manager(model, fake_manager_proxy(fake));
    SPIN_UNTIL(task_model_is_complete(model));
    ck_assert_uint_eq(n_rows(), 2153);
    ck_assert(is_as_daemon(0));
    ck_assert_uint_eq(n_removed, 2);
    SPIN_UNTIL(task_item_facts(kept)->is_fresh && task_item_facts(kept)->state == TASK_RUNNING);
}
END_TEST

START_TEST(says_why_it_fails) {
    fake_manager_fail(fake, "Storage");
    task_model_set_manager(model, fake_manager_proxy(fake));
    SPIN_UNTIL(task_model_get_status(model) == TASK_MODEL_FAILED);
    ck_assert_str_eq(task_model_get_error(model), "It is said why.");
    fake_manager_fail(fake, NULL);
    fake_manager_add(fake, 3, TASK_QUEUED, "default");
    /* By itself. */
    SPIN_UNTIL(task_model_get_status(model) == TASK_MODEL_READY);
    ck_assert(is_as_daemon(0));
}
END_TEST

START_TEST(takes_no_nonsense) {
    fake_manager_confuse(fake, TRUE);
    fake_manager_add(fake, 3, TASK_QUEUED, "default");
    task_model_set_manager(model, fake_manager_proxy(fake));
    SPIN_UNTIL(task_model_get_status(model) == TASK_MODEL_READY);
    ck_assert_uint_eq(n_rows(), 0);
}
END_TEST

START_TEST(goes_while_it_is_asked) {
    load(1000);
    task_model_reload(model);
    g_autoptr(TaskItem) item = item_at(900);
    task_model_show(model, item);
    g_object_unref(model);
    model = task_model_new();
    fake_manager_settle(fake);
}
END_TEST

/* ---- what is seen ---- */

START_TEST(asks_when_it_will_be_done) {
    load(50);
    fake_manager_add(fake, 1, TASK_QUEUED, "default");
    fake_manager_set_state(fake, 51, TASK_RUNNING);
    SPIN_UNTIL(n_rows() == 51);
    g_autoptr(TaskItem) item = item_at(0);
    task_model_show(model, item);
    SPIN_UNTIL(task_item_facts(item)->state == TASK_RUNNING && task_item_facts(item)->is_fresh);
    fake_manager_settle(fake);
    guint calls = fake_manager_calls(fake), listed = fake_manager_listed(fake);
    task_model_tick(model);
    task_model_tick(model);
    fake_manager_settle(fake);
    ck_assert_uint_eq(fake_manager_calls(fake), calls + 1);
    ck_assert_uint_eq(fake_manager_listed(fake), listed + 1);
    task_model_hide(model, item);
    task_model_tick(model);
    fake_manager_settle(fake);
    ck_assert_uint_eq(fake_manager_calls(fake), calls + 1);
}
END_TEST

START_TEST(shows_plans) {
    guint64 ids[] = {5, 6};

    load(50);
    g_autoptr(TaskItem) item = item_at(45);
    task_model_set_plan(model, ids, 2, TASK_PLAN_REMOVE);
    g_autoptr(TaskItem) later = item_at(44);
    ck_assert_int_eq(task_item_facts(item)->plan, TASK_PLAN_REMOVE);
    ck_assert_int_eq(task_item_facts(later)->plan, TASK_PLAN_REMOVE);
    task_model_set_plan(model, ids, 1, TASK_PLAN_NONE);
    ck_assert_int_eq(task_item_facts(item)->plan, TASK_PLAN_NONE);
    ck_assert_int_eq(task_item_facts(later)->plan, TASK_PLAN_REMOVE);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("task-model");
    TCase *t = tcase_create("model");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, shows_the_newest_first);
    tcase_add_test(t, has_nothing);
    tcase_add_test(t, loads_what_is_shown);
    tcase_add_test(t, asks_again_for_what_is_shown);
    tcase_add_test(t, passes_by_what_is_not_shown_any_more);
    tcase_add_test(t, counts_its_rows);
    tcase_add_test(t, keeps_few_items);
    tcase_add_test(t, cuts_long_texts);
    tcase_add_test(t, cuts_what_is_searched);
    tcase_add_test(t, follows_new_tasks);
    tcase_add_test(t, follows_a_task_to_its_end);
    tcase_add_test(t, forgets_what_is_removed);
    tcase_add_test(t, forgets_many);
    tcase_add_test(t, lists_what_is_in_a_state);
    tcase_add_test(t, lists_a_group);
    tcase_add_test(t, lists_states_of_a_group);
    tcase_add_test(t, finds_a_text);
    tcase_add_test(t, outlives_the_daemon);
    tcase_add_test(t, says_why_it_fails);
    tcase_add_test(t, takes_no_nonsense);
    tcase_add_test(t, goes_while_it_is_asked);
    tcase_add_test(t, asks_when_it_will_be_done);
    tcase_add_test(t, shows_plans);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite());
}
