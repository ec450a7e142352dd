#include "client-gtk/backends/backend-field-row.h"

#include <glib/gi18n.h>

struct BackendFieldRow {
    const BackendField *field;
    GtkWidget *row, *input; /* both may be the same */
    GtkWidget *error_row;
    GtkLabel *error;
};

/* ---- files ---- */

static void on_chosen(GtkNativeDialog *dialog, int response, GtkEditable *entry) {
    g_autoptr(GFile) file = NULL;

    if (response == GTK_RESPONSE_ACCEPT)
        file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
    if (file && g_file_peek_path(file))
        gtk_editable_set_text(entry, g_file_peek_path(file));
    gtk_native_dialog_destroy(dialog);
}

static void on_choose(GtkButton *button, GtkWidget *entry) {
    GtkFileChooserNative *dialog =
        gtk_file_chooser_native_new(_("Choose a File"), GTK_WINDOW(gtk_widget_get_root(entry)),
                                    GTK_FILE_CHOOSER_ACTION_OPEN, NULL, NULL);

    /* Lives until it has answered. */
    g_signal_connect_object(dialog, "response", G_CALLBACK(on_chosen), entry, 0);
    g_signal_connect(dialog, "response", G_CALLBACK(g_object_unref), NULL);
    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

static void add_chooser(GtkWidget *entry) {
    GtkWidget *button = gtk_button_new_from_icon_name("document-open-symbolic");

    gtk_widget_set_valign(button, GTK_ALIGN_CENTER);
    gtk_widget_add_css_class(button, "flat");
    gtk_widget_set_tooltip_text(button, _("Choose a File"));
    gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Choose a File"), -1);
    g_signal_connect_object(button, "clicked", G_CALLBACK(on_choose), entry, 0);
    adw_entry_row_add_suffix(ADW_ENTRY_ROW(entry), button);
}

/* ---- each form ---- */

static void make_entry(BackendFieldRow *self) {
    self->row = self->input = adw_entry_row_new();
    adw_entry_row_set_activates_default(ADW_ENTRY_ROW(self->row), TRUE);
    if (self->field->hint)
        gtk_widget_set_tooltip_text(self->row, _(self->field->hint));
    if (self->field->form == BACKEND_FIELD_FILE)
        add_chooser(self->row);
}

static void make_choice(BackendFieldRow *self) {
    GtkStringList *titles = gtk_string_list_new(NULL);

    for (guint i = 0; self->field->titles[i]; i++)
        gtk_string_list_append(titles, _(self->field->titles[i]));
    self->row = self->input = adw_combo_row_new();
    adw_combo_row_set_model(ADW_COMBO_ROW(self->row), G_LIST_MODEL(titles));
    g_object_unref(titles);
}

static void make_switch(BackendFieldRow *self) {
    self->row = adw_action_row_new();
    self->input = gtk_switch_new();
    gtk_switch_set_active(GTK_SWITCH(self->input), TRUE);
    gtk_widget_set_valign(self->input, GTK_ALIGN_CENTER);
    adw_action_row_add_suffix(ADW_ACTION_ROW(self->row), self->input);
    adw_action_row_set_activatable_widget(ADW_ACTION_ROW(self->row), self->input);
}

/* Tab goes on to the next field, as everywhere in a form. */
static void make_lines(BackendFieldRow *self) {
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    GtkWidget *title = gtk_label_new(_(self->field->title));

    self->row = adw_preferences_row_new();
    self->input = gtk_text_view_new();
    gtk_text_view_set_accepts_tab(GTK_TEXT_VIEW(self->input), FALSE);
    gtk_text_view_set_monospace(GTK_TEXT_VIEW(self->input), TRUE);
    gtk_widget_set_size_request(self->input, -1, 60);
    gtk_widget_set_tooltip_text(self->input, _(self->field->hint));
    gtk_widget_add_css_class(title, "caption");
    gtk_widget_add_css_class(title, "dim-label");
    gtk_label_set_xalign(GTK_LABEL(title), 0);
    gtk_widget_set_margin_top(box, 6);
    gtk_widget_set_margin_bottom(box, 6);
    gtk_widget_set_margin_start(box, 12);
    gtk_widget_set_margin_end(box, 12);
    gtk_box_append(GTK_BOX(box), title);
    gtk_box_append(GTK_BOX(box), self->input);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->input), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _(self->field->title), -1);
    gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(self->row), box);
    gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(self->row), FALSE);
}

