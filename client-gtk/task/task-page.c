#include "client-gtk/task/task-page.h"

#include <glib/gi18n.h>
#include <inttypes.h>

#include "client-gtk/log/log-view.h"
#include "client-gtk/task/task-about.h"
#include "client-gtk/task/task-actions.h"
#include "client-gtk/task/task-head.h"
#include "client-gtk/task/task-progress.h"
#include "client-gtk/task/task-relations.h"
#include "client-gtk/task/task-result.h"
#include "client-gtk/task/task-talk.h"
#include "client-gtk/widgets/late-reveal.h"
#include "client-gtk/widgets/state-icon.h"

struct _TaskPage {
    AdwBin parent_instance;

    AdwWindowTitle *title;
    GtkStack *stack;
    AdwStatusPage *nothing;
    GtkRevealer *notice;
    AdwLeaflet *panes;
    AdwViewStack *views;
    AdwViewSwitcherBar *switcher_bar;
    TaskHead *head;
    TaskProgress *progress;
    TaskResult *result;
    TaskTalk *talk;
    TaskRelations *relations;
    TaskAbout *about;
    LogView *log;

    DaemonLink *link;
    TaskDetails *details;
    TaskLinks *links;
    TaskActions *actions;
};

G_DEFINE_FINAL_TYPE(TaskPage, task_page, ADW_TYPE_BIN)

/* ---- what is shown ---- */

/* The label is at the top of the overview: where that is not in view it is in the bar. */
static void show_title(TaskPage *self) {
    const char *label = task_props_string(task_details_get_props(self->details), "Label");
    const char *pane = adw_leaflet_get_visible_child_name(self->panes);
    gboolean log_alone =
        adw_leaflet_get_folded(self->panes) && g_strcmp0(pane, "log") == 0 && *label;
    g_autofree char *number =
        g_strdup_printf(_("Task %" PRIu64), task_details_get_id(self->details));

    adw_window_title_set_title(self->title, log_alone ? label : number);
    adw_window_title_set_subtitle(self->title, log_alone ? number : "");
}

static void show_nothing(TaskPage *self, TaskStanding standing) {
    gboolean gone = standing == TASK_STANDING_GONE;
    g_autofree char *reason = g_markup_escape_text(task_details_get_reason(self->details), -1);

    adw_status_page_set_icon_name(self->nothing,
                                  gone ? "edit-find-symbolic" : "dialog-error-symbolic");
    adw_status_page_set_title(self->nothing, gone ? _("No Such Task") : _("Not to Be Had"));
    adw_status_page_set_description(self->nothing, gone ? _("It was removed.") : reason);
    gtk_stack_set_visible_child_name(self->stack, "nothing");
}

static void show_moved(TaskPage *self) {
    if (!task_details_is_known(self->details))
        return;
    task_head_show(self->head, self->details);
    task_progress_show(self->progress, self->details);
}

/* What was known of a task that is gone stays in view, under a word about that. */
static void show_all(TaskPage *self) {
    TaskStanding standing = task_details_get_standing(self->details);

    gtk_revealer_set_reveal_child(self->notice, standing == TASK_STANDING_GONE &&
                                                    task_details_is_known(self->details));
    if (!task_details_is_known(self->details)) {
        if (standing == TASK_STANDING_GONE || standing == TASK_STANDING_FAILED)
            show_nothing(self, standing);
        return;
    }
    show_title(self);
    show_moved(self);
    task_result_show(self->result, self->details);
    task_talk_show(self->talk, self->details);
    task_relations_show(self->relations, self->details);
    task_about_show(self->about, self->details);
    gtk_stack_set_visible_child_name(self->stack, "task");
}

/* ---- keys, for which the window calls these ---- */

static void on_search(GtkWidget *widget, const char *action, GVariant *unused) {
    TaskPage *self = LONGRUN_TASK_PAGE(widget);

    adw_leaflet_set_visible_child_name(self->panes, "log");
    log_view_search(self->log);
}

static void on_reload(GtkWidget *widget, const char *action, GVariant *unused) {
    task_details_reload(LONGRUN_TASK_PAGE(widget)->details);
}

/* ---- the object ---- */

static void on_map(GtkWidget *widget) {
    GTK_WIDGET_CLASS(task_page_parent_class)->map(widget);
    task_details_set_awake(LONGRUN_TASK_PAGE(widget)->details, TRUE);
}

