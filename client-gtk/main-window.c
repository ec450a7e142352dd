#include "client-gtk/main-window.h"

#include <glib/gi18n.h>

#include "client-gtk/backends/backends-page.h"
#include "client-gtk/messages/messages-page.h"
#include "client-gtk/task/task-page.h"
#include "client-gtk/tasks/tasks-page.h"

struct _MainWindow {
    AdwApplicationWindow parent_instance;

    AdwLeaflet *leaflet;
    AdwBin *task_place;
    TasksPage *tasks;
    BackendsPage *backends;
    MessagesPage *messages;
    DaemonLink *link;
};

G_DEFINE_FINAL_TYPE(MainWindow, main_window, ADW_TYPE_APPLICATION_WINDOW)

/* ---- from page to page ---- */

void main_window_show_task(MainWindow *self, guint64 id) {
    adw_bin_set_child(self->task_place, task_page_new(self->link, id));
    adw_leaflet_set_visible_child_name(self->leaflet, "task");
}

static void on_back(GtkWidget *widget, const char *action, GVariant *unused) {
    MainWindow *self = LONGRUN_MAIN_WINDOW(widget);

    adw_leaflet_set_visible_child_name(self->leaflet, "lists");
    adw_bin_set_child(self->task_place, NULL);
}

/* ---- the object ---- */

static void dispose(GObject *object) {
    g_clear_object(&LONGRUN_MAIN_WINDOW(object)->link);
    G_OBJECT_CLASS(main_window_parent_class)->dispose(object);
}

static void main_window_class_init(MainWindowClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    g_type_ensure(LONGRUN_TYPE_TASKS_PAGE);
    g_type_ensure(LONGRUN_TYPE_BACKENDS_PAGE);
    g_type_ensure(LONGRUN_TYPE_MESSAGES_PAGE);
    G_OBJECT_CLASS(class)->dispose = dispose;
    gtk_widget_class_set_template_from_resource(widget, "/org/longrun/Longrun/main-window.ui");
    gtk_widget_class_bind_template_child(widget, MainWindow, leaflet);
    gtk_widget_class_bind_template_child(widget, MainWindow, task_place);
    gtk_widget_class_bind_template_child(widget, MainWindow, tasks);
    gtk_widget_class_bind_template_child(widget, MainWindow, backends);
    gtk_widget_class_bind_template_child(widget, MainWindow, messages);
    gtk_widget_class_install_action(widget, "win.back", NULL, on_back);
}

static void main_window_init(MainWindow *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
}

MainWindow *main_window_new(GtkApplication *app, DaemonLink *link) {
    MainWindow *self = g_object_new(LONGRUN_TYPE_MAIN_WINDOW, "application", app, NULL);

    self->link = g_object_ref(link);
    tasks_page_set_link(self->tasks, link);
    backends_page_set_link(self->backends, link);
    messages_page_set_link(self->messages, link);
    return self;
}
