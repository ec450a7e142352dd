#include "client-gtk/task/task-relations.h"

#include <glib/gi18n.h>

#include "client-gtk/task/link-row.h"

struct _TaskRelations {
    AdwBin parent_instance;

    AdwPreferencesGroup *related_group, *children_group;
    GtkListBox *related, *children;
    GtkLabel *more;
    TaskLinks *links;
};

G_DEFINE_FINAL_TYPE(TaskRelations, task_relations, ADW_TYPE_BIN)

static GtkWidget *make_row(gpointer item, gpointer unused) {
    return link_row_new(item);
}

static void show_lists(TaskRelations *self) {
    guint related = g_list_model_get_n_items(task_links_get_related(self->links));
    guint children = g_list_model_get_n_items(task_links_get_children(self->links));

    gtk_widget_set_visible(GTK_WIDGET(self), related + children > 0);
    gtk_widget_set_visible(GTK_WIDGET(self->related_group), related > 0);
    gtk_widget_set_visible(GTK_WIDGET(self->children_group), children > 0);
    gtk_widget_set_visible(GTK_WIDGET(self->more), task_links_has_more_children(self->links));
}

void task_relations_set_links(TaskRelations *self, TaskLinks *links) {
    GListModel *related = task_links_get_related(links), *children = task_links_get_children(links);

    self->links = g_object_ref(links);
    gtk_list_box_bind_model(self->related, related, make_row, NULL, NULL);
    gtk_list_box_bind_model(self->children, children, make_row, NULL, NULL);
    g_signal_connect_object(related, "items-changed", G_CALLBACK(show_lists), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(children, "items-changed", G_CALLBACK(show_lists), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(links, "changed", G_CALLBACK(show_lists), self, G_CONNECT_SWAPPED);
    show_lists(self);
}

void task_relations_show(TaskRelations *self, TaskDetails *details) {
    gboolean series = task_props_is_series(task_details_get_props(details));

    adw_preferences_group_set_title(self->children_group, series ? _("Runs") : _("Children"));
}

static void dispose(GObject *object) {
    TaskRelations *self = LONGRUN_TASK_RELATIONS(object);

    adw_bin_set_child(ADW_BIN(self), NULL);
    g_clear_object(&self->links);
    G_OBJECT_CLASS(task_relations_parent_class)->dispose(object);
}

static void task_relations_class_init(TaskRelationsClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = dispose;
    gtk_widget_class_set_template_from_resource(widget,
                                                "/org/longrun/Longrun/task/task-relations.ui");
    gtk_widget_class_bind_template_child(widget, TaskRelations, related_group);
    gtk_widget_class_bind_template_child(widget, TaskRelations, children_group);
    gtk_widget_class_bind_template_child(widget, TaskRelations, related);
    gtk_widget_class_bind_template_child(widget, TaskRelations, children);
    gtk_widget_class_bind_template_child(widget, TaskRelations, more);
}

static void task_relations_init(TaskRelations *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
}
