#include "client-gtk/backends/backend-list.h"

struct _BackendList {
    GObject parent_instance;

    GPtrArray *items;    /* by name */
    GHashTable *by_path; /* not owned */
};

/* ---- as a list ---- */

static GType get_item_type(GListModel *model) {
    return LONGRUN_TYPE_BACKEND_ITEM;
}

static guint get_n_items(GListModel *model) {
    return LONGRUN_BACKEND_LIST(model)->items->len;
}

static gpointer get_item(GListModel *model, guint i) {
    BackendList *self = LONGRUN_BACKEND_LIST(model);

    return i < self->items->len ? g_object_ref(self->items->pdata[i]) : NULL;
}

static void list_model_init(GListModelInterface *iface) {
    iface->get_item_type = get_item_type;
    iface->get_n_items = get_n_items;
    iface->get_item = get_item;
}

G_DEFINE_FINAL_TYPE_WITH_CODE(BackendList, backend_list, G_TYPE_OBJECT,
                              G_IMPLEMENT_INTERFACE(G_TYPE_LIST_MODEL, list_model_init))

/* ---- one ---- */

/* Where it is, or where it would be: then FALSE. */
static gboolean find_place(BackendList *self, const char *name, guint *ret_place) {
    guint low = 0, high = self->items->len;

    while (low < high) {
        guint middle = (low + high) / 2;
        int order = strcmp(backend_item_get_name(self->items->pdata[middle]), name);

        if (order == 0) {
            *ret_place = middle;
            return TRUE;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_place = low;
    return FALSE;
}

BackendItem *backend_list_find(BackendList *self, const char *name) {
    guint i;

    return find_place(self, name, &i) ? self->items->pdata[i] : NULL;
}

BackendItem *backend_list_find_path(BackendList *self, const char *path) {
    return g_hash_table_lookup(self->by_path, path);
}

guint backend_list_place(BackendList *self, BackendItem *item) {
    guint i;

    return find_place(self, backend_item_get_name(item), &i) && self->items->pdata[i] == item
               ? i
               : G_MAXUINT;
}

/* FALSE when it is there already, or there are too many. */
static gboolean insert(BackendList *self, const char *name, const char *path, guint *ret_place) {
    BackendItem *item;

    if (find_place(self, name, ret_place) || self->items->len >= BACKEND_LIST_MAX)
        return FALSE;
    item = backend_item_new(name, path);
    g_ptr_array_insert(self->items, (int)*ret_place, item);
    g_hash_table_insert(self->by_path, (gpointer)backend_item_get_path(item), item);
    return TRUE;
}

void backend_list_add(BackendList *self, const char *name, const char *path) {
    guint i;

    if (insert(self, name, path, &i))
        g_list_model_items_changed(G_LIST_MODEL(self), i, 0, 1);
}

static void remove_at(BackendList *self, guint i) {
    g_hash_table_remove(self->by_path, backend_item_get_path(self->items->pdata[i]));
    g_ptr_array_remove_index(self->items, i);
    g_list_model_items_changed(G_LIST_MODEL(self), i, 1, 0);
}

void backend_list_remove(BackendList *self, const char *name) {
    guint i;

    if (find_place(self, name, &i))
        remove_at(self, i);
}

/* ---- all ---- */

/* The first time they come all at once, which a view takes better than one after the other. */
static void fill(BackendList *self, GVariant *listed) {
    const char *name, *path;
    GVariantIter iter;
    guint unused;

    g_variant_iter_init(&iter, listed);
    while (g_variant_iter_loop(&iter, "(&s&o)", &name, &path))
        insert(self, name, path, &unused);
    g_list_model_items_changed(G_LIST_MODEL(self), 0, 0, self->items->len);
}

void backend_list_set(BackendList *self, GVariant *listed) {
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    const char *name, *path;
    GVariantIter iter;

    if (self->items->len == 0) {
        fill(self, listed);
        return;
    }
    g_variant_iter_init(&iter, listed);
    while (g_variant_iter_loop(&iter, "(&s&o)", &name, &path))
        g_hash_table_add(names, (gpointer)name);
    for (guint i = self->items->len; i-- > 0;)
        if (!g_hash_table_contains(names, backend_item_get_name(self->items->pdata[i])))
            remove_at(self, i);
    g_variant_iter_init(&iter, listed);
    while (g_variant_iter_loop(&iter, "(&s&o)", &name, &path))
        backend_list_add(self, name, path);
}

/* ---- the object ---- */

static void finalize(GObject *object) {
    BackendList *self = LONGRUN_BACKEND_LIST(object);

    g_hash_table_unref(self->by_path);
    g_ptr_array_unref(self->items);
    G_OBJECT_CLASS(backend_list_parent_class)->finalize(object);
}

static void backend_list_class_init(BackendListClass *class) {
    G_OBJECT_CLASS(class)->finalize = finalize;
}

static void backend_list_init(BackendList *self) {
    self->items = g_ptr_array_new_with_free_func(g_object_unref);
    self->by_path = g_hash_table_new(g_str_hash, g_str_equal);
}

BackendList *backend_list_new(void) {
    return g_object_new(LONGRUN_TYPE_BACKEND_LIST, NULL);
}
