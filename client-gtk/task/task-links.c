#include "client-gtk/task/task-links.h"

#include "client-gtk/base/daemon-error.h"
#include "client-gtk/task/task-link.h"

struct _TaskLinks {
    GObject parent_instance;

    TaskDetails *details;
    GListStore *related, *children;
    gboolean more;

    DbusTask *proxy; /* of the daemon that was asked */
    GCancellable *cancellable;
    guint subscription;
    GVariant *known_children; /* with the attempt: what the list was loaded for */
    guint64 known_attempt;
    gboolean loading, load_again;
};

G_DEFINE_FINAL_TYPE(TaskLinks, task_links, G_TYPE_OBJECT)

static guint signal_changed;

static GDBusConnection *connection_of(TaskLinks *self) {
    return g_dbus_proxy_get_connection(G_DBUS_PROXY(self->proxy));
}

static const char *name_of(TaskLinks *self) {
    return g_dbus_proxy_get_name(G_DBUS_PROXY(self->proxy));
}

/* ---- related ones ---- */

static void on_facts(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    g_autoptr(TaskLink) link = userdata;
    g_autoptr(GVariant) facts = NULL;
    g_autoptr(TaskProps) props = NULL;

    if (!reply) {
        if (daemon_error_is(error, "NoSuchTask"))
            task_link_set_gone(link);
        return;
    }
    facts = g_variant_get_child_value(reply, 0);
    props = g_variant_dict_new(facts);
    task_link_set(link, task_props_string(props, "Label"), task_props_state(props));
}

static void ask(TaskLinks *self, TaskLink *link) {
    g_autofree char *path = daemon_link_task_path(task_link_get_id(link));

    g_dbus_connection_call(
        connection_of(self), name_of(self), path, "org.freedesktop.DBus.Properties", "GetAll",
        g_variant_new("(s)", "org.longrun.Longrun1.Task"), G_VARIANT_TYPE("(a{sv})"),
        G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, self->cancellable, on_facts, g_object_ref(link));
}

static void ask_all(TaskLinks *self) {
    for (guint i = 0; i < g_list_model_get_n_items(G_LIST_MODEL(self->related)); i++) {
        g_autoptr(TaskLink) link = g_list_model_get_item(G_LIST_MODEL(self->related), i);

        ask(self, link);
    }
}

static void add(TaskLinks *self, guint64 id, TaskRole role) {
    g_autoptr(TaskLink) link = task_link_new(id, role);

    if (id > 0 && g_list_model_get_n_items(G_LIST_MODEL(self->related)) < LONGRUN_TASK_RELATED_MAX)
        g_list_store_append(self->related, link);
}

static void add_array(TaskLinks *self, const char *name, TaskRole role) {
    g_autoptr(GVariant) ids = task_props_array(task_details_get_props(self->details), name, "at");
    gsize n = 0;
    const guint64 *all = ids ? g_variant_get_fixed_array(ids, &n, sizeof(guint64)) : NULL;

    for (gsize i = 0; i < n; i++)
        add(self, all[i], role);
}

/* They are the same as long as the task lives. */
static void fill_related(TaskLinks *self) {
    TaskProps *props = task_details_get_props(self->details);

    if (g_list_model_get_n_items(G_LIST_MODEL(self->related)) > 0)
        return;
    add(self, task_props_number(props, "Parent"), TASK_ROLE_PARENT);
    add(self, task_props_number(props, "RetryOf"), TASK_ROLE_RETRY_OF);
    add_array(self, "After", TASK_ROLE_AFTER);
    add_array(self, "AfterAny", TASK_ROLE_AFTER_ANY);
    add_array(self, "AfterFailed", TASK_ROLE_AFTER_FAILED);
}

/* ---- children ---- */

/* The old item of that id, so that its row stays. */
static TaskLink *take_child(GHashTable *old, GVariant *facts) {
    const char *label = "", *state = "";
    guint64 id = 0;
    TaskLink *link;

    g_variant_lookup(facts, "id", "t", &id);
    g_variant_lookup(facts, "label", "&s", &label);
    g_variant_lookup(facts, "state", "&s", &state);
    link = g_hash_table_lookup(old, &id);
    link = link ? g_object_ref(link) : task_link_new(id, TASK_ROLE_CHILD);
    task_link_set(link, label, task_state_from_string(state));
    return link;
}

