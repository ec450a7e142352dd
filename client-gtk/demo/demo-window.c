#include "client-gtk/demo/demo-window.h"

struct _DemoWindow {
    AdwApplicationWindow parent_instance;

    DaemonLink *link;
};

G_DEFINE_FINAL_TYPE(DemoWindow, demo_window, ADW_TYPE_APPLICATION_WINDOW)

GtkWindow *demo_window_new(GtkApplication *app, DaemonLink *link) {
    DemoWindow *self = g_object_new(LONGRUN_TYPE_DEMO_WINDOW, "application", app, NULL);

    self->link = g_object_ref(link);
    return GTK_WINDOW(self);
}

static void demo_window_dispose(GObject *object) {
    DemoWindow *self = LONGRUN_DEMO_WINDOW(object);

    g_clear_object(&self->link);
    G_OBJECT_CLASS(demo_window_parent_class)->dispose(object);
}

static void demo_window_class_init(DemoWindowClass *class) {
    G_OBJECT_CLASS(class)->dispose = demo_window_dispose;
    gtk_widget_class_set_template_from_resource(GTK_WIDGET_CLASS(class),
                                                "/org/longrun/Longrun/demo/demo-window.ui");
}

static void demo_window_init(DemoWindow *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
}
