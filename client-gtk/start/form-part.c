#include "client-gtk/start/form-part.h"

#include <glib/gi18n.h>

struct _FormPart {
    GObject parent_instance;

    const Field *fields;
    gsize n;
    bool advanced;
    GtkWidget *place; /* not owned, nor are the rows */
    GPtrArray *rows;  /* NULL until they are made */
    DaemonLink *link;
    DaemonLists *lists;
};

G_DEFINE_FINAL_TYPE(FormPart, form_part, G_TYPE_OBJECT)

enum {
    CHANGED,
    ENTERED,
    N_SIGNALS
};
static guint signals[N_SIGNALS];

/* ---- rows ---- */

static void on_changed(FormPart *self, FieldRow *row) {
    g_signal_emit(self, signals[CHANGED], 0, row);
}

static void on_entered(FormPart *self) {
    g_signal_emit(self, signals[ENTERED], 0);
}

static void set_names(FormPart *self, FieldRow *row) {
    FieldType type = field_row_get_field(row)->type;

    if (type == FIELD_GROUP)
        field_row_set_names(row, daemon_lists_groups(self->lists));
    else if (type == FIELD_BACKEND)
        field_row_set_names(row, daemon_lists_backends(self->lists));
}

static void on_lists(FormPart *self) {
    for (guint i = 0; self->rows && i < self->rows->len; i++)
        set_names(self, g_ptr_array_index(self->rows, i));
}

static void add_row(FormPart *self, const Field *f) {
    FieldRow *row = field_row_new(f, self->link);

    g_ptr_array_add(self->rows, row);
    if (ADW_IS_EXPANDER_ROW(self->place))
        adw_expander_row_add_row(ADW_EXPANDER_ROW(self->place), GTK_WIDGET(row));
    else
        adw_preferences_group_add(ADW_PREFERENCES_GROUP(self->place), GTK_WIDGET(row));
    set_names(self, row);
    g_signal_connect_object(row, "changed", G_CALLBACK(on_changed), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(row, "entered", G_CALLBACK(on_entered), self, G_CONNECT_SWAPPED);
}

static void make_rows(FormPart *self) {
    if (self->rows)
        return;
    self->rows = g_ptr_array_new();
    for (gsize i = 0; i < self->n; i++)
        if (self->fields[i].advanced == self->advanced)
            add_row(self, &self->fields[i]);
}

static void on_expanded(FormPart *self) {
    if (self->rows)
        return;
    make_rows(self);
    g_signal_emit(self, signals[CHANGED], 0, NULL);
}

FieldRow *form_part_find(FormPart *self, const char *name) {
    for (gsize i = 0; i < self->n; i++)
        if (self->fields[i].advanced == self->advanced && g_str_equal(self->fields[i].name, name))
            make_rows(self);
    for (guint i = 0; self->rows && i < self->rows->len; i++) {
        FieldRow *row = g_ptr_array_index(self->rows, i);
        if (g_str_equal(field_row_get_field(row)->name, name))
            return row;
    }
    return NULL;
}

/* ---- what is in them ---- */

void form_part_collect(FormPart *self, FormValues *values) {
    for (guint i = 0; self->rows && i < self->rows->len; i++) {
        FieldRow *row = g_ptr_array_index(self->rows, i);
        g_autofree char *text = field_row_get_text(row);
        form_values_set(values, field_row_get_field(row)->name, text);
    }
}

static void update_summary(FormPart *self, const char *kind, FormValues *values) {
    g_autoptr(GString) names = g_string_new(NULL);
    gboolean any = FALSE;

    for (gsize i = 0; i < self->n; i++) {
        const Field *f = &self->fields[i];
        if (f->advanced != self->advanced || !field_applies(f, kind, values))
            continue;
        any = TRUE;
        if (field_is_set(f, form_value(values, f->name)))
            /* Translators: between titles of fields that are filled in. */
            g_string_append_printf(names, "%s%s", names->len > 0 ? _(", ") : "", _(f->title));
    }
    adw_expander_row_set_subtitle(ADW_EXPANDER_ROW(self->place), names->str);
    gtk_widget_set_visible(self->place, any);
}

void form_part_update(FormPart *self, const char *kind, FormValues *values) {
    for (guint i = 0; self->rows && i < self->rows->len; i++) {
        FieldRow *row = g_ptr_array_index(self->rows, i);
        gtk_widget_set_visible(GTK_WIDGET(row),
                               field_applies(field_row_get_field(row), kind, values));
    }
    if (ADW_IS_EXPANDER_ROW(self->place))
        update_summary(self, kind, values);
}

void form_part_clear_errors(FormPart *self) {
    for (guint i = 0; self->rows && i < self->rows->len; i++)
        field_row_set_error(g_ptr_array_index(self->rows, i), NULL);
}

/* ---- the object ---- */

FormPart *form_part_new(const Field *fields, gsize n, bool advanced, GtkWidget *place,
                        DaemonLink *link, DaemonLists *lists) {
    FormPart *self = g_object_new(LONGRUN_TYPE_FORM_PART, NULL);

    self->fields = fields;
    self->n = n;
    self->advanced = advanced;
    self->place = place;
    self->link = g_object_ref(link);
    self->lists = g_object_ref(lists);
    g_signal_connect_object(lists, "changed", G_CALLBACK(on_lists), self, G_CONNECT_SWAPPED);
    if (ADW_IS_EXPANDER_ROW(place))
        g_signal_connect_object(place, "notify::expanded", G_CALLBACK(on_expanded), self,
                                G_CONNECT_SWAPPED);
    else
        make_rows(self);
    return self;
}

static void dispose(GObject *object) {
    FormPart *self = LONGRUN_FORM_PART(object);

    g_clear_pointer(&self->rows, g_ptr_array_unref);
    g_clear_object(&self->link);
    g_clear_object(&self->lists);
    G_OBJECT_CLASS(form_part_parent_class)->dispose(object);
}

static void form_part_class_init(FormPartClass *class) {
    G_OBJECT_CLASS(class)->dispose = dispose;
    signals[CHANGED] = g_signal_new("changed", LONGRUN_TYPE_FORM_PART, G_SIGNAL_RUN_LAST, 0, NULL,
                                    NULL, NULL, G_TYPE_NONE, 1, LONGRUN_TYPE_FIELD_ROW);
    signals[ENTERED] = g_signal_new("entered", LONGRUN_TYPE_FORM_PART, G_SIGNAL_RUN_LAST, 0, NULL,
                                    NULL, NULL, G_TYPE_NONE, 0);
}

static void form_part_init(FormPart *self) {
}