static GHashTable *children_by_id(TaskLinks *self) {
    GHashTable *all = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_object_unref);

    for (guint i = 0; i < g_list_model_get_n_items(G_LIST_MODEL(self->children)); i++) {
        TaskLink *link = g_list_model_get_item(G_LIST_MODEL(self->children), i);
        guint64 id = task_link_get_id(link);

        g_hash_table_insert(all, g_memdup2(&id, sizeof(id)), link);
    }
    return all;
}

static gboolean is_at(TaskLinks *self, guint i, gpointer link) {
    g_autoptr(TaskLink) there = g_list_model_get_item(G_LIST_MODEL(self->children), i);

    return there == link;
}

/* New ones come at the beginning, old ones go at the end; the rows between stay. */
static void replace_children(TaskLinks *self, GPtrArray *links) {
    guint was = g_list_model_get_n_items(G_LIST_MODEL(self->children)), begin = 0, end = 0;
    guint shorter = MIN(was, links->len);

    while (begin < shorter && is_at(self, begin, links->pdata[begin]))
        begin++;
    while (end < shorter - begin && is_at(self, was - 1 - end, links->pdata[links->len - 1 - end]))
        end++;
    if (begin + end < MAX(was, links->len))
        g_list_store_splice(self->children, begin, was - begin - end, links->pdata + begin,
                            links->len - begin - end);
}

static void take_children(TaskLinks *self, GVariant *reply) {
    g_autoptr(GPtrArray) links = g_ptr_array_new_with_free_func(g_object_unref);
    g_autoptr(GHashTable) old = children_by_id(self);
    g_autoptr(GVariantIter) tasks = NULL;
    GVariant *facts;
    guint64 next;

    g_variant_get(reply, "(aa{sv}t)", &tasks, &next);
    while (g_variant_iter_loop(tasks, "@a{sv}", &facts))
        g_ptr_array_add(links, take_child(old, facts));
    replace_children(self, links);
    if (self->more != (next > 0)) {
        self->more = next > 0;
        g_signal_emit(self, signal_changed, 0);
    }
}

static void load_children(TaskLinks *self);

static void on_children(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    TaskLinks *self = userdata;

    if (!reply && daemon_error_is_cancelled(error))
        return;
    self->loading = FALSE;
    if (reply)
        take_children(self, reply);
    if (self->load_again)
        load_children(self);
}

static void load_children(TaskLinks *self) {
    static const char *const fields[] = {"id", "label", "state", NULL};
    g_auto(GVariantDict) filter = G_VARIANT_DICT_INIT(NULL);

    self->load_again = self->loading;
    if (self->loading)
        return;
    self->loading = TRUE;
    g_variant_dict_insert(&filter, "parent", "t", task_details_get_id(self->details));
    g_variant_dict_insert(&filter, "newest-first", "b", TRUE);
    g_variant_dict_insert(&filter, "limit", "u", LONGRUN_TASK_CHILDREN_MAX);
    g_variant_dict_insert_value(&filter, "fields", g_variant_new_strv(fields, -1));
    g_dbus_connection_call(connection_of(self), name_of(self), DAEMON_ROOT,
                           "org.longrun.Longrun1.Manager", "ListTasks",
                           g_variant_new("(@a{sv})", g_variant_dict_end(&filter)),
                           G_VARIANT_TYPE("(aa{sv}t)"), G_DBUS_CALL_FLAGS_NO_AUTO_START, -1,
                           self->cancellable, on_children, self);
}

/* Nobody tells of a new child: but the active ones are others then, and a series has one run more.
 */
static void follow_children(TaskLinks *self) {
    TaskProps *props = task_details_get_props(self->details);
    g_autoptr(GVariant) now = task_props_array(props, "Children", "at");
    guint64 attempt = task_props_number(props, "Attempt");

    if (!now || (self->known_children && g_variant_equal(now, self->known_children) &&
                 attempt == self->known_attempt))
        return;
    g_clear_pointer(&self->known_children, g_variant_unref);
    self->known_children = g_steal_pointer(&now);
    self->known_attempt = attempt;
    load_children(self);
}

