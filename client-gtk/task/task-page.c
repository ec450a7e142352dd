#include "client-gtk/task/task-page.h"

struct _TaskPage {
    AdwBin parent_instance;

    DaemonLink *link;
};

G_DEFINE_FINAL_TYPE(TaskPage, task_page, ADW_TYPE_BIN)

GtkWidget *task_page_new(DaemonLink *link, guint64 id) {
    TaskPage *self = g_object_new(LONGRUN_TYPE_TASK_PAGE, NULL);

    self->link = g_object_ref(link);
    return GTK_WIDGET(self);
}

static void task_page_dispose(GObject *object) {
    TaskPage *self = LONGRUN_TASK_PAGE(object);

    g_clear_object(&self->link);
    adw_bin_set_child(ADW_BIN(self), NULL);
    G_OBJECT_CLASS(task_page_parent_class)->dispose(object);
}

static void task_page_class_init(TaskPageClass *class) {
    G_OBJECT_CLASS(class)->dispose = task_page_dispose;
    gtk_widget_class_set_template_from_resource(GTK_WIDGET_CLASS(class),
                                                "/org/longrun/Longrun/task/task-page.ui");
}

static void task_page_init(TaskPage *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
}
