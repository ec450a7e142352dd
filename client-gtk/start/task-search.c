#include "client-gtk/start/task-search.h"

#include "common/parse.h"

/* ---- a task ---- */

struct _TaskMatch {
    GObject parent_instance;

    guint64 id;
    char *label, *state;
};

G_DEFINE_FINAL_TYPE(TaskMatch, task_match, G_TYPE_OBJECT)

guint64 task_match_get_id(TaskMatch *self) {
    return self->id;
}

const char *task_match_get_label(TaskMatch *self) {
    return self->label;
}

const char *task_match_get_state(TaskMatch *self) {
    return self->state;
}

static void match_finalize(GObject *object) {
    TaskMatch *self = LONGRUN_TASK_MATCH(object);

    g_free(self->label);
    g_free(self->state);
    G_OBJECT_CLASS(task_match_parent_class)->finalize(object);
}

static void task_match_class_init(TaskMatchClass *class) {
    G_OBJECT_CLASS(class)->finalize = match_finalize;
}

static void task_match_init(TaskMatch *self) {
}

static TaskMatch *match_new(GVariant *task) {
    TaskMatch *self = g_object_new(LONGRUN_TYPE_TASK_MATCH, NULL);

    g_variant_lookup(task, "id", "t", &self->id);
    if (!g_variant_lookup(task, "label", "s", &self->label))
        self->label = g_strdup("");
    if (!g_variant_lookup(task, "state", "s", &self->state))
        self->state = g_strdup("");
    return self;
}

/* ---- the list ---- */

struct _TaskSearch {
    GObject parent_instance;

    DaemonLink *link;
    GPtrArray *matches;
    GCancellable *cancellable; /* of the question that is open */
};

static void list_init(GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE(TaskSearch, task_search, G_TYPE_OBJECT,
                              G_IMPLEMENT_INTERFACE(G_TYPE_LIST_MODEL, list_init))

static GType get_item_type(GListModel *list) {
    return LONGRUN_TYPE_TASK_MATCH;
}

static guint get_n_items(GListModel *list) {
    return LONGRUN_TASK_SEARCH(list)->matches->len;
}

static gpointer get_item(GListModel *list, guint position) {
    GPtrArray *matches = LONGRUN_TASK_SEARCH(list)->matches;

    return position < matches->len ? g_object_ref(g_ptr_array_index(matches, position)) : NULL;
}

static void list_init(GListModelInterface *iface) {
    iface->get_item_type = get_item_type;
    iface->get_n_items = get_n_items;
    iface->get_item = get_item;
}

/* ---- questions and answers ---- */

static void take_tasks(TaskSearch *self, GVariant *tasks) {
    guint before = self->matches->len;
    gsize n = MIN(g_variant_n_children(tasks), (gsize)TASK_SEARCH_MAX);

    g_ptr_array_set_size(self->matches, 0);
    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) task = g_variant_get_child_value(tasks, i);
        g_ptr_array_add(self->matches, match_new(task));
    }
    g_list_model_items_changed(G_LIST_MODEL(self), 0, before, self->matches->len);
}

/* A question that is taken back may be the end of self. */
static void on_tasks(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GVariant) tasks = NULL;
    g_autoptr(GError) error = NULL;

    if (dbus_manager_call_list_tasks_finish(DBUS_MANAGER(source), &tasks, NULL, result, &error))
        take_tasks(userdata, tasks);
    else if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        g_info("Cannot search tasks, ignoring: %s", error->message);
}

/* With a number in it the task of that number is first, whatever it is called. */
static GVariant *filter(const char *text) {
    static const char *const fields[] = {"id", "label", "state", NULL};
    GVariantBuilder builder;
    guint64 id;

    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&builder, "{sv}", "fields", g_variant_new_strv(fields, -1));
    g_variant_builder_add(&builder, "{sv}", "limit", g_variant_new_uint32(TASK_SEARCH_MAX));
    g_variant_builder_add(&builder, "{sv}", "newest-first", g_variant_new_boolean(TRUE));
    if (parse_u64(text + (*text == '#'), &id) >= 0 && id > 0)
        g_variant_builder_add(&builder, "{sv}", "cursor", g_variant_new_uint64(id));
    else if (*text)
        g_variant_builder_add(&builder, "{sv}", "label", g_variant_new_string(text));
    return g_variant_builder_end(&builder);
}

void task_search_ask(TaskSearch *self, const char *text) {
    DbusManager *manager = daemon_link_get_manager(self->link);

    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    if (!manager || daemon_link_get_state(self->link) != DAEMON_RUNNING)
        return;
    self->cancellable = g_cancellable_new();
    dbus_manager_call_list_tasks(manager, filter(text), self->cancellable, on_tasks, self);
}

/* ---- the object ---- */

static void dispose(GObject *object) {
    TaskSearch *self = LONGRUN_TASK_SEARCH(object);

    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    g_clear_object(&self->link);
    G_OBJECT_CLASS(task_search_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    g_ptr_array_unref(LONGRUN_TASK_SEARCH(object)->matches);
    G_OBJECT_CLASS(task_search_parent_class)->finalize(object);
}

static void task_search_class_init(TaskSearchClass *class) {
    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
}

static void task_search_init(TaskSearch *self) {
    self->matches = g_ptr_array_new_with_free_func(g_object_unref);
}

TaskSearch *task_search_new(DaemonLink *link) {
    TaskSearch *self = g_object_new(LONGRUN_TYPE_TASK_SEARCH, NULL);

    self->link = g_object_ref(link);
    return self;
}
