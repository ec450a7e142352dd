#include "client-gtk/task/task-dialogs.h"

#include <glib/gi18n.h>

#define PRIORITY_LIMIT 1000000

static GtkWidget *dialog_new(GtkWidget *from, const char *heading, const char *body,
                             const char *verb, AdwResponseAppearance appearance) {
    GtkWidget *dialog =
        adw_message_dialog_new(GTK_WINDOW(gtk_widget_get_root(from)), heading, body);

    adw_message_dialog_add_responses(ADW_MESSAGE_DIALOG(dialog), "cancel", _("_Cancel"), "do", verb,
                                     NULL);
    adw_message_dialog_set_response_appearance(ADW_MESSAGE_DIALOG(dialog), "do", appearance);
    adw_message_dialog_set_default_response(ADW_MESSAGE_DIALOG(dialog), "do");
    return dialog;
}

GtkWidget *task_dialog_remove(GtkWidget *from, const char *label) {
    g_autofree char *body = g_strdup_printf(
        /* Translators: what a task is called */
        _("The daemon forgets “%s”, with its log and its result."), label);
    GtkWidget *dialog =
        dialog_new(from, _("Remove Task?"), body, _("_Remove"), ADW_RESPONSE_DESTRUCTIVE);

    adw_message_dialog_set_default_response(ADW_MESSAGE_DIALOG(dialog), "cancel");
    gtk_window_present(GTK_WINDOW(dialog));
    return dialog;
}

/* ---- a name ---- */

static void on_typed(GtkEditable *entry, GtkWidget *dialog) {
    adw_message_dialog_set_response_enabled(ADW_MESSAGE_DIALOG(dialog), "do",
                                            *gtk_editable_get_text(entry) != '\0');
    gtk_widget_remove_css_class(GTK_WIDGET(entry), "error");
}

GtkWidget *task_dialog_rename(GtkWidget *from, const char *label, const char *error) {
    GtkWidget *dialog =
        dialog_new(from, _("Rename Task"), error, _("_Rename"), ADW_RESPONSE_SUGGESTED);
    GtkWidget *entry = gtk_entry_new();

    gtk_editable_set_text(GTK_EDITABLE(entry), label);
    gtk_entry_set_activates_default(GTK_ENTRY(entry), TRUE);
    gtk_accessible_update_property(GTK_ACCESSIBLE(entry), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Name"),
                                   -1);
    if (*error)
        gtk_widget_add_css_class(entry, "error");
    g_signal_connect(entry, "changed", G_CALLBACK(on_typed), dialog);
    adw_message_dialog_set_extra_child(ADW_MESSAGE_DIALOG(dialog), entry);
    gtk_window_set_focus(GTK_WINDOW(dialog), entry);
    gtk_window_present(GTK_WINDOW(dialog));
    return dialog;
}

char *task_dialog_get_text(GtkWidget *dialog) {
    GtkWidget *entry = adw_message_dialog_get_extra_child(ADW_MESSAGE_DIALOG(dialog));

    return g_strdup(gtk_editable_get_text(GTK_EDITABLE(entry)));
}

/* ---- a number ---- */

GtkWidget *task_dialog_priority(GtkWidget *from, gint priority) {
    GtkWidget *dialog =
        dialog_new(from, _("Set Priority"),
                   _("Of tasks that wait, the one with the highest is started first."), _("_Set"),
                   ADW_RESPONSE_SUGGESTED);
    GtkWidget *spin = gtk_spin_button_new_with_range(-PRIORITY_LIMIT, PRIORITY_LIMIT, 1);

    gtk_spin_button_set_value(GTK_SPIN_BUTTON(spin), priority);
    gtk_accessible_update_property(GTK_ACCESSIBLE(spin), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Priority"), -1);
    adw_message_dialog_set_extra_child(ADW_MESSAGE_DIALOG(dialog), spin);
    gtk_window_present(GTK_WINDOW(dialog));
    return dialog;
}

gint task_dialog_get_number(GtkWidget *dialog) {
    GtkWidget *spin = adw_message_dialog_get_extra_child(ADW_MESSAGE_DIALOG(dialog));

    gtk_spin_button_update(GTK_SPIN_BUTTON(spin));
    return gtk_spin_button_get_value_as_int(GTK_SPIN_BUTTON(spin));
}
