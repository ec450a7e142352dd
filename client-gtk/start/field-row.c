#include "client-gtk/start/field-row.h"

#include <glib/gi18n.h>

#include "client-gtk/start/field-control.h"

struct _FieldRow {
    AdwPreferencesRow parent_instance;

    GtkGrid *grid;
    GtkWidget *words;
    GtkLabel *title, *message;

    const Field *field;
    FieldControl *control;
};

G_DEFINE_FINAL_TYPE(FieldRow, field_row, ADW_TYPE_PREFERENCES_ROW)

enum {
    CHANGED,
    ENTERED,
    N_SIGNALS
};
static guint signals[N_SIGNALS];

/* ---- what it says ---- */

static void show_message(FieldRow *self, const char *text, gboolean is_error) {
    GtkWidget *message = GTK_WIDGET(self->message);

    gtk_label_set_text(self->message, text ? text : "");
    gtk_widget_set_visible(message, text != NULL);
    gtk_widget_remove_css_class(message, is_error ? "dim-label" : "error");
    gtk_widget_add_css_class(message, is_error ? "error" : "dim-label");
    field_control_describe(self->control, text, is_error);
}

void field_row_set_error(FieldRow *self, const char *message) {
    const char *hint = self->field->hint;

    if (message)
        show_message(self, message, TRUE);
    else
        show_message(self, hint ? _(hint) : NULL, FALSE);
}

/* ---- the value ---- */

const Field *field_row_get_field(FieldRow *self) {
    return self->field;
}

char *field_row_get_text(FieldRow *self) {
    return field_control_get_text(self->control);
}

void field_row_set_text(FieldRow *self, const char *text) {
    field_control_set_text(self->control, text);
}

void field_row_set_names(FieldRow *self, const char *const *names) {
    field_control_set_names(self->control, names);
}

void field_row_focus(FieldRow *self) {
    field_control_focus(self->control);
}

static void on_changed(FieldRow *self) {
    g_signal_emit(self, signals[CHANGED], 0);
}

static void on_entered(FieldRow *self) {
    g_signal_emit(self, signals[ENTERED], 0);
}

/* The control is where the keys go; the row itself has nothing to do. */
static gboolean focus(GtkWidget *widget, GtkDirectionType direction) {
    GtkWidget *child = gtk_list_box_row_get_child(GTK_LIST_BOX_ROW(widget));

    return child && gtk_widget_child_focus(child, direction);
}

/* ---- the object ---- */

/* What is short stands beside its title, all else below. */
static void place_control(FieldRow *self) {
    GtkWidget *widget = GTK_WIDGET(self->control);

    if (field_control_is_short(self->field)) {
        gtk_widget_set_valign(widget, GTK_ALIGN_CENTER);
        gtk_grid_attach(self->grid, widget, 1, 0, 1, 1);
    } else {
        gtk_widget_set_hexpand(widget, TRUE);
        gtk_grid_attach(self->grid, widget, 0, 1, 2, 1);
    }
}

FieldRow *field_row_new(const Field *f, DaemonLink *link) {
    FieldRow *self = g_object_new(LONGRUN_TYPE_FIELD_ROW, NULL);

    self->field = f;
    self->control = field_control_new(f, link);
    gtk_label_set_text(self->title, _(f->title));
    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL, _(f->title),
                                   -1);
    place_control(self);
    g_signal_connect_swapped(self->control, "changed", G_CALLBACK(on_changed), self);
    g_signal_connect_swapped(self->control, "entered", G_CALLBACK(on_entered), self);
    field_row_set_error(self, NULL);
    return self;
}

static void field_row_class_init(FieldRowClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    widget->focus = focus;
    signals[CHANGED] = g_signal_new("changed", LONGRUN_TYPE_FIELD_ROW, G_SIGNAL_RUN_LAST, 0, NULL,
                                    NULL, NULL, G_TYPE_NONE, 0);
    signals[ENTERED] = g_signal_new("entered", LONGRUN_TYPE_FIELD_ROW, G_SIGNAL_RUN_LAST, 0, NULL,
                                    NULL, NULL, G_TYPE_NONE, 0);
    gtk_widget_class_set_template_from_resource(widget, "/org/longrun/Longrun/start/field-row.ui");
    gtk_widget_class_bind_template_child(widget, FieldRow, grid);
    gtk_widget_class_bind_template_child(widget, FieldRow, words);
    gtk_widget_class_bind_template_child(widget, FieldRow, title);
    gtk_widget_class_bind_template_child(widget, FieldRow, message);
}

static void field_row_init(FieldRow *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
}
