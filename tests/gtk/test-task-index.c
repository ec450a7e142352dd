/* The index of tasks: against an array that is made anew each time, and against what it tells. */

#include "client-gtk/tasks/task-index.h"
#include "tests/unit/unit.h"

/* What who listens to the changes believes. */
static GArray *mirror;
static TaskIndex *list;
static guint n_removed, n_added, n_changes;

static void on_changed(gpointer userdata, guint position, guint removed, guint added) {
    if (removed > 0)
        g_array_remove_range(mirror, position, removed);
    for (guint i = 0; i < added; i++) {
        guint64 id = task_index_at(list, position + i).id;
        g_array_insert_val(mirror, position + i, id);
    }
    n_removed += removed;
    n_added += added;
    n_changes++;
    MUST(mirror->len == task_index_size(list));
}

static void setup(void) {
    mirror = g_array_new(FALSE, FALSE, sizeof(guint64));
    list = task_index_new(on_changed, NULL);
    n_removed = n_added = n_changes = 0;
}

static void teardown(void) {
    g_array_unref(mirror);
    task_index_free(list);
}

static void must_be_mirrored(void) {
    MUST(mirror->len == task_index_size(list));
    for (guint i = 0; i < mirror->len; i++)
        MUST(g_array_index(mirror, guint64, i) == task_index_at(list, i).id);
}

/* Ids of two digits, "97 95 03". */
static guint read_ids(const char *text, TaskEntry *ret, TaskState state) {
    guint n = 0;

    for (const char *s = text; *s; s += s[2] ? 3 : 2)
        ret[n++] = (TaskEntry){.id = g_ascii_strtoull(s, NULL, 10), .state = state};
    return n;
}

static char *write_ids(void) {
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < task_index_size(list); i++)
        g_string_append_printf(text, "%s%02u", i > 0 ? " " : "", (guint)task_index_at(list, i).id);
    return g_string_free(text, FALSE);
}

/* ---- parts that are replaced ---- */

static const struct {
    const char *before;
    guint64 top, bottom;
    const char *entries, *after;
    guint changes; /* as few as there can be */
} cases[] = {
    {"", G_MAXUINT64, 0, "", "", 0},
    {"", G_MAXUINT64, 0, "30 20 10", "30 20 10", 1},
    {"30 20 10", G_MAXUINT64, 0, "30 20 10", "30 20 10", 0},
    {"30 20 10", G_MAXUINT64, 0, "", "", 1},
    {"30 20 10", G_MAXUINT64, 0, "20", "20", 2},
    {"30 20 10", G_MAXUINT64, 20, "40 30", "40 30 20 10", 1},
    {"30 20 10", 20, 0, "", "30", 1},
    {"30 20 10", 20, 10, "", "30 10", 1},
    {"30 20 10", 29, 10, "25 15", "30 25 15 10", 3},
    {"30 20 10", 5, 0, "04 03", "30 20 10 04 03", 1},
    {"30 20 10", 9, 0, "", "30 20 10", 0},
    {"50 40 30 20 10", 40, 10, "40 30 20", "50 40 30 20 10", 0},
    {"50 40 30 20 10", 40, 10, "35 25", "50 35 25 10", 5},
    {"50 40 30 20 10", 45, 15, "45 44 40 31 30", "50 45 44 40 31 30 10", 3},
};

START_TEST(replaces) {
    TaskEntry entries[10];
    g_autofree char *after = NULL;

    task_index_replace(list, G_MAXUINT64, 0, entries,
                       read_ids(cases[_i].before, entries, TASK_RUNNING));
    n_changes = 0;
    task_index_replace(list, cases[_i].top, cases[_i].bottom, entries,
                       read_ids(cases[_i].entries, entries, TASK_RUNNING));
    after = write_ids();
    ck_assert_str_eq(after, cases[_i].after);
    ck_assert_uint_eq(n_changes, cases[_i].changes);
    must_be_mirrored();
}
END_TEST

