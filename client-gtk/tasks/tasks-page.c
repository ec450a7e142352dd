#include "client-gtk/tasks/tasks-page.h"

#include <glib/gi18n.h>

#include "client-gtk/tasks/task-bulk.h"
#include "client-gtk/tasks/task-filter-bar.h"
#include "client-gtk/tasks/task-list.h"
#include "client-gtk/tasks/task-model.h"

struct _TasksPage {
    AdwBin parent_instance;

    TaskFilterBar *filter;
    GtkStack *stack;
    TaskList *list;
    AdwStatusPage *error;
    GtkButton *error_button;
    GtkActionBar *bar;
    GtkLabel *count;

    DaemonLink *link;
    TaskModel *model;
    TaskBulk *bulk;
    guint tick_timer; /* while it is seen */
    guint selection_idle;
};

G_DEFINE_FINAL_TYPE(TasksPage, tasks_page, ADW_TYPE_BIN)

/* ---- which of its faces it shows ---- */

static void show_error(TasksPage *self) {
    gboolean is_there = daemon_link_get_state(self->link) == DAEMON_RUNNING;
    const char *text =
        is_there ? task_model_get_error(self->model) : daemon_link_get_reason(self->link);
    g_autofree char *escaped = g_markup_escape_text(text, -1);

    adw_status_page_set_title(self->error, is_there ? _("Tasks Could Not Be Loaded")
                                                    : _("The Daemon Is Not Running"));
    adw_status_page_set_description(self->error, escaped);
    gtk_button_set_label(self->error_button, is_there ? _("Try Again") : _("Start Daemon"));
    gtk_stack_set_visible_child_name(self->stack, "error");
}

/* What was there stays in sight when the daemon is gone, or does not answer. */
static void show_face(TasksPage *self) {
    DaemonState state = daemon_link_get_state(self->link);
    TaskModelStatus status = task_model_get_status(self->model);

    if (g_list_model_get_n_items(G_LIST_MODEL(self->model)) > 0)
        gtk_stack_set_visible_child_name(self->stack, "list");
    else if (state == DAEMON_ABSENT || state == DAEMON_NO_BUS || status == TASK_MODEL_FAILED)
        show_error(self);
    else if (status == TASK_MODEL_LOADING)
        gtk_stack_set_visible_child_name(self->stack, "loading");
    else if (task_query_is_all(task_model_get_query(self->model)))
        gtk_stack_set_visible_child_name(self->stack, "empty");
    else
        gtk_stack_set_visible_child_name(self->stack, "nothing");
}

static void on_filter_changed(TasksPage *self) {
    task_model_set_query(self->model, task_filter_bar_get_states(self->filter),
                         task_filter_bar_get_group(self->filter),
                         task_filter_bar_get_text(self->filter));
}

/* ---- what is selected ---- */

static void enable(TasksPage *self, const char *action, gboolean on) {
    gtk_widget_action_set_enabled(GTK_WIDGET(self), action, on);
}

/* Of a hundred thousand that are selected many may change at once: they are looked at once. */
static gboolean show_selection(gpointer userdata) {
    TasksPage *self = userdata;
    gboolean any_ended, any_active;
    gboolean is_there = daemon_link_get_state(self->link) == DAEMON_RUNNING;
    guint n = task_list_count_selected(self->list);
    g_autofree char *text = g_strdup_printf(ngettext("%u selected", "%u selected", n), n);

    self->selection_idle = 0;
    task_list_sum_up(self->list, &any_ended, &any_active);
    enable(self, "tasks.cancel", is_there && any_active);
    enable(self, "tasks.retry", is_there && any_ended);
    enable(self, "tasks.remove", is_there && any_ended);
    gtk_label_set_text(self->count, text);
    gtk_action_bar_set_revealed(self->bar, n > 1 || task_list_get_selecting(self->list));
    return G_SOURCE_REMOVE;
}

static void on_selection_changed(TasksPage *self) {
    if (self->selection_idle == 0 && self->link)
        self->selection_idle = g_idle_add(show_selection, self);
}

static void do_selected(TasksPage *self, TaskBatchSort sort) {
    GArray *ids = task_list_get_selected(self->list, sort != TASK_BATCH_CANCEL);

    task_bulk_do(self->bulk, sort, ids);
    task_list_set_selecting(self->list, FALSE);
    gtk_selection_model_unselect_all(task_list_get_selection(self->list));
}

static void on_cancel(GtkWidget *widget, const char *action, GVariant *unused) {
    do_selected(LONGRUN_TASKS_PAGE(widget), TASK_BATCH_CANCEL);
}

static void on_retry(GtkWidget *widget, const char *action, GVariant *unused) {
    do_selected(LONGRUN_TASKS_PAGE(widget), TASK_BATCH_RETRY);
}

static void on_remove(GtkWidget *widget, const char *action, GVariant *unused) {
    do_selected(LONGRUN_TASKS_PAGE(widget), TASK_BATCH_REMOVE);
}

static gboolean on_escape(GtkWidget *widget, GVariant *unused, gpointer userdata) {
    TasksPage *self = LONGRUN_TASKS_PAGE(widget);

    if (!task_list_get_selecting(self->list))
        return FALSE;
    task_list_set_selecting(self->list, FALSE);
    return TRUE;
}

/* ---- actions ---- */

static void on_reload(GtkWidget *widget, const char *action, GVariant *unused) {
    TasksPage *self = LONGRUN_TASKS_PAGE(widget);

    if (daemon_link_get_state(self->link) == DAEMON_RUNNING)
        task_model_reload(self->model);
    else
        daemon_link_open(self->link);
}

