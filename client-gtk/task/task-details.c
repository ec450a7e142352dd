#include "client-gtk/task/task-details.h"

#include "client-gtk/base/daemon-error.h"
#include "client-gtk/task/task-note.h"

#define TICK_MSEC 1000

struct _TaskDetails {
    GObject parent_instance;

    guint64 id;
    DaemonLink *link;
    GCancellable *cancellable; /* of all calls to the daemon that is there now */
    DbusTask *proxy;
    char *name;
    guint removed, properties; /* subscriptions */

    TaskProps *props;
    TaskStanding standing;
    char *reason;
    gboolean is_known, loading, load_again;

    gboolean awake;
    guint tick; /* source */
    TaskHistory *history;
    GListStore *notes;
    guint64 closed_in; /* attempt + 1 in which the stdin was closed, 0: in none */
};

G_DEFINE_FINAL_TYPE(TaskDetails, task_details, G_TYPE_OBJECT)

enum {
    CHANGED,
    MOVED,
    N_SIGNALS,
};
static guint signals[N_SIGNALS];

static void load(TaskDetails *self);

static gboolean is_over(TaskDetails *self) {
    return self->is_known && task_props_is_final(self->props);
}

/* ---- time ---- */

static gboolean on_tick(gpointer userdata) {
    TaskDetails *self = userdata;

    load(self);
    g_signal_emit(self, signals[MOVED], 0);
    return G_SOURCE_CONTINUE;
}

static void update_tick(TaskDetails *self) {
    gboolean wanted = self->awake && self->standing == TASK_STANDING_LIVE && !is_over(self);

    if (wanted && !self->tick)
        self->tick = g_timeout_add(TICK_MSEC, on_tick, self);
    else if (!wanted)
        g_clear_handle_id(&self->tick, g_source_remove);
}

static void set_standing(TaskDetails *self, TaskStanding standing, const char *reason) {
    self->standing = standing;
    g_free(self->reason);
    self->reason = g_strdup(reason ? reason : "");
    update_tick(self);
    g_signal_emit(self, signals[CHANGED], 0);
}

/* ---- all properties ---- */

static void take_all(TaskDetails *self, GVariant *reply) {
    g_autoptr(GVariant) all = g_variant_get_child_value(reply, 0);

    g_variant_dict_unref(self->props);
    self->props = g_variant_dict_new(all);
    self->is_known = TRUE;
    task_history_note(self->history, self->props, g_get_real_time());
    set_standing(self, TASK_STANDING_LIVE, NULL);
}

/* One that was lost on its way is asked for again with the next tick, or by the next daemon. */
static void load_failed(TaskDetails *self, const GError *error) {
    g_autofree char *text = daemon_error_text(error);

    if (daemon_error_is(error, "NoSuchTask"))
        set_standing(self, TASK_STANDING_GONE, NULL);
    else if (!self->is_known)
        set_standing(self, TASK_STANDING_FAILED, text);
}

static void on_all(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    TaskDetails *self = userdata;

    if (!reply && daemon_error_is_cancelled(error))
        return;
    self->loading = FALSE;
    if (reply)
        take_all(self, reply);
    else
        load_failed(self, error);
    if (self->load_again)
        load(self);
}

/* One at a time: what changes meanwhile is asked for behind it. */
static void load(TaskDetails *self) {
    g_autofree char *path = daemon_link_task_path(self->id);

    self->load_again = self->loading;
    if (self->loading || !self->proxy)
        return;
    self->loading = TRUE;
    g_dbus_connection_call(g_dbus_proxy_get_connection(G_DBUS_PROXY(self->proxy)), self->name, path,
                           "org.freedesktop.DBus.Properties", "GetAll",
                           g_variant_new("(s)", "org.longrun.Longrun1.Task"),
                           G_VARIANT_TYPE("(a{sv})"), G_DBUS_CALL_FLAGS_NO_AUTO_START, -1,
                           self->cancellable, on_all, self);
}

void task_details_reload(TaskDetails *self) {
    load(self);
}

/* ---- signals of the task ---- */

static void on_progress(TaskDetails *self, double fraction, guint64 done, guint64 total,
                        const char *phase) {
    if (!self->is_known)
        return;
    g_variant_dict_insert(self->props, "Progress", "d", fraction);
    g_variant_dict_insert(self->props, "Done", "t", done);
    g_variant_dict_insert(self->props, "Total", "t", total);
    g_variant_dict_insert(self->props, "Phase", "s", phase);
    task_history_note(self->history, self->props, g_get_real_time());
    g_signal_emit(self, signals[MOVED], 0);
}

