#include "client-gtk/base/end-notifier.h"

#include "client-gtk/base/end-news.h"

#define NOTIFICATION "tasks-ended"
#define INTERVAL_SEC 2

/* Desktop Notifications Specification */
#define SERVER "org.freedesktop.Notifications"

/* What one round asks the daemon about; what ends beyond that is counted without a name. */
#define ENDED_MAX 1000
#define CALLS_MAX 20
#define PAGE 100

typedef struct Ended {
    guint64 id;
    TaskState state;
    int exit_code;
} Ended;

struct _EndNotifier {
    GObject parent_instance;

    GApplication *app; /* not owned */
    DaemonLink *link;  /* not owned */
    DbusManager *manager;
    gboolean away;
    GArray *ended; /* of Ended, by id: the next round asks about them */
    GArray *asked; /* the same, of this round */
    guint calls;   /* of this round */
    GCancellable *asking;
    GCancellable *finding; /* who shows notifications */
    EndNews *news;
    guint timer; /* until the next notification may follow */
    guint again; /* until it is taken away once more */
    guint told;  /* tasks that the last one was about */
};

G_DEFINE_FINAL_TYPE(EndNotifier, end_notifier, G_TYPE_OBJECT)

/* ---- the notification ---- */

static void tell(EndNotifier *self);

static gboolean on_timer(gpointer userdata) {
    EndNotifier *self = userdata;

    self->timer = 0;
    if (self->told < end_news_count(self->news))
        tell(self);
    return G_SOURCE_REMOVE;
}

static void show(EndNotifier *self) {
    g_autofree char *title = end_news_title(self->news), *body = end_news_body(self->news);
    g_autoptr(GNotification) notification = g_notification_new(title);
    guint64 id = end_news_task(self->news);

    g_notification_set_body(notification, body);
    if (id > 0)
        g_notification_set_default_action_and_target(notification, "app.show-task", "t", id);
    else
        g_notification_set_default_action(notification, "app.show-tasks");
    g_application_send_notification(self->app, NOTIFICATION, notification);
    self->told = end_news_count(self->news);
}

static void on_server(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    EndNotifier *self = userdata;

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    g_clear_object(&self->finding);
    if (reply || !g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN))
        show(self);
}

/* Where nobody shows notifications, as on a bare bus, there are none: GIO would complain of each.
 */
static void tell(EndNotifier *self) {
    self->told = end_news_count(self->news);
    self->timer = g_timeout_add_seconds(INTERVAL_SEC, on_timer, self);
    if (self->finding)
        return;
    self->finding = g_cancellable_new();
    g_dbus_connection_call(daemon_link_get_connection(self->link), SERVER,
                           "/org/freedesktop/Notifications", "org.freedesktop.DBus.Peer", "Ping",
                           NULL, NULL, G_DBUS_CALL_FLAGS_NONE, -1, self->finding, on_server, self);
}

static void tell_soon(EndNotifier *self) {
    if (self->timer == 0 && self->told < end_news_count(self->news))
        tell(self);
}

/* ---- more about what has ended ---- */

static void ask(EndNotifier *self);

static void round_over(EndNotifier *self) {
    for (guint i = 0; i < self->asked->len; i++) {
        const Ended *e = &g_array_index(self->asked, Ended, i);
        end_news_add(self->news, e->id, NULL, e->state, e->exit_code);
    }
    g_array_set_size(self->asked, 0);
    tell_soon(self);
}

static void add(EndNotifier *self, const Ended *e, GVariant *task) {
    const char *label = "";
    gboolean notify = TRUE;
    guint64 parent = 0;

    g_variant_lookup(task, "label", "&s", &label);
    g_variant_lookup(task, "notify", "b", &notify);
    g_variant_lookup(task, "parent", "t", &parent);
    if (notify && end_news_wants(e->state, parent > 0))
        end_news_add(self->news, e->id, label, e->state, e->exit_code);
}

/* Both are by id. What the page has passed by is gone from the daemon, and nobody's business any
 * more. */
static void take_page(EndNotifier *self, GVariant *tasks, gboolean last) {
    GVariantIter iter;
    GVariant *task;
    guint64 id;
    guint i = 0;

    g_variant_iter_init(&iter, tasks);
    while (g_variant_iter_loop(&iter, "@a{sv}", &task)) {
        if (!g_variant_lookup(task, "id", "t", &id))
            continue;
        while (i < self->asked->len && g_array_index(self->asked, Ended, i).id < id)
            i++;
        if (i < self->asked->len && g_array_index(self->asked, Ended, i).id == id)
            add(self, &g_array_index(self->asked, Ended, i++), task);
    }
    g_array_remove_range(self->asked, 0, last ? self->asked->len : i);
}

static void on_page(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) tasks = NULL;
    EndNotifier *self = userdata;
    guint64 next;

    if (!dbus_manager_call_list_tasks_finish(DBUS_MANAGER(source), &tasks, &next, result, &error)) {
        if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
            return;
        self->calls = CALLS_MAX;
    } else
        take_page(self, tasks, next == 0);
    g_clear_object(&self->asking);
    if (self->asked->len == 0 || self->calls == CALLS_MAX)
        round_over(self);
    ask(self);
}

