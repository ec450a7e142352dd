#include "client-gtk/demo/demo-run.h"

#include "client-gtk/base/daemon-error.h"
#include "common/task-state.h"

#define INTERFACE "org.longrun.Longrun1.Task"
#define CHUNK (64 * 1024)
#define LINE_MAX_BYTES 4096

struct _DemoRun {
    GObject parent_instance;

    DaemonLink *link;
    char *kind, *key;
    GCancellable *cancellable; /* of all calls about the task */
    guint64 id;
    char *path;
    gboolean active, finding;      /* finding: one that may be active; a start goes before that */
    gboolean is_unwanted;          /* cancelled before its id is known */
    gint64 asked_usec, begun_usec; /* since the epoch */
    guint subscription;
    GDBusConnection *connection; /* of the subscription */

    /* The log is read from the file alone; signals but say that there is more. */
    guint64 log_offset;
    GString *line;                     /* the last one, as far as it is there */
    gboolean is_reading, is_unread;    /* a read is under way; there was more since it began */
    char *final_state, *final_message; /* it has ended, and its log is not yet read to the end */
};

G_DEFINE_FINAL_TYPE(DemoRun, demo_run, G_TYPE_OBJECT)

enum {
    BEGAN,
    STATUS,
    PROGRESS,
    LOG,
    ENDED,
    FAILED,
    N_SIGNALS,
};
static guint signals[N_SIGNALS];

static void call_task(DemoRun *self, const char *interface, const char *method,
                      GVariant *parameters, GAsyncReadyCallback callback) {
    g_dbus_connection_call(self->connection, DAEMON_NAME, self->path, interface, method, parameters,
                           NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, self->cancellable, callback,
                           self);
}

/* NULL and *ret_text: it has failed. NULL without: it is cancelled, and self may have gone. */
static GVariant *finish(GObject *connection, GAsyncResult *result, const char *type,
                        char **ret_text) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(connection), result, &error);

    *ret_text = NULL;
    if (reply && g_variant_is_of_type(reply, G_VARIANT_TYPE(type)))
        return g_steal_pointer(&reply);
    if (reply)
        *ret_text = g_strdup("The daemon's answer is not as expected");
    else if (!daemon_error_is_cancelled(error))
        *ret_text = daemon_error_text(error);
    return NULL;
}

/* ---- the end ---- */

static void stop_following(DemoRun *self) {
    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    if (self->subscription)
        g_dbus_connection_signal_unsubscribe(self->connection, self->subscription);
    self->subscription = 0;
    g_clear_object(&self->connection);
    g_clear_pointer(&self->final_state, g_free);
    g_clear_pointer(&self->final_message, g_free);
    self->is_reading = self->is_unread = self->active = self->finding = self->is_unwanted = FALSE;
}

static void fail(DemoRun *self, const char *text) {
    stop_following(self);
    g_signal_emit(self, signals[FAILED], 0, text);
}

static void end(DemoRun *self, const char *result) {
    g_autofree char *state = g_steal_pointer(&self->final_state);
    g_autofree char *message = g_steal_pointer(&self->final_message);

    stop_following(self);
    g_signal_emit(self, signals[ENDED], 0, state, message, result);
}

/* Who comes second finds none: a result is read once. */
static void on_result(GObject *connection, GAsyncResult *result, gpointer userdata) {
    g_autofree char *text = NULL;
    g_autoptr(GVariant) reply = finish(connection, result, "(s)", &text);
    const char *json = "";

    if (!reply && !text)
        return;
    if (reply)
        g_variant_get(reply, "(&s)", &json);
    end(userdata, json);
}

static void tell_line(DemoRun *self) {
    g_autofree char *text = g_utf8_make_valid(self->line->str, (gssize)self->line->len);

    g_string_truncate(self->line, 0);
    g_signal_emit(self, signals[LOG], 0, text);
}

static void end_when_all_is_read(DemoRun *self) {
    if (!self->final_state || self->is_reading)
        return;
    if (self->line->len > 0)
        tell_line(self);
    call_task(self, INTERFACE, "TakeResult", NULL, on_result);
}

/* ---- the log ---- */

static void read_log(DemoRun *self);

