#include "client-gtk/task/fact-row.h"

#define SHORT 28

struct _FactRow {
    AdwPreferencesRow parent_instance;

    GtkBox *box;
    GtkLabel *title, *value;
};

G_DEFINE_FINAL_TYPE(FactRow, fact_row, ADW_TYPE_PREFERENCES_ROW)

/* A long one has a line of its own. */
static void show_value(FactRow *self, const TaskFact *fact) {
    gboolean aside = !fact->is_code && g_utf8_strlen(fact->value, -1) <= SHORT;

    gtk_orientable_set_orientation(GTK_ORIENTABLE(self->box),
                                   aside ? GTK_ORIENTATION_HORIZONTAL : GTK_ORIENTATION_VERTICAL);
    gtk_label_set_xalign(self->value, aside ? 1 : 0);
    gtk_label_set_text(self->value, fact->value);
}

void fact_row_set(FactRow *self, const TaskFact *fact) {
    if (!g_str_equal(gtk_label_get_text(self->value), fact->value))
        show_value(self, fact);
}

static void dispose(GObject *object) {
    gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(object), NULL);
    G_OBJECT_CLASS(fact_row_parent_class)->dispose(object);
}

static void fact_row_class_init(FactRowClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = dispose;
    gtk_widget_class_set_template_from_resource(widget, "/org/longrun/Longrun/task/fact-row.ui");
    gtk_widget_class_bind_template_child(widget, FactRow, box);
    gtk_widget_class_bind_template_child(widget, FactRow, title);
    gtk_widget_class_bind_template_child(widget, FactRow, value);
}

static void fact_row_init(FactRow *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
}

GtkWidget *fact_row_new(const TaskFact *fact) {
    FactRow *self = g_object_new(LONGRUN_TYPE_FACT_ROW, "title", fact->title, NULL);

    gtk_label_set_text(self->title, fact->title);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->value), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                   fact->title, -1);
    if (fact->is_code)
        gtk_widget_add_css_class(GTK_WIDGET(self->value), "monospace");
    show_value(self, fact);
    return GTK_WIDGET(self);
}