/* ---- by chance ---- */

#define IDS 60u

static guint pick(GRand *chance, guint64 top, guint64 bottom, TaskEntry *ret) {
    guint n = 0;

    for (guint64 id = MIN(top, IDS); id > bottom; id--)
        if (g_rand_boolean(chance))
            ret[n++] = (TaskEntry){.id = id, .state = (TaskState)(id % _TASK_STATE_MAX)};
    return n;
}

static void must_have(gboolean has[IDS + 1]) {
    guint position, n = 0;

    for (guint64 id = 1; id <= IDS; id++) {
        MUST(task_index_find(list, id, &position) == has[id]);
        if (has[id])
            MUST(task_index_at(list, position).state == (TaskState)(id % _TASK_STATE_MAX));
        n += has[id];
    }
    MUST(n == task_index_size(list));
    must_be_mirrored();
}

START_TEST(replaces_anything) {
    g_autoptr(GRand) chance = g_rand_new_with_seed((guint32)_i);
    gboolean has[IDS + 1] = {FALSE};
    TaskEntry entries[IDS];

    for (int round = 0; round < 300; round++) {
        guint64 bottom = (guint64)g_rand_int_range(chance, 0, IDS),
                top = (guint64)g_rand_int_range(chance, (gint32)bottom, (gint32)IDS + 1);
        guint n = pick(chance, top, bottom, entries);
        task_index_replace(list, top, bottom, entries, n);
        for (guint64 id = bottom + 1; id <= top; id++)
            has[id] = FALSE;
        for (guint i = 0; i < n; i++)
            has[entries[i].id] = TRUE;
        must_have(has);
    }
}
END_TEST

/* ---- the rest ---- */

START_TEST(keeps_states) {
    TaskEntry known = {.id = (G_GUINT64_CONSTANT(1) << 60) - 1, .state = TASK_SKIPPED};
    TaskEntry unknown = {.id = known.id, .state = _TASK_STATE_INVALID};

    task_index_replace(list, G_MAXUINT64, 0, &unknown, 1);
    ck_assert_int_eq(task_index_at(list, 0).state, _TASK_STATE_INVALID);
    ck_assert_uint_eq(task_index_at(list, 0).id, known.id);
    task_index_set_state(list, 0, TASK_WAITING);
    ck_assert_int_eq(task_index_at(list, 0).state, TASK_WAITING);
    task_index_replace(list, G_MAXUINT64, 0, &known, 1);
    ck_assert_int_eq(task_index_at(list, 0).state, TASK_SKIPPED);
    /* Who knows nothing new changes nothing. */
    task_index_replace(list, G_MAXUINT64, 0, &unknown, 1);
    ck_assert_int_eq(task_index_at(list, 0).state, TASK_SKIPPED);
}
END_TEST

/* As the list is loaded: it must not take time with the square of its size. */
START_TEST(takes_a_million) {
    TaskEntry entries[1000];
    guint position;

    for (guint64 top = 1000000; top > 0; top -= 1000) {
        for (guint i = 0; i < 1000; i++)
            entries[i] = (TaskEntry){.id = top - i, .state = TASK_SUCCEEDED};
        g_array_set_size(mirror, 0);
        g_array_set_size(mirror, task_index_size(list));
        task_index_replace(list, top, top - 1000, entries, 1000);
    }
    ck_assert_uint_eq(task_index_size(list), 1000000);
    ck_assert_uint_eq(n_changes, 1000);
    ck_assert(task_index_find(list, 1, &position));
    ck_assert_uint_eq(position, 999999);
}
END_TEST

int main(void) {
    Suite *s = suite_create("task-index");
    TCase *t = tcase_create("index");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, replaces, 0, G_N_ELEMENTS(cases));
    tcase_add_loop_test(t, replaces_anything, 0, 10);
    tcase_add_test(t, keeps_states);
    tcase_add_test(t, takes_a_million);
    suite_add_tcase(s, t);
    return unit_run(s);
}