/* A line that is too long is told in pieces. */
static void take_log(DemoRun *self, const char *data, gsize size) {
    G_GNUC_UNUSED g_autoptr(DemoRun) hold = g_object_ref(self);

    for (gsize i = 0; i < size; i++) {
        if (data[i] != '\n')
            g_string_append_c(self->line, data[i]);
        if (data[i] == '\n' || self->line->len >= LINE_MAX_BYTES)
            tell_line(self);
    }
}

static void on_log(GObject *connection, GAsyncResult *result, gpointer userdata) {
    g_autofree char *text = NULL;
    g_autoptr(GVariant) reply = finish(connection, result, "(ayt)", &text), bytes = NULL;
    DemoRun *self = userdata;
    const char *data;
    gsize size = 0;

    if (!reply && !text)
        return;
    self->is_reading = FALSE;
    if (reply) {
        bytes = g_variant_get_child_value(reply, 0);
        data = g_variant_get_fixed_array(bytes, &size, 1);
        g_variant_get_child(reply, 1, "t", &self->log_offset);
        take_log(self, data, size);
    }
    if (size > 0 || (reply && self->is_unread))
        read_log(self);
    else
        end_when_all_is_read(self);
}

static void read_log(DemoRun *self) {
    self->is_unread = self->is_reading;
    if (self->is_reading)
        return;
    self->is_reading = TRUE;
    call_task(self, INTERFACE, "ReadLog", g_variant_new("(tu)", self->log_offset, CHUNK), on_log);
}

/* What was written before the end is there: once more, and then all is read. */
static void note_final(DemoRun *self, const char *state, const char *message) {
    if (self->final_state)
        return;
    self->final_state = g_strdup(state);
    self->final_message = g_strdup(message);
    read_log(self);
}

/* ---- what the task is ---- */

static void tell(DemoRun *self, GVariant *task) {
    const char *state = "", *status = "", *message = "", *reason = "";
    double progress = -1;

    g_variant_lookup(task, "State", "&s", &state);
    g_variant_lookup(task, "Status", "&s", &status);
    g_variant_lookup(task, "Reason", "&s", &reason);
    g_variant_lookup(task, "Message", "&s", &message);
    g_variant_lookup(task, "Progress", "d", &progress);
    if (*status || *reason)
        g_signal_emit(self, signals[STATUS], 0, *status ? status : reason);
    if (progress >= 0)
        g_signal_emit(self, signals[PROGRESS], 0, progress);
    if (task_state_is_final(task_state_from_string(state)))
        note_final(self, state, message);
    else
        read_log(self);
}

static void note_begin(DemoRun *self, GVariant *task) {
    guint64 created = 0, started = 0;

    if (self->begun_usec)
        return; /* it was told before: the daemon has come back */
    g_variant_lookup(task, "CreatedAt", "t", &created);
    g_variant_lookup(task, "StartedAt", "t", &started);
    self->begun_usec = (gint64)(started > 0 ? started : created);
    g_signal_emit(self, signals[BEGAN], 0, (gint64)created < self->asked_usec);
}

static void on_task(GObject *connection, GAsyncResult *result, gpointer userdata) {
    g_autofree char *text = NULL;
    g_autoptr(GVariant) reply = finish(connection, result, "(a{sv})", &text), task = NULL;
    DemoRun *self = userdata;

    if (reply) {
        task = g_variant_get_child_value(reply, 0);
        note_begin(self, task);
        tell(self, task);
    } else if (text) {
        fail(self, text);
    }
}

static void ask_for_task(DemoRun *self) {
    call_task(self, "org.freedesktop.DBus.Properties", "GetAll", g_variant_new("(s)", INTERFACE),
              on_task);
}

/* ---- signals of the task ---- */