static void on_status(TaskDetails *self, const char *text) {
    g_variant_dict_insert(self->props, "Status", "s", text);
    g_signal_emit(self, signals[MOVED], 0);
}

static void on_message(TaskDetails *self, guint64 from, const char *text) {
    g_autoptr(TaskNote) note = task_note_new(g_get_real_time(), from, text);

    if (g_list_model_get_n_items(G_LIST_MODEL(self->notes)) >= LONGRUN_TASK_NOTES_MAX)
        g_list_store_remove(self->notes, 0);
    g_list_store_append(self->notes, note);
}

/* The rest of what the end has changed is to be asked for. */
static void on_finished(TaskDetails *self, const char *state, gint code, const char *message) {
    g_variant_dict_insert(self->props, "State", "s", state);
    g_variant_dict_insert(self->props, "ExitCode", "i", code);
    g_variant_dict_insert(self->props, "Message", "s", message);
    update_tick(self);
    g_signal_emit(self, signals[CHANGED], 0);
    load(self);
}

/* Of a new state comes more: times, a reason, an attempt. */
static void on_properties(GDBusConnection *connection, const char *sender, const char *path,
                          const char *interface, const char *signal, GVariant *arguments,
                          gpointer userdata) {
    TaskDetails *self = userdata;
    g_autoptr(GVariantIter) iter = NULL;
    const char *name;
    GVariant *value;

    if (!g_variant_is_of_type(arguments, G_VARIANT_TYPE("(sa{sv}as)")))
        return;
    g_variant_get_child(arguments, 1, "a{sv}", &iter);
    while (g_variant_iter_loop(iter, "{&sv}", &name, &value))
        g_variant_dict_insert_value(self->props, name, value);
    update_tick(self);
    g_signal_emit(self, signals[CHANGED], 0);
    load(self);
}

static void on_removed(GDBusConnection *connection, const char *sender, const char *path,
                       const char *interface, const char *signal, GVariant *arguments,
                       gpointer userdata) {
    g_autoptr(GVariant) ids = NULL;
    TaskDetails *self = userdata;
    const guint64 *all;
    gsize n;

    if (!g_variant_is_of_type(arguments, G_VARIANT_TYPE("(at)")))
        return;
    ids = g_variant_get_child_value(arguments, 0);
    all = g_variant_get_fixed_array(ids, &n, sizeof(guint64));
    for (gsize i = 0; i < n; i++)
        if (all[i] == self->id) {
            set_standing(self, TASK_STANDING_GONE, NULL);
            return;
        }
}

/* ---- the daemon ---- */

static void drop_proxy(TaskDetails *self) {
    GDBusConnection *connection;

    if (!self->proxy)
        return;
    connection = g_dbus_proxy_get_connection(G_DBUS_PROXY(self->proxy));
    g_dbus_connection_signal_unsubscribe(connection, self->removed);
    g_dbus_connection_signal_unsubscribe(connection, self->properties);
    g_signal_handlers_disconnect_by_data(self->proxy, self);
    g_clear_object(&self->proxy);
}

static guint subscribe(TaskDetails *self, const char *interface, const char *signal,
                       const char *path, const char *first, GDBusSignalCallback callback) {
    return g_dbus_connection_signal_subscribe(
        g_dbus_proxy_get_connection(G_DBUS_PROXY(self->proxy)), self->name, interface, signal, path,
        first, G_DBUS_SIGNAL_FLAGS_NONE, callback, self, NULL);
}

/* A proxy that loads no properties does not hear that they change, either. */
static void follow(TaskDetails *self) {
    const char *path = g_dbus_proxy_get_object_path(G_DBUS_PROXY(self->proxy));

    g_signal_connect_swapped(self->proxy, "progress", G_CALLBACK(on_progress), self);
    g_signal_connect_swapped(self->proxy, "status", G_CALLBACK(on_status), self);
    g_signal_connect_swapped(self->proxy, "message", G_CALLBACK(on_message), self);
    g_signal_connect_swapped(self->proxy, "finished", G_CALLBACK(on_finished), self);
    self->properties = subscribe(self, "org.freedesktop.DBus.Properties", "PropertiesChanged", path,
                                 "org.longrun.Longrun1.Task", on_properties);
    self->removed = subscribe(self, "org.longrun.Longrun1.Manager", "TasksRemoved", DAEMON_ROOT,
                              NULL, on_removed);
}

