#include "client-gtk/tasks/tasks-page.h"

struct _TasksPage {
    AdwBin parent_instance;

    DaemonLink *link;
};

G_DEFINE_FINAL_TYPE(TasksPage, tasks_page, ADW_TYPE_BIN)

void tasks_page_set_link(TasksPage *self, DaemonLink *link) {
    self->link = g_object_ref(link);
}

static void tasks_page_dispose(GObject *object) {
    TasksPage *self = LONGRUN_TASKS_PAGE(object);

    g_clear_object(&self->link);
    adw_bin_set_child(ADW_BIN(self), NULL);
    G_OBJECT_CLASS(tasks_page_parent_class)->dispose(object);
}

static void tasks_page_class_init(TasksPageClass *class) {
    G_OBJECT_CLASS(class)->dispose = tasks_page_dispose;
    gtk_widget_class_set_template_from_resource(GTK_WIDGET_CLASS(class),
                                                "/org/longrun/Longrun/tasks/tasks-page.ui");
}

static void tasks_page_init(TasksPage *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
}
