#include "client-gtk/start/daemon-lists.h"

#include "client-gtk/base/daemon-error.h"

struct _DaemonLists {
    GObject parent_instance;

    DaemonLink *link;
    GStrv kinds, descriptions, groups, backends;
    DbusManager *manager;
    GCancellable *cancellable;
};

G_DEFINE_FINAL_TYPE(DaemonLists, daemon_lists, G_TYPE_OBJECT)

enum {
    CHANGED,
    N_SIGNALS
};
static guint signals[N_SIGNALS];

/* ---- answers ---- */

/* Takes items, without their NULL at the end. */
static void take(DaemonLists *self, GStrv *list, GPtrArray *items) {
    g_ptr_array_add(items, NULL);
    g_strfreev(*list);
    *list = (GStrv)g_ptr_array_free(items, FALSE);
    g_signal_emit(self, signals[CHANGED], 0);
}

static void complain(const char *what, const GError *error) {
    if (!daemon_error_is_cancelled(error))
        g_info("Cannot list the %s, ignoring: %s", what, error->message);
}

static void take_kinds(DaemonLists *self, GVariant *list) {
    GPtrArray *kinds = g_ptr_array_new(), *descriptions = g_ptr_array_new();
    const char *kind, *description;
    GVariantIter iter;

    g_ptr_array_add(kinds, g_strdup("command"));
    g_ptr_array_add(descriptions, g_strdup(""));
    g_variant_iter_init(&iter, list);
    while (g_variant_iter_next(&iter, "(&s&s)", &kind, &description))
        if (!g_str_equal(kind, "command")) {
            g_ptr_array_add(kinds, g_strdup(kind));
            g_ptr_array_add(descriptions, g_strdup(description));
        }
    g_ptr_array_add(descriptions, NULL);
    g_strfreev(self->descriptions);
    self->descriptions = (GStrv)g_ptr_array_free(descriptions, FALSE);
    take(self, &self->kinds, kinds);
}

static void on_kinds(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GVariant) list = NULL;
    g_autoptr(GError) error = NULL;

    if (dbus_manager_call_list_kinds_finish(DBUS_MANAGER(source), &list, result, &error))
        take_kinds(userdata, list);
    else
        complain("kinds", error);
}

static void on_groups(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GVariant) list = NULL;
    g_autoptr(GError) error = NULL;
    DaemonLists *self = userdata;
    GPtrArray *names;

    if (!dbus_manager_call_list_groups_finish(DBUS_MANAGER(source), &list, result, &error)) {
        complain("groups", error);
        return;
    }
    names = g_ptr_array_new();
    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) group = g_variant_get_child_value(list, i);
        char *name;
        if (g_variant_lookup(group, "name", "s", &name))
            g_ptr_array_add(names, name);
    }
    take(self, &self->groups, names);
}

static void on_backends(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GVariant) list = NULL;
    g_autoptr(GError) error = NULL;
    DaemonLists *self = userdata;
    GPtrArray *names;
    const char *name;
    GVariantIter iter;

    if (!dbus_manager_call_list_backends_finish(DBUS_MANAGER(source), &list, result, &error)) {
        complain("backends", error);
        return;
    }
    names = g_ptr_array_new();
    g_variant_iter_init(&iter, list);
    while (g_variant_iter_next(&iter, "(&s&o)", &name, NULL))
        g_ptr_array_add(names, g_strdup(name));
    take(self, &self->backends, names);
}

/* ---- questions ---- */

static void ask_groups(DaemonLists *self) {
    dbus_manager_call_list_groups(self->manager, self->cancellable, on_groups, self);
}

static void ask_backends(DaemonLists *self) {
    dbus_manager_call_list_backends(self->manager, self->cancellable, on_backends, self);
}

static void listen(DaemonLists *self) {
    self->manager = g_object_ref(daemon_link_get_manager(self->link));
    g_signal_connect_swapped(self->manager, "group-changed", G_CALLBACK(ask_groups), self);
    g_signal_connect_swapped(self->manager, "backend-added", G_CALLBACK(ask_backends), self);
    g_signal_connect_swapped(self->manager, "backend-removed", G_CALLBACK(ask_backends), self);
}

static void on_state(DaemonLists *self) {
    if (daemon_link_get_state(self->link) != DAEMON_RUNNING)
        return;
    if (!self->manager)
        listen(self);
    dbus_manager_call_list_kinds(self->manager, self->cancellable, on_kinds, self);
    ask_groups(self);
    ask_backends(self);
}

/* ---- what is known ---- */

const char *const *daemon_lists_kinds(DaemonLists *self) {
    return (const char *const *)self->kinds;
}

const char *const *daemon_lists_groups(DaemonLists *self) {
    return (const char *const *)self->groups;
}

const char *const *daemon_lists_backends(DaemonLists *self) {
    return (const char *const *)self->backends;
}

const char *daemon_lists_describe(DaemonLists *self, const char *kind) {
    for (guint i = 0; self->kinds[i]; i++)
        if (g_str_equal(self->kinds[i], kind))
            return self->descriptions[i];
    return "";
}

/* ---- the object ---- */

static void dispose(GObject *object) {
    DaemonLists *self = LONGRUN_DAEMON_LISTS(object);

    g_cancellable_cancel(self->cancellable);
    if (self->manager)
        g_signal_handlers_disconnect_by_data(self->manager, self);
    if (self->link)
        g_signal_handlers_disconnect_by_data(self->link, self);
    g_clear_object(&self->manager);
    g_clear_object(&self->link);
    G_OBJECT_CLASS(daemon_lists_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    DaemonLists *self = LONGRUN_DAEMON_LISTS(object);

    g_clear_object(&self->cancellable);
    g_strfreev(self->kinds);
    g_strfreev(self->descriptions);
    g_strfreev(self->groups);
    g_strfreev(self->backends);
    G_OBJECT_CLASS(daemon_lists_parent_class)->finalize(object);
}

static void daemon_lists_class_init(DaemonListsClass *class) {
    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
    signals[CHANGED] = g_signal_new("changed", LONGRUN_TYPE_DAEMON_LISTS, G_SIGNAL_RUN_LAST, 0,
                                    NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void daemon_lists_init(DaemonLists *self) {
    self->cancellable = g_cancellable_new();
    self->kinds = g_strsplit("command", " ", -1);
    self->descriptions = g_strsplit("-", " ", -1);
    self->groups = g_new0(char *, 1);
    self->backends = g_new0(char *, 1);
}

DaemonLists *daemon_lists_new(DaemonLink *link) {
    DaemonLists *self = g_object_new(LONGRUN_TYPE_DAEMON_LISTS, NULL);

    self->link = g_object_ref(link);
    g_signal_connect_swapped(link, "notify::state", G_CALLBACK(on_state), self);
    on_state(self);
    return self;
}
