#include "client-gtk/log/log-view.h"

struct _LogView {
    AdwBin parent_instance;

    DaemonLink *link;
};

G_DEFINE_FINAL_TYPE(LogView, log_view, ADW_TYPE_BIN)

GtkWidget *log_view_new(DaemonLink *link, guint64 id) {
    LogView *self = g_object_new(LONGRUN_TYPE_LOG_VIEW, NULL);

    log_view_set_task(self, link, id);
    return GTK_WIDGET(self);
}

void log_view_set_task(LogView *self, DaemonLink *link, guint64 id) {
    g_set_object(&self->link, link);
}

void log_view_search(LogView *self) {
}

static void log_view_dispose(GObject *object) {
    LogView *self = LONGRUN_LOG_VIEW(object);

    g_clear_object(&self->link);
    adw_bin_set_child(ADW_BIN(self), NULL);
    G_OBJECT_CLASS(log_view_parent_class)->dispose(object);
}

static void log_view_class_init(LogViewClass *class) {
    G_OBJECT_CLASS(class)->dispose = log_view_dispose;
    gtk_widget_class_set_template_from_resource(GTK_WIDGET_CLASS(class),
                                                "/org/longrun/Longrun/log/log-view.ui");
}

static void log_view_init(LogView *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
}