/* Signals first, then the properties: nothing falls in between. */
static void on_proxy(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GError) error = NULL;
    DbusTask *proxy = dbus_task_proxy_new_finish(result, &error);
    TaskDetails *self = userdata;

    if (!proxy) {
        if (!daemon_error_is_cancelled(error))
            load_failed(self, error);
        return;
    }
    self->proxy = proxy;
    follow(self);
    load(self);
}

static void close_all(TaskDetails *self) {
    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    g_clear_pointer(&self->name, g_free);
    self->loading = self->load_again = FALSE;
    drop_proxy(self);
}

void task_details_open(TaskDetails *self, GDBusConnection *connection, const char *name) {
    g_autofree char *path = daemon_link_task_path(self->id);

    close_all(self);
    if (!connection) {
        if (self->standing == TASK_STANDING_LIVE)
            set_standing(self, TASK_STANDING_ADRIFT, NULL);
        return;
    }
    self->cancellable = g_cancellable_new();
    self->name = g_strdup(name);
    dbus_task_proxy_new(connection,
                        G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES |
                            G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START,
                        name, path, self->cancellable, on_proxy, self);
}

static void on_link_state(TaskDetails *self) {
    gboolean running = daemon_link_get_state(self->link) == DAEMON_RUNNING;

    task_details_open(self, running ? daemon_link_get_connection(self->link) : NULL, DAEMON_NAME);
}

/* ---- what it says ---- */

void task_details_set_awake(TaskDetails *self, gboolean awake) {
    if (awake && !self->awake)
        load(self);
    self->awake = awake;
    update_tick(self);
}

guint64 task_details_get_id(TaskDetails *self) {
    return self->id;
}

TaskStanding task_details_get_standing(TaskDetails *self) {
    return self->standing;
}

const char *task_details_get_reason(TaskDetails *self) {
    return self->reason;
}

gboolean task_details_is_known(TaskDetails *self) {
    return self->is_known;
}

TaskProps *task_details_get_props(TaskDetails *self) {
    return self->props;
}

TaskHistory *task_details_get_history(TaskDetails *self) {
    return self->history;
}

GListModel *task_details_get_notes(TaskDetails *self) {
    return G_LIST_MODEL(self->notes);
}

DbusTask *task_details_get_proxy(TaskDetails *self) {
    return self->standing == TASK_STANDING_LIVE ? self->proxy : NULL;
}

TaskCan task_details_can(TaskDetails *self) {
    TaskCan can = self->standing == TASK_STANDING_LIVE ? task_can(self->props) : 0;

    if (self->closed_in == task_props_number(self->props, "Attempt") + 1)
        can &= ~(TASK_CAN_SEND | TASK_CAN_CLOSE_STDIN);
    return can;
}

void task_details_set_stdin_closed(TaskDetails *self) {
    self->closed_in = task_props_number(self->props, "Attempt") + 1;
    g_signal_emit(self, signals[CHANGED], 0);
}

/* ---- the object ---- */

static void dispose(GObject *object) {
    TaskDetails *self = LONGRUN_TASK_DETAILS(object);

    close_all(self);
    g_clear_handle_id(&self->tick, g_source_remove);
    if (self->link)
        g_signal_handlers_disconnect_by_data(self->link, self);
    g_clear_object(&self->link);
    g_clear_object(&self->history);
    g_clear_object(&self->notes);
    G_OBJECT_CLASS(task_details_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    TaskDetails *self = LONGRUN_TASK_DETAILS(object);

    g_variant_dict_unref(self->props);
    g_free(self->reason);
    G_OBJECT_CLASS(task_details_parent_class)->finalize(object);
}

static void task_details_class_init(TaskDetailsClass *class) {
    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
    signals[CHANGED] = g_signal_new("changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL,
                                    NULL, NULL, G_TYPE_NONE, 0);
    signals[MOVED] = g_signal_new("moved", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
}

static void task_details_init(TaskDetails *self) {
    self->props = g_variant_dict_new(NULL);
    self->history = task_history_new();
    self->notes = g_list_store_new(LONGRUN_TYPE_TASK_NOTE);
    self->reason = g_strdup("");
}

TaskDetails *task_details_new(DaemonLink *link, guint64 id) {
    TaskDetails *self = g_object_new(LONGRUN_TYPE_TASK_DETAILS, NULL);

    self->id = id;
    if (!link)
        return self;
    self->link = g_object_ref(link);
    g_signal_connect_swapped(link, "notify::state", G_CALLBACK(on_link_state), self);
    on_link_state(self);
    return self;
}
