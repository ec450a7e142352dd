#include "client-gtk/demo/demo-window.h"

#include "client-gtk/demo/demo-compute.h"
#include "client-gtk/demo/demo-countdown.h"

struct _DemoWindow {
    AdwApplicationWindow parent_instance;

    DemoCountdown *countdown;
    DemoCompute *compute;
};

G_DEFINE_FINAL_TYPE(DemoWindow, demo_window, ADW_TYPE_APPLICATION_WINDOW)

GtkWindow *demo_window_new(GtkApplication *app, DaemonLink *link) {
    DemoWindow *self = g_object_new(LONGRUN_TYPE_DEMO_WINDOW, "application", app, NULL);

    demo_countdown_set_link(self->countdown, link);
    demo_compute_set_link(self->compute, link);
    return GTK_WINDOW(self);
}

static void demo_window_class_init(DemoWindowClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    g_type_ensure(LONGRUN_TYPE_DEMO_COMPUTE);
    g_type_ensure(LONGRUN_TYPE_DEMO_COUNTDOWN);
    gtk_widget_class_set_template_from_resource(widget, "/org/longrun/Longrun/demo/demo-window.ui");
    gtk_widget_class_bind_template_child(widget, DemoWindow, countdown);
    gtk_widget_class_bind_template_child(widget, DemoWindow, compute);
}

static void demo_window_init(DemoWindow *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
}