static void on_unmap(GtkWidget *widget) {
    task_details_set_awake(LONGRUN_TASK_PAGE(widget)->details, FALSE);
    GTK_WIDGET_CLASS(task_page_parent_class)->unmap(widget);
}

GtkWidget *task_page_new(DaemonLink *link, guint64 id) {
    TaskPage *self = g_object_new(LONGRUN_TYPE_TASK_PAGE, NULL);

    self->link = g_object_ref(link);
    self->details = task_details_new(link, id);
    self->links = task_links_new(self->details);
    self->actions = task_actions_new(GTK_WIDGET(self), self->details);
    task_relations_set_links(self->relations, self->links);
    log_view_set_task(self->log, link, id);
    g_signal_connect_swapped(self->panes, "notify::visible-child-name", G_CALLBACK(show_title),
                             self);
    g_signal_connect_swapped(self->panes, "notify::folded", G_CALLBACK(show_title), self);
    g_signal_connect_swapped(self->details, "changed", G_CALLBACK(show_all), self);
    g_signal_connect_swapped(self->details, "moved", G_CALLBACK(show_moved), self);
    show_title(self);
    show_all(self);
    return GTK_WIDGET(self);
}

static void task_page_dispose(GObject *object) {
    TaskPage *self = LONGRUN_TASK_PAGE(object);

    if (self->details)
        g_signal_handlers_disconnect_by_data(self->details, self);
    if (self->panes)
        g_signal_handlers_disconnect_by_data(self->panes, self);
    self->panes = NULL;
    adw_bin_set_child(ADW_BIN(self), NULL);
    gtk_widget_insert_action_group(GTK_WIDGET(self), "task", NULL);
    g_clear_object(&self->actions);
    g_clear_object(&self->links);
    g_clear_object(&self->details);
    g_clear_object(&self->link);
    G_OBJECT_CLASS(task_page_parent_class)->dispose(object);
}

static void ensure_types(void) {
    g_type_ensure(LONGRUN_TYPE_LOG_VIEW);
    g_type_ensure(LONGRUN_TYPE_TASK_HEAD);
    g_type_ensure(LONGRUN_TYPE_TASK_PROGRESS);
    g_type_ensure(LONGRUN_TYPE_TASK_RESULT);
    g_type_ensure(LONGRUN_TYPE_TASK_TALK);
    g_type_ensure(LONGRUN_TYPE_TASK_RELATIONS);
    g_type_ensure(LONGRUN_TYPE_TASK_ABOUT);
}

static void task_page_class_init(TaskPageClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    ensure_types();
    G_OBJECT_CLASS(class)->dispose = task_page_dispose;
    widget->map = on_map;
    widget->unmap = on_unmap;
    gtk_widget_class_install_action(widget, "page.search", NULL, on_search);
    gtk_widget_class_install_action(widget, "page.reload", NULL, on_reload);
    gtk_widget_class_set_template_from_resource(widget, "/org/longrun/Longrun/task/task-page.ui");
    gtk_widget_class_bind_template_child(widget, TaskPage, title);
    gtk_widget_class_bind_template_child(widget, TaskPage, stack);
    gtk_widget_class_bind_template_child(widget, TaskPage, nothing);
    gtk_widget_class_bind_template_child(widget, TaskPage, notice);
    gtk_widget_class_bind_template_child(widget, TaskPage, panes);
    gtk_widget_class_bind_template_child(widget, TaskPage, views);
    gtk_widget_class_bind_template_child(widget, TaskPage, switcher_bar);
    gtk_widget_class_bind_template_child(widget, TaskPage, head);
    gtk_widget_class_bind_template_child(widget, TaskPage, progress);
    gtk_widget_class_bind_template_child(widget, TaskPage, result);
    gtk_widget_class_bind_template_child(widget, TaskPage, talk);
    gtk_widget_class_bind_template_child(widget, TaskPage, relations);
    gtk_widget_class_bind_template_child(widget, TaskPage, about);
    gtk_widget_class_bind_template_child(widget, TaskPage, log);
}

/* The bar at the bottom, where there is room for one pane alone, speaks to a stack: the pages of
 * that are empty, and stand for the panes. */
static void task_page_init(TaskPage *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
    late_reveal_bind(self->panes, "folded", self->switcher_bar);
    g_object_bind_property(self->panes, "visible-child-name", self->views, "visible-child-name",
                           G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE);
}