static GVariant *page_filter(guint64 cursor, guint limit) {
    static const char *const fields[] = {"id", "label", "notify", "parent", NULL};
    GVariantBuilder filter;

    g_variant_builder_init(&filter, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&filter, "{sv}", "cursor", g_variant_new_uint64(cursor));
    g_variant_builder_add(&filter, "{sv}", "limit", g_variant_new_uint32(limit));
    g_variant_builder_add(&filter, "{sv}", "fields", g_variant_new_strv(fields, -1));
    return g_variant_builder_end(&filter);
}

static void begin_round(EndNotifier *self) {
    GArray *none = self->asked;

    self->asked = self->ended;
    self->ended = none;
    self->calls = 0;
}

/* One call at a time. */
static void ask(EndNotifier *self) {
    if (self->asking)
        return;
    if (self->asked->len == 0)
        begin_round(self);
    if (self->asked->len == 0)
        return;
    self->calls++;
    self->asking = g_cancellable_new();
    dbus_manager_call_list_tasks(
        self->manager,
        page_filter(g_array_index(self->asked, Ended, 0).id, self->asked->len == 1 ? 1 : PAGE),
        self->asking, on_page, self);
}

/* ---- ends ---- */

static void keep(EndNotifier *self, const Ended *e) {
    guint i = self->ended->len;

    if (i == ENDED_MAX) {
        end_news_add(self->news, e->id, NULL, e->state, e->exit_code);
        return;
    }
    while (i > 0 && g_array_index(self->ended, Ended, i - 1).id > e->id)
        i--;
    g_array_insert_val(self->ended, i, *e);
}

static void on_finished(EndNotifier *self, GVariant *tasks) {
    GVariantIter iter;
    const char *state;
    Ended e;

    if (!self->away)
        return;
    g_variant_iter_init(&iter, tasks);
    while (g_variant_iter_next(&iter, "(t&si)", &e.id, &state, &e.exit_code)) {
        e.state = task_state_from_string(state);
        if (end_news_wants(e.state, FALSE))
            keep(self, &e);
    }
    ask(self);
}

static void on_link(EndNotifier *self) {
    DbusManager *manager = daemon_link_get_manager(self->link);

    if (manager == self->manager)
        return;
    if (self->manager)
        g_signal_handlers_disconnect_by_data(self->manager, self);
    g_set_object(&self->manager, manager);
    if (manager)
        g_signal_connect_swapped(manager, "tasks-finished", G_CALLBACK(on_finished), self);
}

static void forget(EndNotifier *self) {
    g_cancellable_cancel(self->asking);
    g_clear_object(&self->asking);
    g_cancellable_cancel(self->finding);
    g_clear_object(&self->finding);
    g_clear_handle_id(&self->timer, g_source_remove);
    g_array_set_size(self->ended, 0);
    g_array_set_size(self->asked, 0);
    end_news_clear(self->news);
    self->told = 0;
}

/* GIO takes nothing away of which the desktop has not said yet that it is there. */
static gboolean on_again(gpointer userdata) {
    EndNotifier *self = userdata;

    self->again = 0;
    if (self->told == 0)
        g_application_withdraw_notification(self->app, NOTIFICATION);
    return G_SOURCE_REMOVE;
}

static void withdraw(EndNotifier *self) {
    g_application_withdraw_notification(self->app, NOTIFICATION);
    if (self->timer > 0 && self->again == 0)
        self->again = g_timeout_add_seconds(1, on_again, self);
}

void end_notifier_set_away(EndNotifier *self, gboolean away) {
    if (away == self->away)
        return;
    self->away = away;
    if (self->told > 0)
        withdraw(self);
    forget(self);
}

/* ---- the object ---- */

static void dispose(GObject *object) {
    EndNotifier *self = LONGRUN_END_NOTIFIER(object);

    forget(self);
    g_clear_handle_id(&self->again, g_source_remove);
    if (self->manager)
        g_signal_handlers_disconnect_by_data(self->manager, self);
    g_clear_object(&self->manager);
    G_OBJECT_CLASS(end_notifier_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    EndNotifier *self = LONGRUN_END_NOTIFIER(object);

    g_array_unref(self->ended);
    g_array_unref(self->asked);
    end_news_free(self->news);
    G_OBJECT_CLASS(end_notifier_parent_class)->finalize(object);
}

static void end_notifier_class_init(EndNotifierClass *class) {
    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
}

static void end_notifier_init(EndNotifier *self) {
    self->ended = g_array_new(FALSE, FALSE, sizeof(Ended));
    self->asked = g_array_new(FALSE, FALSE, sizeof(Ended));
    self->news = end_news_new();
}

EndNotifier *end_notifier_new(GApplication *app, DaemonLink *link) {
    EndNotifier *self = g_object_new(LONGRUN_TYPE_END_NOTIFIER, NULL);

    self->app = app;
    self->link = link;
    g_signal_connect_object(link, "notify::state", G_CALLBACK(on_link), self, G_CONNECT_SWAPPED);
    on_link(self);
    return self;
}
