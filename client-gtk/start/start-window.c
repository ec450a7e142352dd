#include "client-gtk/start/start-window.h"

struct _StartWindow {
    AdwWindow parent_instance;

    DaemonLink *link;
};

G_DEFINE_FINAL_TYPE(StartWindow, start_window, ADW_TYPE_WINDOW)

GtkWindow *start_window_new(GtkApplication *app, DaemonLink *link) {
    StartWindow *self = g_object_new(LONGRUN_TYPE_START_WINDOW, "application", app, NULL);

    self->link = g_object_ref(link);
    return GTK_WINDOW(self);
}

static void start_window_dispose(GObject *object) {
    StartWindow *self = LONGRUN_START_WINDOW(object);

    g_clear_object(&self->link);
    G_OBJECT_CLASS(start_window_parent_class)->dispose(object);
}

static void start_window_class_init(StartWindowClass *class) {
    G_OBJECT_CLASS(class)->dispose = start_window_dispose;
    gtk_widget_class_set_template_from_resource(GTK_WIDGET_CLASS(class),
                                                "/org/longrun/Longrun/start/start-window.ui");
}

static void start_window_init(StartWindow *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
}