static void make_row(BackendFieldRow *self) {
    switch (self->field->form) {
    case BACKEND_FIELD_CHOICE:
        make_choice(self);
        break;
    case BACKEND_FIELD_SWITCH:
        make_switch(self);
        break;
    case BACKEND_FIELD_LINES:
        make_lines(self);
        break;
    default:
        make_entry(self);
    }
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(self->row), _(self->field->title));
}

static void make_error(BackendFieldRow *self) {
    self->error = GTK_LABEL(gtk_label_new(NULL));
    gtk_label_set_xalign(self->error, 0);
    gtk_label_set_wrap(self->error, TRUE);
    gtk_label_set_wrap_mode(self->error, PANGO_WRAP_WORD_CHAR);
    gtk_label_set_selectable(self->error, TRUE);
    gtk_widget_add_css_class(GTK_WIDGET(self->error), "error");
    gtk_widget_set_margin_top(GTK_WIDGET(self->error), 6);
    gtk_widget_set_margin_bottom(GTK_WIDGET(self->error), 6);
    gtk_widget_set_margin_start(GTK_WIDGET(self->error), 12);
    gtk_widget_set_margin_end(GTK_WIDGET(self->error), 12);
    self->error_row = adw_preferences_row_new();
    gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(self->error_row), GTK_WIDGET(self->error));
    gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(self->error_row), FALSE);
    gtk_widget_set_visible(self->error_row, FALSE);
}

/* ---- the row ---- */

BackendFieldRow *backend_field_row_new(const BackendField *field, AdwPreferencesGroup *group) {
    BackendFieldRow *self = g_new0(BackendFieldRow, 1);

    self->field = field;
    make_row(self);
    make_error(self);
    adw_preferences_group_add(group, self->row);
    adw_preferences_group_add(group, self->error_row);
    return self;
}

const BackendField *backend_field_row_get_field(BackendFieldRow *self) {
    return self->field;
}

static char *text_of_view(GtkTextView *view) {
    GtkTextBuffer *buffer = gtk_text_view_get_buffer(view);
    GtkTextIter start, end;

    gtk_text_buffer_get_bounds(buffer, &start, &end);
    return gtk_text_buffer_get_text(buffer, &start, &end, FALSE);
}

char *backend_field_row_get_text(BackendFieldRow *self) {
    switch (self->field->form) {
    case BACKEND_FIELD_CHOICE:
        return g_strdup(
            self->field->choices[adw_combo_row_get_selected(ADW_COMBO_ROW(self->input))]);
    case BACKEND_FIELD_SWITCH:
        return g_strdup(gtk_switch_get_active(GTK_SWITCH(self->input)) ? "yes" : "no");
    case BACKEND_FIELD_LINES:
        return text_of_view(GTK_TEXT_VIEW(self->input));
    default:
        return g_strdup(gtk_editable_get_text(GTK_EDITABLE(self->input)));
    }
}

void backend_field_row_set_error(BackendFieldRow *self, const char *text) {
    /* First visible: of what is not, a screen reader is told no new text. */
    gtk_widget_set_visible(self->error_row, text != NULL);
    gtk_label_set_text(self->error, text ? text : "");
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->error), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   text ? text : "", -1);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->error_row), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   text ? text : "", -1);
    gtk_accessible_update_state(GTK_ACCESSIBLE(self->input), GTK_ACCESSIBLE_STATE_INVALID,
                                text ? GTK_ACCESSIBLE_INVALID_TRUE : GTK_ACCESSIBLE_INVALID_FALSE,
                                -1);
    if (text)
        gtk_widget_add_css_class(self->row, "error");
    else
        gtk_widget_remove_css_class(self->row, "error");
}

void backend_field_row_focus(BackendFieldRow *self) {
    gtk_widget_grab_focus(self->input);
}
