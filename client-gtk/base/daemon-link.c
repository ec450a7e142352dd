#include "client-gtk/base/daemon-link.h"

#include <glib/gi18n.h>

#include "client-gtk/base/daemon-error.h"

struct _DaemonLink {
    GObject parent_instance;

    GCancellable *cancellable;
    GDBusConnection *connection;
    DbusManager *manager;
    DaemonState state;
    char *reason;
    gboolean opening; /* a call that connects or starts is under way */
};

G_DEFINE_FINAL_TYPE(DaemonLink, daemon_link, G_TYPE_OBJECT)

enum {
    PROP_STATE = 1,
    N_PROPS,
};
static GParamSpec *properties[N_PROPS];

static void set_state(DaemonLink *self, DaemonState state, const char *reason) {
    g_free(self->reason);
    self->reason = g_strdup(reason ? reason : "");
    self->state = state;
    g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_STATE]);
}

static void set_failed(DaemonLink *self, DaemonState state, const GError *error) {
    g_autofree char *text = daemon_error_text(error);

    self->opening = FALSE;
    set_state(self, state, text);
}

/* ---- the daemon ---- */

/* One daemon may follow the other without the name being nobody's in between. */
static void on_owner(DaemonLink *self) {
    g_autofree char *owner = g_dbus_proxy_get_name_owner(G_DBUS_PROXY(self->manager));

    if (self->state == DAEMON_RUNNING)
        set_state(self, owner ? DAEMON_CONNECTING : DAEMON_ABSENT,
                  owner ? NULL : _("The daemon has ended."));
    if (owner)
        set_state(self, DAEMON_RUNNING, NULL);
}

static gboolean is_owned(DaemonLink *self) {
    g_autofree char *owner = g_dbus_proxy_get_name_owner(G_DBUS_PROXY(self->manager));

    return owner != NULL;
}

/* A daemon that somebody has started by hand needs no service file. */
static void on_started(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    DaemonLink *self = userdata;

    if (!reply && daemon_error_is_cancelled(error))
        return;
    if (!reply && !is_owned(self)) {
        set_failed(self, DAEMON_ABSENT, error);
        return;
    }
    self->opening = FALSE;
    if (self->state != DAEMON_RUNNING)
        on_owner(self);
}

static void start_daemon(DaemonLink *self) {
    if (is_owned(self)) {
        self->opening = FALSE;
        on_owner(self);
        return;
    }
    g_dbus_connection_call(self->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                           "org.freedesktop.DBus", "StartServiceByName",
                           g_variant_new("(su)", DAEMON_NAME, 0), G_VARIANT_TYPE("(u)"),
                           G_DBUS_CALL_FLAGS_NONE, -1, self->cancellable, on_started, self);
}

/* ---- the bus ---- */

static void on_closed(DaemonLink *self) {
    set_state(self, DAEMON_NO_BUS, _("The session bus has gone: log in again."));
}

static void on_manager(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GError) error = NULL;
    DbusManager *manager = dbus_manager_proxy_new_finish(result, &error);
    DaemonLink *self = userdata;

    if (!manager) {
        if (!daemon_error_is_cancelled(error))
            set_failed(self, DAEMON_NO_BUS, error);
        return;
    }
    self->manager = manager;
    g_signal_connect_swapped(manager, "notify::g-name-owner", G_CALLBACK(on_owner), self);
    start_daemon(self);
}

static void on_bus(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GError) error = NULL;
    GDBusConnection *connection = g_bus_get_finish(result, &error);
    DaemonLink *self = userdata;

    if (!connection) {
        if (!daemon_error_is_cancelled(error))
            set_failed(self, DAEMON_NO_BUS, error);
        return;
    }
    self->connection = connection;
    g_dbus_connection_set_exit_on_close(connection, FALSE);
    g_signal_connect_object(connection, "closed", G_CALLBACK(on_closed), self, G_CONNECT_SWAPPED);
    dbus_manager_proxy_new(connection,
                           G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES |
                               G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START,
                           DAEMON_NAME, DAEMON_ROOT, self->cancellable, on_manager, self);
}

void daemon_link_open(DaemonLink *self) {
    if (self->opening || self->state == DAEMON_RUNNING)
        return;
    self->opening = TRUE;
    set_state(self, DAEMON_CONNECTING, NULL);
    if (self->manager && !g_dbus_connection_is_closed(self->connection))
        start_daemon(self);
    else
        g_bus_get(G_BUS_TYPE_SESSION, self->cancellable, on_bus, self);
}

/* ---- the object ---- */

DaemonState daemon_link_get_state(DaemonLink *self) {
    return self->state;
}

const char *daemon_link_get_reason(DaemonLink *self) {
    return self->reason;
}

GDBusConnection *daemon_link_get_connection(DaemonLink *self) {
    return self->connection;
}

DbusManager *daemon_link_get_manager(DaemonLink *self) {
    return self->manager;
}

char *daemon_link_task_path(guint64 id) {
    return g_strdup_printf(DAEMON_ROOT "/task/%" G_GUINT64_FORMAT, id);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec) {
    if (id == PROP_STATE)
        g_value_set_int(value, LONGRUN_DAEMON_LINK(object)->state);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void dispose(GObject *object) {
    DaemonLink *self = LONGRUN_DAEMON_LINK(object);

    g_cancellable_cancel(self->cancellable);
    if (self->manager)
        g_signal_handlers_disconnect_by_data(self->manager, self);
    g_clear_object(&self->manager);
    g_clear_object(&self->connection);
    G_OBJECT_CLASS(daemon_link_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    DaemonLink *self = LONGRUN_DAEMON_LINK(object);

    g_clear_object(&self->cancellable);
    g_free(self->reason);
    G_OBJECT_CLASS(daemon_link_parent_class)->finalize(object);
}

static void daemon_link_class_init(DaemonLinkClass *class) {
    G_OBJECT_CLASS(class)->get_property = get_property;
    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
    properties[PROP_STATE] = g_param_spec_int("state", NULL, NULL, 0, G_MAXINT, DAEMON_CONNECTING,
                                              G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
    g_object_class_install_properties(G_OBJECT_CLASS(class), N_PROPS, properties);
}

static void daemon_link_init(DaemonLink *self) {
    self->cancellable = g_cancellable_new();
    self->reason = g_strdup("");
}

DaemonLink *daemon_link_new(void) {
    return g_object_new(LONGRUN_TYPE_DAEMON_LINK, NULL);
}
