#include "client-gtk/backends/backend-source.h"

#include "client-gtk/base/daemon-error.h"

#define INTERFACE "org.longrun.Longrun1.Backend"
#define PROPERTIES "org.freedesktop.DBus.Properties"

/* Of all backends at a time; each answer may have a megabyte of status in it. */
#define ASKED_MAX 4

struct _BackendSource {
    GObject parent_instance;

    DaemonLink *link;
    GCancellable *cancellable; /* of what is asked of this daemon */
    BackendList *list;
    BackendSourceState state;
    char *reason;
    GDBusConnection *connection; /* of the subscriptions */
    guint subscriptions[3];
    gulong manager_handlers[2];
    DbusManager *manager;
    GHashTable *wanted;  /* BackendItem, owned */
    GQueue dirty;        /* of those: to be asked for, owned */
    GHashTable *waiting; /* the same, as a set; not owned */
    guint n_asked;
};

G_DEFINE_FINAL_TYPE(BackendSource, backend_source, G_TYPE_OBJECT)

static guint signal_changed;

static void set_state(BackendSource *self, BackendSourceState state, const char *reason) {
    g_free(self->reason);
    self->reason = g_strdup(reason);
    self->state = state;
    g_signal_emit(self, signal_changed, 0);
}

/* ---- one backend ---- */

static void ask_next(BackendSource *self);

typedef struct Asked {
    BackendSource *source;
    BackendItem *item;
    GCancellable *cancellable; /* of its daemon: the answer of another is not counted */
} Asked;

static void asked_free(Asked *a) {
    g_object_unref(a->source);
    g_object_unref(a->item);
    g_object_unref(a->cancellable);
    g_free(a);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Asked, asked_free)

/* What has been removed meanwhile is an error, and BackendRemoved says the same. */
static void on_properties(GObject *connection, GAsyncResult *result, gpointer userdata) {
    g_autoptr(Asked) asked = userdata;
    BackendSource *self = asked->source;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(connection), result, NULL);
    g_autoptr(GVariant) properties = reply ? g_variant_get_child_value(reply, 0) : NULL;

    if (g_cancellable_is_cancelled(asked->cancellable))
        return;
    self->n_asked--;
    if (properties)
        backend_item_apply(asked->item, properties);
    ask_next(self);
}

static void ask(BackendSource *self, BackendItem *item) {
    Asked *asked = g_new(Asked, 1);

    *asked = (Asked){g_object_ref(self), g_object_ref(item), g_object_ref(self->cancellable)};
    self->n_asked++;
    g_dbus_connection_call(self->connection, DAEMON_NAME, backend_item_get_path(item), PROPERTIES,
                           "GetAll", g_variant_new("(s)", INTERFACE), G_VARIANT_TYPE("(a{sv})"),
                           G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, self->cancellable, on_properties,
                           asked);
}

static void ask_next(BackendSource *self) {
    while (self->n_asked < ASKED_MAX && !g_queue_is_empty(&self->dirty)) {
        g_autoptr(BackendItem) item = g_queue_pop_head(&self->dirty);

        g_hash_table_remove(self->waiting, item);
        ask(self, item);
    }
}

static void mark(BackendSource *self, BackendItem *item) {
    if (!self->connection || !g_hash_table_add(self->waiting, item))
        return;
    g_queue_push_tail(&self->dirty, g_object_ref(item));
    ask_next(self);
}

void backend_source_want(BackendSource *self, BackendItem *item) {
    if (g_hash_table_add(self->wanted, g_object_ref(item)))
        mark(self, item);
}

void backend_source_refresh(BackendSource *self, BackendItem *item) {
    GHashTableIter iter;
    gpointer each;

    g_hash_table_iter_init(&iter, self->wanted);
    while (g_hash_table_iter_next(&iter, &each, NULL))
        if (each != item && backend_item_is_polled(each))
            mark(self, each);
    if (item)
        mark(self, item);
}

