/* The list of backends: by name, with items that stay, and no more changes than there are. */

#include "client-gtk/backends/backend-list.h"
#include "tests/unit/unit.h"

static BackendList *list;
static GString *changes; /* "at-removed+added " of each items-changed */

static void on_changed(GListModel *model, guint at, guint removed, guint added) {
    g_string_append_printf(changes, "%u-%u+%u ", at, removed, added);
}

static void setup(void) {
    changes = g_string_new(NULL);
    list = backend_list_new();
    g_signal_connect(list, "items-changed", G_CALLBACK(on_changed), NULL);
}

static void teardown(void) {
    g_clear_object(&list);
    g_string_free(changes, TRUE);
}

/* Names of one letter. */
static void set(const char *names) {
    GVariantBuilder builder;
    g_autoptr(GVariant) listed = NULL;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("a(so)"));
    for (; *names; names++) {
        char name[] = {*names, '\0'}, path[] = {'/', *names, '\0'};

        g_variant_builder_add(&builder, "(so)", name, path);
    }
    listed = g_variant_ref_sink(g_variant_builder_end(&builder));
    backend_list_set(list, listed);
}

static void has(const char *names, const char *changed) {
    guint n = g_list_model_get_n_items(G_LIST_MODEL(list));

    ck_assert_uint_eq(n, strlen(names));
    for (guint i = 0; i < n; i++) {
        g_autoptr(BackendItem) item = g_list_model_get_item(G_LIST_MODEL(list), i);
        char name[] = {names[i], '\0'};

        ck_assert_str_eq(backend_item_get_name(item), name);
        ck_assert_uint_eq(backend_list_place(list, item), i);
        ck_assert_ptr_eq(backend_list_find(list, name), item);
        ck_assert_ptr_eq(backend_list_find_path(list, backend_item_get_path(item)), item);
    }
    ck_assert_str_eq(changes->str, changed);
    g_string_truncate(changes, 0);
}

START_TEST(is_filled_at_once) {
    set("cab");
    has("abc", "0-0+3 ");
    set("abc");
    has("abc", "");
}
END_TEST

START_TEST(keeps_what_stays) {
    BackendItem *b;

    set("abc");
    b = backend_list_find(list, "b");
    has("abc", "0-0+3 ");
    set("bd");
    has("bd", "2-1+0 0-1+0 1-0+1 ");
    ck_assert_ptr_eq(backend_list_find(list, "b"), b);
}
END_TEST

START_TEST(adds_and_removes_one) {
    set("ac");
    backend_list_add(list, "b", "/b");
    backend_list_add(list, "b", "/b");
    has("abc", "0-0+2 1-0+1 ");
    backend_list_remove(list, "a");
    backend_list_remove(list, "a");
    has("bc", "0-1+0 ");
    ck_assert_ptr_null(backend_list_find(list, "a"));
    ck_assert_ptr_null(backend_list_find_path(list, "/a"));
}
END_TEST

/* One of the same name that came later is another. */
START_TEST(knows_what_is_not_in_it) {
    g_autoptr(BackendItem) old = NULL;

    set("a");
    old = g_object_ref(backend_list_find(list, "a"));
    set("");
    set("a");
    ck_assert_uint_eq(backend_list_place(list, old), G_MAXUINT);
    ck_assert_ptr_null(g_list_model_get_item(G_LIST_MODEL(list), 1));
}
END_TEST

START_TEST(is_bounded) {
    for (int i = 0; i < BACKEND_LIST_MAX + 10; i++) {
        g_autofree char *name = g_strdup_printf("%d", i), *path = g_strdup_printf("/%d", i);

        backend_list_add(list, name, path);
    }
    ck_assert_uint_eq(g_list_model_get_n_items(G_LIST_MODEL(list)), BACKEND_LIST_MAX);
}
END_TEST

int main(void) {
    Suite *s = suite_create("backend-list");
    TCase *t = tcase_create("list");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, is_filled_at_once);
    tcase_add_test(t, keeps_what_stays);
    tcase_add_test(t, adds_and_removes_one);
    tcase_add_test(t, knows_what_is_not_in_it);
    tcase_add_test(t, is_bounded);
    suite_add_tcase(s, t);
    return unit_run(s);
}
