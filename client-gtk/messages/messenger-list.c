#include "client-gtk/messages/messenger-list.h"

#include "client-gtk/base/daemon-error.h"

struct _MessengerList {
    GObject parent_instance;

    GCancellable *cancellable; /* of all calls since the daemon has come */
    DbusManager *manager;
    ItemList *items;
    GHashTable *names; /* of all messengers, by path */
    guint asked;       /* types that are not known yet */
    gboolean loaded;
    char *problem;
};

G_DEFINE_FINAL_TYPE(MessengerList, messenger_list, G_TYPE_OBJECT)

static guint changed_signal;

ItemList *messenger_list_get_items(MessengerList *self) {
    return self->items;
}

gboolean messenger_list_get_loaded(MessengerList *self) {
    return self->loaded;
}

const char *messenger_list_get_problem(MessengerList *self) {
    return self->problem;
}

/* ---- the list ---- */

static int by_name(gconstpointer a, gconstpointer b) {
    return g_strcmp0(messenger_item_get_name(*(MessengerItem **)a),
                     messenger_item_get_name(*(MessengerItem **)b));
}

static MessengerItem *item_of(MessengerList *self, const char *name, const char *path) {
    MessengerItem *item = item_list_find(self->items, path);

    return item ? g_object_ref(item) : messenger_item_new(name, path);
}

static void update(MessengerList *self) {
    GPtrArray *items = g_ptr_array_new_with_free_func(g_object_unref);
    gpointer path, name;
    GHashTableIter iter;

    g_hash_table_iter_init(&iter, self->names);
    while (g_hash_table_iter_next(&iter, &path, &name))
        g_ptr_array_add(items, item_of(self, name, path));
    g_ptr_array_sort(items, by_name);
    item_list_replace(self->items, items);
    self->loaded = TRUE;
    g_clear_pointer(&self->problem, g_free);
    g_signal_emit(self, changed_signal, 0);
}

/* All at once, when all types are known. */
static void update_when_known(MessengerList *self) {
    if (self->asked == 0)
        update(self);
}

/* ---- types ---- */

typedef struct Asked {
    MessengerList *list; /* not owned */
    char *name, *path;
} Asked;

static void asked_free(Asked *a) {
    g_free(a->name);
    g_free(a->path);
    g_free(a);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Asked, asked_free)

static void set_type(MessengerList *self, const char *name, const char *path, const char *type) {
    if (g_str_equal(type, "messenger"))
        g_hash_table_insert(self->names, g_strdup(path), g_strdup(name));
    else
        g_hash_table_remove(self->names, path);
}

/* An error: it has gone since. */
static void on_type(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    g_autoptr(GVariant) value = NULL;
    g_autoptr(Asked) a = userdata;
    const char *type = "";

    if (daemon_error_is_cancelled(error))
        return;
    if (reply)
        g_variant_get(reply, "(v)", &value);
    if (value && g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
        type = g_variant_get_string(value, NULL);
    set_type(a->list, a->name, a->path, type);
    a->list->asked--;
    update_when_known(a->list);
}

static void ask(MessengerList *self, const char *name, const char *path) {
    GDBusProxy *manager = G_DBUS_PROXY(self->manager);
    Asked *a = g_new0(Asked, 1);

    a->list = self;
    a->name = g_strdup(name);
    a->path = g_strdup(path);
    self->asked++;
    g_dbus_connection_call(g_dbus_proxy_get_connection(manager), g_dbus_proxy_get_name(manager),
                           path, "org.freedesktop.DBus.Properties", "Get",
                           g_variant_new("(ss)", "org.longrun.Longrun1.Backend", "Type"),
                           G_VARIANT_TYPE("(v)"), G_DBUS_CALL_FLAGS_NO_AUTO_START, -1,
                           self->cancellable, on_type, a);
}

/* ---- what comes and goes ---- */

static void on_backend_added(MessengerList *self, const char *name, const char *path) {
    ask(self, name, path);
}

static void on_backend_removed(MessengerList *self, const char *path) {
    g_hash_table_remove(self->names, path);
    update_when_known(self);
}

static void on_backends(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GVariant) backends = NULL;
    g_autoptr(GError) error = NULL;
    MessengerList *self = userdata;
    const char *name, *path;
    GVariantIter iter;

    dbus_manager_call_list_backends_finish(DBUS_MANAGER(source), &backends, result, &error);
    if (daemon_error_is_cancelled(error))
        return;
    if (error) {
        g_free(self->problem);
        self->problem = daemon_error_text(error);
        g_signal_emit(self, changed_signal, 0);
        return;
    }
    g_hash_table_remove_all(self->names);
    g_variant_iter_init(&iter, backends);
    while (g_variant_iter_next(&iter, "(&s&o)", &name, &path))
        ask(self, name, path);
    update_when_known(self);
}

/* ---- the daemon ---- */

static void forget_calls(MessengerList *self) {
    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    self->asked = 0;
}

static void set_manager(MessengerList *self, DbusManager *manager) {
    if (self->manager == manager)
        return;
    if (self->manager)
        g_signal_handlers_disconnect_by_data(self->manager, self);
    g_clear_object(&self->manager);
    if (!manager)
        return;
    self->manager = g_object_ref(manager);
    g_signal_connect_swapped(manager, "backend-added", G_CALLBACK(on_backend_added), self);
    g_signal_connect_swapped(manager, "backend-removed", G_CALLBACK(on_backend_removed), self);
}

void messenger_list_load(MessengerList *self, DbusManager *manager) {
    forget_calls(self);
    self->cancellable = g_cancellable_new();
    set_manager(self, manager);
    dbus_manager_call_list_backends(manager, self->cancellable, on_backends, self);
}

/* ---- the object ---- */

static void dispose(GObject *object) {
    MessengerList *self = LONGRUN_MESSENGER_LIST(object);

    forget_calls(self);
    set_manager(self, NULL);
    G_OBJECT_CLASS(messenger_list_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    MessengerList *self = LONGRUN_MESSENGER_LIST(object);

    g_object_unref(self->items);
    g_hash_table_unref(self->names);
    g_free(self->problem);
    G_OBJECT_CLASS(messenger_list_parent_class)->finalize(object);
}

static void messenger_list_class_init(MessengerListClass *class) {
    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
    changed_signal = g_signal_new("changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
}

static void messenger_list_init(MessengerList *self) {
    self->items = messenger_item_list_new();
    self->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

MessengerList *messenger_list_new(void) {
    return g_object_new(LONGRUN_TYPE_MESSENGER_LIST, NULL);
}