static void on_show_all(GtkWidget *widget, const char *action, GVariant *unused) {
    task_filter_bar_reset(LONGRUN_TASKS_PAGE(widget)->filter);
}

static void on_search(GtkWidget *widget, const char *action, GVariant *unused) {
    task_filter_bar_search(LONGRUN_TASKS_PAGE(widget)->filter);
}

/* ---- the daemon ---- */

static void on_state(TasksPage *self) {
    gboolean is_there = daemon_link_get_state(self->link) == DAEMON_RUNNING;
    DbusManager *manager = is_there ? daemon_link_get_manager(self->link) : NULL;

    task_model_set_manager(self->model, manager);
    task_filter_bar_set_manager(self->filter, manager);
    show_face(self);
    on_selection_changed(self);
}

void tasks_page_set_link(TasksPage *self, DaemonLink *link) {
    self->link = g_object_ref(link);
    self->bulk = task_bulk_new(GTK_WIDGET(self), link, self->model);
    g_signal_connect_object(link, "notify::state", G_CALLBACK(on_state), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(self->model, "notify::status", G_CALLBACK(show_face), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(self->model, "items-changed", G_CALLBACK(show_face), self,
                            G_CONNECT_SWAPPED);
    on_state(self);
}

/* ---- the object ---- */

/* What is selected may have ended: no row comes or goes with that. */
static gboolean on_tick(gpointer userdata) {
    TasksPage *self = userdata;

    task_model_tick(self->model);
    if (task_list_count_selected(self->list) > 0)
        on_selection_changed(self);
    return G_SOURCE_CONTINUE;
}

static void map(GtkWidget *widget) {
    TasksPage *self = LONGRUN_TASKS_PAGE(widget);

    GTK_WIDGET_CLASS(tasks_page_parent_class)->map(widget);
    self->tick_timer = g_timeout_add_seconds(1, on_tick, self);
    task_model_refresh(self->model);
}

static void unmap(GtkWidget *widget) {
    g_clear_handle_id(&LONGRUN_TASKS_PAGE(widget)->tick_timer, g_source_remove);
    GTK_WIDGET_CLASS(tasks_page_parent_class)->unmap(widget);
}

/* The window closes: what was planned is done. */
static void unrealize(GtkWidget *widget) {
    TasksPage *self = LONGRUN_TASKS_PAGE(widget);

    if (self->bulk)
        task_bulk_settle(self->bulk);
    GTK_WIDGET_CLASS(tasks_page_parent_class)->unrealize(widget);
}

static void tasks_page_dispose(GObject *object) {
    TasksPage *self = LONGRUN_TASKS_PAGE(object);

    g_clear_object(&self->bulk);

    adw_bin_set_child(ADW_BIN(self), NULL);
    g_clear_handle_id(&self->selection_idle, g_source_remove);
    g_clear_object(&self->model);
    g_clear_object(&self->link);
    G_OBJECT_CLASS(tasks_page_parent_class)->dispose(object);
}

static void bind_children(GtkWidgetClass *widget) {
    gtk_widget_class_bind_template_child(widget, TasksPage, filter);
    gtk_widget_class_bind_template_child(widget, TasksPage, stack);
    gtk_widget_class_bind_template_child(widget, TasksPage, list);
    gtk_widget_class_bind_template_child(widget, TasksPage, error);
    gtk_widget_class_bind_template_child(widget, TasksPage, error_button);
    gtk_widget_class_bind_template_child(widget, TasksPage, bar);
    gtk_widget_class_bind_template_child(widget, TasksPage, count);
    gtk_widget_class_bind_template_callback(widget, on_filter_changed);
    gtk_widget_class_bind_template_callback(widget, on_selection_changed);
}

/* Those with "page" are called by the window, for its keys. */
static void install_actions(GtkWidgetClass *widget) {
    gtk_widget_class_install_action(widget, "page.reload", NULL, on_reload);
    gtk_widget_class_install_action(widget, "page.search", NULL, on_search);
    gtk_widget_class_install_action(widget, "tasks.show-all", NULL, on_show_all);
    gtk_widget_class_install_action(widget, "tasks.cancel", NULL, on_cancel);
    gtk_widget_class_install_action(widget, "tasks.retry", NULL, on_retry);
    gtk_widget_class_install_action(widget, "tasks.remove", NULL, on_remove);
    gtk_widget_class_add_binding_action(widget, GDK_KEY_Delete, 0, "tasks.remove", NULL);
    gtk_widget_class_add_binding(widget, GDK_KEY_Escape, 0, on_escape, NULL);
}

static void tasks_page_class_init(TasksPageClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    g_type_ensure(LONGRUN_TYPE_TASK_FILTER_BAR);
    g_type_ensure(LONGRUN_TYPE_TASK_LIST);
    G_OBJECT_CLASS(class)->dispose = tasks_page_dispose;
    widget->map = map;
    widget->unmap = unmap;
    widget->unrealize = unrealize;
    gtk_widget_class_set_template_from_resource(widget, "/org/longrun/Longrun/tasks/tasks-page.ui");
    bind_children(widget);
    install_actions(widget);
}

static void insert_list_actions(TasksPage *self) {
    g_autoptr(GSimpleActionGroup) group = g_simple_action_group_new();
    g_autoptr(GPropertyAction) select = g_property_action_new("select", self->list, "selecting");

    g_action_map_add_action(G_ACTION_MAP(group), G_ACTION(select));
    gtk_widget_insert_action_group(GTK_WIDGET(self), "task-list", G_ACTION_GROUP(group));
}

static void tasks_page_init(TasksPage *self) {
    self->model = task_model_new();
    gtk_widget_init_template(GTK_WIDGET(self));
    task_list_set_model(self->list, self->model);
    insert_list_actions(self);
}