static void on_signal(GDBusConnection *connection, const char *sender, const char *path,
                      const char *interface, const char *signal, GVariant *parameters,
                      gpointer userdata) {
    g_autoptr(GVariant) child =
        g_variant_n_children(parameters) > 0 ? g_variant_get_child_value(parameters, 0) : NULL;
    DemoRun *self = userdata;
    const char *state, *message;

    if (g_str_equal(signal, "Log")) {
        read_log(self);
    } else if (g_str_equal(signal, "Status") && child &&
               g_variant_is_of_type(child, G_VARIANT_TYPE("s"))) {
        g_signal_emit(self, signals[STATUS], 0, g_variant_get_string(child, NULL));
    } else if (g_str_equal(signal, "Progress") && child &&
               g_variant_is_of_type(child, G_VARIANT_TYPE("d"))) {
        g_signal_emit(self, signals[PROGRESS], 0, g_variant_get_double(child));
    } else if (g_str_equal(signal, "Finished") &&
               g_variant_is_of_type(parameters, G_VARIANT_TYPE("(sis)"))) {
        g_variant_get(parameters, "(&si&s)", &state, NULL, &message);
        note_final(self, state, message);
    }
}

static void on_cancelled(GObject *connection, GAsyncResult *result, gpointer userdata) {
    g_autofree char *text = NULL;
    G_GNUC_UNUSED g_autoptr(GVariant) reply = finish(connection, result, "()", &text);

    if (text)
        g_signal_emit(userdata, signals[FAILED], 0, text);
}

static void cancel(DemoRun *self) {
    call_task(self, INTERFACE, "Cancel", NULL, on_cancelled);
}

/* First it listens, then it asks: nothing is between the two. */
static void follow(DemoRun *self, guint64 id) {
    self->id = id;
    g_free(self->path);
    self->path = daemon_link_task_path(id);
    self->begun_usec = 0;
    self->log_offset = 0;
    g_string_truncate(self->line, 0);
    self->subscription = g_dbus_connection_signal_subscribe(
        self->connection, DAEMON_NAME, INTERFACE, NULL, self->path, NULL, G_DBUS_SIGNAL_FLAGS_NONE,
        on_signal, self, NULL);
    ask_for_task(self);
    if (self->is_unwanted)
        cancel(self);
}

/* ---- start, find, cancel ---- */

static gboolean prepare(DemoRun *self) {
    if (demo_run_is_active(self) || daemon_link_get_state(self->link) != DAEMON_RUNNING)
        return FALSE;
    stop_following(self);
    self->active = TRUE;
    self->cancellable = g_cancellable_new();
    self->connection = g_object_ref(daemon_link_get_connection(self->link));
    self->asked_usec = g_get_real_time();
    return TRUE;
}

static void on_started(GObject *connection, GAsyncResult *result, gpointer userdata) {
    g_autofree char *text = NULL;
    g_autoptr(GVariant) reply = finish(connection, result, "(to)", &text);
    guint64 id;

    if (reply) {
        g_variant_get(reply, "(t&o)", &id, NULL);
        follow(userdata, id);
    } else if (text) {
        fail(userdata, text);
    }
}

void demo_run_start(DemoRun *self, const char *label, const char *params, gboolean isolate) {
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);

    if (!prepare(self))
        return;
    g_variant_dict_insert(&options, "label", "s", label);
    g_variant_dict_insert(&options, "params", "s", params);
    g_variant_dict_insert(&options, "unique", "s", self->key);
    g_variant_dict_insert(&options, "isolate", "b", isolate);
    g_dbus_connection_call(
        self->connection, DAEMON_NAME, DAEMON_ROOT, "org.longrun.Longrun1.Manager", "Start",
        g_variant_new("(s@a{sv})", self->kind, g_variant_dict_end(&options)), NULL,
        G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, self->cancellable, on_started, self);
}

/* The id of the one with the key, 0 when there is none. */
static guint64 find_key(GVariant *tasks, const char *key) {
    GVariantIter iter;
    GVariant *task;
    guint64 id, found = 0;

    g_variant_iter_init(&iter, tasks);
    while (g_variant_iter_loop(&iter, "@a{sv}", &task)) {
        const char *unique = "";

        g_variant_lookup(task, "unique", "&s", &unique);
        if (g_str_equal(unique, key) && g_variant_lookup(task, "id", "t", &id))
            found = id;
    }
    return found;
}

static void on_found(GObject *connection, GAsyncResult *result, gpointer userdata) {
    g_autofree char *text = NULL;
    g_autoptr(GVariant) reply = finish(connection, result, "(aa{sv}t)", &text), tasks = NULL;
    DemoRun *self = userdata;
    guint64 id = 0;

    if (!reply && !text)
        return;
    if (reply) {
        tasks = g_variant_get_child_value(reply, 0);
        id = find_key(tasks, self->key);
    }
    self->finding = FALSE;
    if (id)
        follow(self, id);
    else
        stop_following(self);
}

