#include "client-gtk/start/field-helpers.h"

#include <glib/gi18n.h>

#include "client-gtk/start/dropped-files.h"
#include "client-gtk/start/task-chooser.h"
#include "client-gtk/start/time-chooser.h"

/* ---- files ---- */

/* All at once: there may be thousands, and each change of the text is a copy of all of it. */
static void take_paths(FieldControl *control, const char *const *paths) {
    g_autofree char *lines = NULL;

    if (!*paths)
        return;
    if (g_object_get_data(G_OBJECT(control), "many")) {
        lines = g_strjoinv("\n", (char **)paths);
        field_control_append(control, lines);
    } else
        field_control_set_text(control, *paths);
}

static void on_dropped(gpointer data, const char *const *paths) {
    take_paths(data, paths);
}

static void take_files(FieldControl *control, GtkFileChooser *chooser) {
    g_autoptr(GListModel) files = gtk_file_chooser_get_files(chooser);
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < g_list_model_get_n_items(files); i++) {
        g_autoptr(GFile) file = g_list_model_get_item(files, i);
        char *path = dropped_file_path(file);
        if (path)
            g_ptr_array_add(paths, path);
    }
    g_ptr_array_add(paths, NULL);
    take_paths(control, (const char *const *)paths->pdata);
}

static void on_response(GtkNativeDialog *dialog, int response, gpointer userdata) {
    if (response == GTK_RESPONSE_ACCEPT)
        take_files(userdata, GTK_FILE_CHOOSER(dialog));
    g_object_set_data(userdata, "chooser", NULL);
}

/* The control keeps the dialog while it is open. */
static void open_chooser(FieldControl *control, GtkFileChooserAction action, const char *title) {
    GtkRoot *root = gtk_widget_get_root(GTK_WIDGET(control));
    GtkFileChooserNative *chooser =
        gtk_file_chooser_native_new(title, GTK_WINDOW(root), action, NULL, NULL);

    if (action != GTK_FILE_CHOOSER_ACTION_SAVE)
        gtk_file_chooser_set_select_multiple(GTK_FILE_CHOOSER(chooser),
                                             g_object_get_data(G_OBJECT(control), "many") != NULL);
    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(chooser), TRUE);
    g_object_set_data_full(G_OBJECT(control), "chooser", chooser, g_object_unref);
    g_signal_connect_object(chooser, "response", G_CALLBACK(on_response), control, 0);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(chooser));
}

static void on_choose_file(GtkButton *button, gpointer userdata) {
    open_chooser(userdata, GTK_FILE_CHOOSER_ACTION_OPEN, _("Choose a File"));
}

static void on_choose_files(GtkButton *button, gpointer userdata) {
    open_chooser(userdata, GTK_FILE_CHOOSER_ACTION_OPEN, _("Choose Files"));
}

static void on_choose_folder(GtkButton *button, gpointer userdata) {
    open_chooser(userdata, GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, _("Choose a Folder"));
}

static void add_icon_button(FieldControl *control, const char *icon, const char *title,
                            GCallback on_clicked) {
    GtkWidget *button = gtk_button_new_from_icon_name(icon);

    gtk_widget_set_tooltip_text(button, title);
    gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL, title,
                                   -1);
    g_signal_connect(button, "clicked", on_clicked, control);
    gtk_box_append(GTK_BOX(control), button);
}

static void add_files(FieldControl *control) {
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    GtkWidget *files = gtk_button_new_with_label(_("Add Files…"));
    GtkWidget *folder = gtk_button_new_with_label(_("Add Folder…"));

    g_object_set_data(G_OBJECT(control), "many", control);
    g_signal_connect(files, "clicked", G_CALLBACK(on_choose_files), control);
    g_signal_connect(folder, "clicked", G_CALLBACK(on_choose_folder), control);
    gtk_box_append(GTK_BOX(box), files);
    gtk_box_append(GTK_BOX(box), folder);
    gtk_box_append(GTK_BOX(control), box);
    dropped_files_accept(GTK_WIDGET(control), on_dropped, control);
}

static void add_file(FieldControl *control) {
    add_icon_button(control, "document-open-symbolic", _("Choose a File…"),
                    G_CALLBACK(on_choose_file));
    dropped_files_accept(GTK_WIDGET(control), on_dropped, control);
}

static void add_folder(FieldControl *control) {
    add_icon_button(control, "folder-open-symbolic", _("Choose a Folder…"),
                    G_CALLBACK(on_choose_folder));
    dropped_files_accept(GTK_WIDGET(control), on_dropped, control);
}

/* ---- choosers in popovers ---- */

static void add_popover(FieldControl *control, GtkWidget *popover, const char *icon,
                        const char *title) {
    GtkWidget *button = gtk_menu_button_new();

    gtk_menu_button_set_icon_name(GTK_MENU_BUTTON(button), icon);
    gtk_menu_button_set_popover(GTK_MENU_BUTTON(button), popover);
    gtk_widget_set_tooltip_text(button, title);
    gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL, title,
                                   -1);
    gtk_box_append(GTK_BOX(control), button);
}

static void on_task(FieldControl *control, guint64 id) {
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, id);

    if (g_object_get_data(G_OBJECT(control), "many"))
        field_control_append(control, text);
    else
        field_control_set_text(control, text);
}

static void add_tasks(FieldControl *control, const Field *f, DaemonLink *link) {
    GtkWidget *chooser = task_chooser_new(link);

    if (f->type == FIELD_IDS)
        g_object_set_data(G_OBJECT(control), "many", control);
    g_signal_connect_swapped(chooser, "chosen", G_CALLBACK(on_task), control);
    add_popover(control, chooser, "edit-find-symbolic", _("Find a Task"));
}

static void on_time(FieldControl *control, const char *text) {
    field_control_set_text(control, text);
}

static void add_time(FieldControl *control) {
    GtkWidget *chooser = time_chooser_new();

    g_signal_connect_swapped(chooser, "chosen", G_CALLBACK(on_time), control);
    add_popover(control, chooser, "x-office-calendar-symbolic", _("Choose a Day"));
}

/* ---- by type ---- */

void field_helpers_add(FieldControl *control, const Field *f, DaemonLink *link) {
    if (f->type == FIELD_FILES)
        add_files(control);
    else if (f->type == FIELD_FILE)
        add_file(control);
    else if (f->type == FIELD_FOLDER)
        add_folder(control);
    else if (f->type == FIELD_ID || f->type == FIELD_IDS)
        add_tasks(control, f, link);
    else if (f->type == FIELD_TIME)
        add_time(control);
}