/* ---- signals of backends ---- */

static BackendItem *wanted_of_path(BackendSource *self, const char *path) {
    BackendItem *item = backend_list_find_path(self->list, path);

    return item && g_hash_table_contains(self->wanted, item) ? item : NULL;
}

static void on_checked(GDBusConnection *connection, const char *sender, const char *path,
                       const char *interface, const char *signal, GVariant *parameters,
                       gpointer userdata) {
    BackendSource *self = userdata;
    BackendItem *item = wanted_of_path(self, path);
    gboolean online = TRUE;

    if (!item)
        return;
    if (g_variant_is_of_type(parameters, G_VARIANT_TYPE("(b)")))
        g_variant_get(parameters, "(b)", &online);
    if (!online)
        backend_item_note_offline(item, g_get_real_time());
    mark(self, item);
}

static void on_properties_changed(GDBusConnection *connection, const char *sender, const char *path,
                                  const char *interface, const char *signal, GVariant *parameters,
                                  gpointer userdata) {
    BackendSource *self = userdata;
    BackendItem *item = wanted_of_path(self, path);
    g_autoptr(GVariant) changed = NULL;

    if (!item || !g_variant_is_of_type(parameters, G_VARIANT_TYPE("(sa{sv}as)")))
        return;
    changed = g_variant_get_child_value(parameters, 1);
    backend_item_apply(item, changed);
    mark(self, item); /* and what changes without a signal */
}

/* ---- which there are ---- */

static void on_added(DbusManager *manager, const char *name, const char *path, gpointer userdata) {
    backend_list_add(LONGRUN_BACKEND_SOURCE(userdata)->list, name, path);
}

static void on_removed(DbusManager *manager, const char *name, const char *path,
                       gpointer userdata) {
    BackendSource *self = userdata;
    BackendItem *item = backend_list_find(self->list, name);

    if (!item)
        return;
    g_hash_table_remove(self->wanted, item);
    backend_list_remove(self->list, name);
}

/* Those that are gone are wanted no more; all others are asked for anew. */
static void want_anew(BackendSource *self) {
    GHashTableIter iter;
    gpointer item;

    g_hash_table_iter_init(&iter, self->wanted);
    while (g_hash_table_iter_next(&iter, &item, NULL))
        if (backend_list_place(self->list, item) == G_MAXUINT)
            g_hash_table_iter_remove(&iter);
        else
            mark(self, item);
}

static void on_listed(GObject *manager, GAsyncResult *result, gpointer userdata) {
    g_autoptr(BackendSource) self = userdata;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) listed = NULL;
    g_autofree char *text = NULL;

    if (dbus_manager_call_list_backends_finish(DBUS_MANAGER(manager), &listed, result, &error)) {
        backend_list_set(self->list, listed);
        want_anew(self);
        set_state(self, BACKEND_SOURCE_READY, "");
        return;
    }
    if (daemon_error_is_cancelled(error) || self->state == BACKEND_SOURCE_READY)
        return;
    text = daemon_error_text(error);
    set_state(self, BACKEND_SOURCE_FAILED, text);
}

void backend_source_reload(BackendSource *self) {
    if (self->manager)
        dbus_manager_call_list_backends(self->manager, self->cancellable, on_listed,
                                        g_object_ref(self));
}

/* ---- the daemon comes and goes ---- */

static guint subscribe(BackendSource *self, const char *interface, const char *member,
                       const char *arg0, GDBusSignalCallback callback) {
    return g_dbus_connection_signal_subscribe(self->connection, DAEMON_NAME, interface, member,
                                              NULL, arg0, G_DBUS_SIGNAL_FLAGS_NONE, callback, self,
                                              NULL);
}