static GVariant *filter_of(DemoRun *self) {
    static const char *const states[] = {"waiting", "queued",     "starting", "running",
                                         "paused",  "cancelling", NULL};
    static const char *const fields[] = {"id", "unique", NULL};
    GVariantDict filter = G_VARIANT_DICT_INIT(NULL);

    g_variant_dict_insert(&filter, "kind", "s", self->kind);
    g_variant_dict_insert(&filter, "states", "^as", states);
    g_variant_dict_insert(&filter, "fields", "^as", fields);
    g_variant_dict_insert(&filter, "limit", "u", 1000u);
    return g_variant_dict_end(&filter);
}

void demo_run_find(DemoRun *self) {
    if (!prepare(self))
        return;
    self->finding = TRUE;
    g_dbus_connection_call(self->connection, DAEMON_NAME, DAEMON_ROOT,
                           "org.longrun.Longrun1.Manager", "ListTasks",
                           g_variant_new("(@a{sv})", filter_of(self)), NULL,
                           G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, self->cancellable, on_found, self);
}

void demo_run_cancel(DemoRun *self) {
    if (self->active && self->subscription)
        cancel(self);
    else
        self->is_unwanted = demo_run_is_active(self);
}

/* ---- the daemon comes and goes ---- */

/* What became of the task while there was none, the next one knows. A call that was under way then
 * has failed by now, but for a Start that never had an answer: whether there is a task, the key
 * tells. */
static void on_link(DemoRun *self) {
    if (daemon_link_get_state(self->link) == DAEMON_RUNNING && self->subscription)
        ask_for_task(self);
}

/* ---- the object ---- */

gboolean demo_run_is_active(DemoRun *self) {
    return self->active && !self->finding;
}

guint64 demo_run_get_id(DemoRun *self) {
    return self->id;
}

gint64 demo_run_get_elapsed_sec(DemoRun *self) {
    return self->begun_usec ? (g_get_real_time() - self->begun_usec) / G_USEC_PER_SEC : 0;
}

static void dispose(GObject *object) {
    DemoRun *self = LONGRUN_DEMO_RUN(object);

    stop_following(self);
    if (self->link)
        g_signal_handlers_disconnect_by_data(self->link, self);
    g_clear_object(&self->link);
    G_OBJECT_CLASS(demo_run_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    DemoRun *self = LONGRUN_DEMO_RUN(object);

    g_free(self->kind);
    g_free(self->key);
    g_free(self->path);
    g_string_free(self->line, TRUE);
    G_OBJECT_CLASS(demo_run_parent_class)->finalize(object);
}

static guint new_signal(const char *name, guint n, GType a, GType b, GType c) {
    return g_signal_new(name, LONGRUN_TYPE_DEMO_RUN, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                        G_TYPE_NONE, n, a, b, c);
}

static void demo_run_class_init(DemoRunClass *class) {
    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
    signals[BEGAN] = new_signal("began", 1, G_TYPE_BOOLEAN, 0, 0);
    signals[STATUS] = new_signal("status", 1, G_TYPE_STRING, 0, 0);
    signals[PROGRESS] = new_signal("progress", 1, G_TYPE_DOUBLE, 0, 0);
    signals[LOG] = new_signal("log", 1, G_TYPE_STRING, 0, 0);
    signals[ENDED] = new_signal("ended", 3, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING);
    signals[FAILED] = new_signal("failed", 1, G_TYPE_STRING, 0, 0);
}

static void demo_run_init(DemoRun *self) {
    self->line = g_string_new(NULL);
}

DemoRun *demo_run_new(DaemonLink *link, const char *kind, const char *key) {
    DemoRun *self = g_object_new(LONGRUN_TYPE_DEMO_RUN, NULL);

    self->link = g_object_ref(link);
    self->kind = g_strdup(kind);
    self->key = g_strdup(key);
    g_signal_connect_swapped(link, "notify::state", G_CALLBACK(on_link), self);
    return self;
}