/* ---- news ---- */

static void tell(GListStore *links, guint64 id, const char *state) {
    for (guint i = 0; i < g_list_model_get_n_items(G_LIST_MODEL(links)); i++) {
        g_autoptr(TaskLink) link = g_list_model_get_item(G_LIST_MODEL(links), i);

        if (task_link_get_id(link) != id)
            continue;
        if (state)
            task_link_set(link, NULL, task_state_from_string(state));
        else
            task_link_set_gone(link);
    }
}

static void on_news(GDBusConnection *connection, const char *sender, const char *path,
                    const char *interface, const char *signal, GVariant *arguments,
                    gpointer userdata) {
    gboolean removed = g_str_equal(signal, "TasksRemoved");
    g_autoptr(GVariant) tasks = NULL;
    TaskLinks *self = userdata;

    if (!removed && !g_str_equal(signal, "TasksChanged") && !g_str_equal(signal, "TasksFinished"))
        return;
    tasks = g_variant_get_child_value(arguments, 0);
    for (gsize i = 0; i < g_variant_n_children(tasks); i++) {
        g_autoptr(GVariant) task = g_variant_get_child_value(tasks, i);
        const char *state = NULL;
        guint64 id;

        if (removed)
            id = g_variant_get_uint64(task);
        else {
            g_variant_get_child(task, 0, "t", &id);
            g_variant_get_child(task, 1, "&s", &state);
        }
        tell(self->related, id, state);
        tell(self->children, id, state);
    }
}

/* ---- the daemon ---- */

static void leave(TaskLinks *self) {
    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    if (self->subscription)
        g_dbus_connection_signal_unsubscribe(connection_of(self), self->subscription);
    self->subscription = 0;
    self->loading = self->load_again = FALSE;
    g_clear_pointer(&self->known_children, g_variant_unref);
    g_clear_object(&self->proxy);
}

static void join(TaskLinks *self, DbusTask *proxy) {
    leave(self);
    self->proxy = g_object_ref(proxy);
    self->cancellable = g_cancellable_new();
    self->subscription = g_dbus_connection_signal_subscribe(
        connection_of(self), name_of(self), "org.longrun.Longrun1.Manager", NULL, DAEMON_ROOT, NULL,
        G_DBUS_SIGNAL_FLAGS_NONE, on_news, self, NULL);
    fill_related(self);
    ask_all(self);
}

static void on_details(TaskLinks *self) {
    DbusTask *proxy = task_details_get_proxy(self->details);

    if (!proxy)
        return;
    if (proxy != self->proxy)
        join(self, proxy);
    follow_children(self);
}

/* ---- the object ---- */

GListModel *task_links_get_related(TaskLinks *self) {
    return G_LIST_MODEL(self->related);
}

GListModel *task_links_get_children(TaskLinks *self) {
    return G_LIST_MODEL(self->children);
}

gboolean task_links_has_more_children(TaskLinks *self) {
    return self->more;
}

static void dispose(GObject *object) {
    TaskLinks *self = LONGRUN_TASK_LINKS(object);

    leave(self);
    if (self->details)
        g_signal_handlers_disconnect_by_data(self->details, self);
    g_clear_object(&self->details);
    g_clear_object(&self->related);
    g_clear_object(&self->children);
    G_OBJECT_CLASS(task_links_parent_class)->dispose(object);
}

static void task_links_class_init(TaskLinksClass *class) {
    G_OBJECT_CLASS(class)->dispose = dispose;
    signal_changed = g_signal_new("changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
}

static void task_links_init(TaskLinks *self) {
    self->related = g_list_store_new(LONGRUN_TYPE_TASK_LINK);
    self->children = g_list_store_new(LONGRUN_TYPE_TASK_LINK);
}

TaskLinks *task_links_new(TaskDetails *details) {
    TaskLinks *self = g_object_new(LONGRUN_TYPE_TASK_LINKS, NULL);

    self->details = g_object_ref(details);
    g_signal_connect_swapped(details, "changed", G_CALLBACK(on_details), self);
    on_details(self);
    return self;
}