/* Before the list is asked for: what is added meanwhile is there either way. */
static void listen(BackendSource *self) {
    self->connection = g_object_ref(daemon_link_get_connection(self->link));
    self->manager = g_object_ref(daemon_link_get_manager(self->link));
    self->subscriptions[0] = subscribe(self, INTERFACE, "BackendOnline", NULL, on_checked);
    self->subscriptions[1] = subscribe(self, INTERFACE, "Error", NULL, on_checked);
    self->subscriptions[2] =
        subscribe(self, PROPERTIES, "PropertiesChanged", INTERFACE, on_properties_changed);
    self->manager_handlers[0] =
        g_signal_connect(self->manager, "backend-added", G_CALLBACK(on_added), self);
    self->manager_handlers[1] =
        g_signal_connect(self->manager, "backend-removed", G_CALLBACK(on_removed), self);
}

static void forget_asked(BackendSource *self) {
    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    g_queue_clear_full(&self->dirty, g_object_unref);
    g_hash_table_remove_all(self->waiting);
    self->n_asked = 0;
}

static void deafen(BackendSource *self) {
    forget_asked(self);
    for (guint i = 0; i < G_N_ELEMENTS(self->subscriptions); i++)
        if (self->subscriptions[i])
            g_dbus_connection_signal_unsubscribe(self->connection, self->subscriptions[i]);
    for (guint i = 0; i < G_N_ELEMENTS(self->manager_handlers); i++)
        g_clear_signal_handler(&self->manager_handlers[i], self->manager);
    memset(self->subscriptions, 0, sizeof(self->subscriptions));
    g_clear_object(&self->manager);
    g_clear_object(&self->connection);
}

static void on_link(BackendSource *self) {
    deafen(self);
    self->cancellable = g_cancellable_new();
    if (daemon_link_get_state(self->link) == DAEMON_RUNNING) {
        listen(self);
        backend_source_reload(self);
    } else if (self->state != BACKEND_SOURCE_READY) {
        gboolean connecting = daemon_link_get_state(self->link) == DAEMON_CONNECTING;

        set_state(self, connecting ? BACKEND_SOURCE_LOADING : BACKEND_SOURCE_FAILED,
                  daemon_link_get_reason(self->link));
    }
}

/* ---- the object ---- */

BackendSourceState backend_source_get_state(BackendSource *self) {
    return self->state;
}

const char *backend_source_get_reason(BackendSource *self) {
    return self->reason;
}

BackendList *backend_source_get_list(BackendSource *self) {
    return self->list;
}

/* A call that is under way holds a reference to it: who has it disposes of it. */
static void dispose(GObject *object) {
    BackendSource *self = LONGRUN_BACKEND_SOURCE(object);

    deafen(self);
    if (self->link)
        g_signal_handlers_disconnect_by_data(self->link, self);
    g_clear_object(&self->link);
    G_OBJECT_CLASS(backend_source_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    BackendSource *self = LONGRUN_BACKEND_SOURCE(object);

    g_object_unref(self->list);
    g_hash_table_unref(self->wanted);
    g_hash_table_unref(self->waiting);
    g_free(self->reason);
    G_OBJECT_CLASS(backend_source_parent_class)->finalize(object);
}

static void backend_source_class_init(BackendSourceClass *class) {
    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
    signal_changed = g_signal_new("changed", LONGRUN_TYPE_BACKEND_SOURCE, G_SIGNAL_RUN_LAST, 0,
                                  NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void backend_source_init(BackendSource *self) {
    self->list = backend_list_new();
    self->reason = g_strdup("");
    self->wanted = g_hash_table_new_full(NULL, NULL, g_object_unref, NULL);
    self->waiting = g_hash_table_new(NULL, NULL);
    g_queue_init(&self->dirty);
}

BackendSource *backend_source_new(DaemonLink *link) {
    BackendSource *self = g_object_new(LONGRUN_TYPE_BACKEND_SOURCE, NULL);

    self->link = g_object_ref(link);
    g_signal_connect_swapped(link, "notify::state", G_CALLBACK(on_link), self);
    on_link(self);
    return self;
}
