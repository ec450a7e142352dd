#include "client-gtk/backends/backend-row.h"

#include <glib/gi18n.h>

#include "client-gtk/backends/backend-state.h"

struct _BackendRow {
    GtkWidget parent_instance;

    GtkWidget *box;
    GtkImage *icon;
    GtkLabel *name, *url, *last_update, *latency;
    BackendItem *item;
};

G_DEFINE_FINAL_TYPE(BackendRow, backend_row, GTK_TYPE_WIDGET)

static void show_latency(BackendRow *self) {
    guint64 usec = backend_item_get_number(self->item, "Latency");
    g_autofree char *text = NULL;

    if (!backend_item_get_flag(self->item, "Polling"))
        text = g_strdup(_("Not polled"));
    else if (usec > 0)
        text = backend_format_latency((double)usec);
    gtk_label_set_text(self->latency, text ? text : "");
}

/* What is around it has the focus, and a screen reader begins there. */
static void name_list_item(BackendRow *self, const char *update) {
    GtkWidget *around = gtk_widget_get_parent(GTK_WIDGET(self));
    /* Translators: name of a backend, state, "Last update: 12:34:56" */
    g_autofree char *text = g_strdup_printf(_("%s, %s, %s"), backend_item_get_name(self->item),
                                            backend_state_title(self->item), update);

    if (around)
        gtk_accessible_update_property(GTK_ACCESSIBLE(around), GTK_ACCESSIBLE_PROPERTY_LABEL, text,
                                       -1);
}

static void show(BackendRow *self) {
    gboolean loaded = backend_item_is_loaded(self->item);
    g_autofree char *update = loaded ? backend_item_last_update(self->item) : g_strdup("");

    gtk_label_set_text(self->name, backend_item_get_name(self->item));
    gtk_label_set_text(self->url, backend_item_get_text(self->item, "Url"));
    gtk_label_set_text(self->last_update, update);
    gtk_label_set_text(self->latency, "");
    if (loaded)
        show_latency(self);
    backend_state_set_icon(self->icon, self->item);
    name_list_item(self, update);
}

void backend_row_set_item(BackendRow *self, BackendItem *item) {
    if (self->item)
        g_signal_handlers_disconnect_by_data(self->item, self);
    g_set_object(&self->item, item);
    if (!item)
        return;
    g_signal_connect_swapped(item, "changed", G_CALLBACK(show), self);
    show(self);
}

static void dispose(GObject *object) {
    BackendRow *self = LONGRUN_BACKEND_ROW(object);

    backend_row_set_item(self, NULL);
    g_clear_pointer(&self->box, gtk_widget_unparent);
    G_OBJECT_CLASS(backend_row_parent_class)->dispose(object);
}

static void backend_row_class_init(BackendRowClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = dispose;
    gtk_widget_class_set_template_from_resource(widget,
                                                "/org/longrun/Longrun/backends/backend-row.ui");
    gtk_widget_class_bind_template_child(widget, BackendRow, box);
    gtk_widget_class_bind_template_child(widget, BackendRow, icon);
    gtk_widget_class_bind_template_child(widget, BackendRow, name);
    gtk_widget_class_bind_template_child(widget, BackendRow, url);
    gtk_widget_class_bind_template_child(widget, BackendRow, last_update);
    gtk_widget_class_bind_template_child(widget, BackendRow, latency);
}

static void backend_row_init(BackendRow *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
}

GtkWidget *backend_row_new(void) {
    return g_object_new(LONGRUN_TYPE_BACKEND_ROW, NULL);
}
