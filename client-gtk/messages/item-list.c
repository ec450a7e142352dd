#include "client-gtk/messages/item-list.h"

struct _ItemList {
    GObject parent_instance;

    GType type;
    ItemListKey key;
    GPtrArray *items;
    GHashTable *by_key; /* neither key nor value is owned */
};

/* ---- GListModel ---- */

static GType get_item_type(GListModel *model) {
    return LONGRUN_ITEM_LIST(model)->type;
}

static guint get_n_items(GListModel *model) {
    return LONGRUN_ITEM_LIST(model)->items->len;
}

static gpointer get_item(GListModel *model, guint position) {
    gpointer item = item_list_get(LONGRUN_ITEM_LIST(model), position);

    return item ? g_object_ref(item) : NULL;
}

static void list_model_init(GListModelInterface *iface) {
    iface->get_item_type = get_item_type;
    iface->get_n_items = get_n_items;
    iface->get_item = get_item;
}

G_DEFINE_FINAL_TYPE_WITH_CODE(ItemList, item_list, G_TYPE_OBJECT,
                              G_IMPLEMENT_INTERFACE(G_TYPE_LIST_MODEL, list_model_init))

/* ---- what is in it ---- */

gpointer item_list_find(ItemList *self, const char *key) {
    return key ? g_hash_table_lookup(self->by_key, key) : NULL;
}

gpointer item_list_get(ItemList *self, guint position) {
    return position < self->items->len ? self->items->pdata[position] : NULL;
}

guint item_list_position(ItemList *self, const char *key) {
    gpointer item = item_list_find(self, key);
    guint position;

    return item && g_ptr_array_find(self->items, item, &position) ? position : G_MAXUINT;
}

guint item_list_size(ItemList *self) {
    return self->items->len;
}

/* ---- another list ---- */

static guint same_at_the_start(GPtrArray *a, GPtrArray *b) {
    guint i = 0, n = MIN(a->len, b->len);

    while (i < n && a->pdata[i] == b->pdata[i])
        i++;
    return i;
}

/* Not counting the first ones, which are the same anyway. */
static guint same_at_the_end(GPtrArray *a, GPtrArray *b, guint first) {
    guint i = 0, n = MIN(a->len, b->len) - first;

    while (i < n && a->pdata[a->len - 1 - i] == b->pdata[b->len - 1 - i])
        i++;
    return i;
}

static void index_items(ItemList *self) {
    g_hash_table_remove_all(self->by_key);
    for (guint i = self->items->len; i > 0; i--) {
        gpointer item = self->items->pdata[i - 1];
        g_hash_table_insert(self->by_key, (gpointer)self->key(item), item);
    }
}

void item_list_replace(ItemList *self, GPtrArray *items) {
    g_autoptr(GPtrArray) before = self->items;
    guint first, last, removed, added;

    if (items->len > ITEM_LIST_MAX)
        g_ptr_array_set_size(items, ITEM_LIST_MAX);
    self->items = items;
    first = same_at_the_start(before, items);
    last = same_at_the_end(before, items, first);
    removed = before->len - first - last;
    added = items->len - first - last;
    if (removed == 0 && added == 0)
        return;
    index_items(self);
    g_list_model_items_changed(G_LIST_MODEL(self), first, removed, added);
}

/* ---- the object ---- */

static void finalize(GObject *object) {
    ItemList *self = LONGRUN_ITEM_LIST(object);

    g_hash_table_unref(self->by_key);
    g_ptr_array_unref(self->items);
    G_OBJECT_CLASS(item_list_parent_class)->finalize(object);
}

static void item_list_class_init(ItemListClass *class) {
    G_OBJECT_CLASS(class)->finalize = finalize;
}

static void item_list_init(ItemList *self) {
    self->items = g_ptr_array_new_with_free_func(g_object_unref);
    self->by_key = g_hash_table_new(g_str_hash, g_str_equal);
}

ItemList *item_list_new(GType type, ItemListKey key) {
    ItemList *self = g_object_new(LONGRUN_TYPE_ITEM_LIST, NULL);

    self->type = type;
    self->key = key;
    return self;
}
