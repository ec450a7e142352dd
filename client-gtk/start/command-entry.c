#include "client-gtk/start/command-entry.h"

#include <glib/gi18n.h>

#include "client-gtk/start/command-line.h"
#include "client-gtk/start/dropped-files.h"
#include "client-gtk/start/wrap-layout.h"

#define CHIPS_MAX 60

struct _CommandEntry {
    GtkBox parent_instance;

    GtkEditable *entry;
    GtkMenuButton *button;
    GtkPopover *popover;
    GtkListBox *list;
    GtkWidget *chips, *shell;

    CommandHistory *history;
    int place;   /* in the history; -1: what is being written */
    char *draft; /* that, while the history is looked at */
    gboolean is_recalling;
};

G_DEFINE_FINAL_TYPE(CommandEntry, command_entry, GTK_TYPE_BOX)

/* ---- words ---- */

static void add_chip(CommandEntry *self, const char *text, const char *class) {
    GtkWidget *chip = gtk_label_new(text);

    gtk_label_set_ellipsize(GTK_LABEL(chip), PANGO_ELLIPSIZE_MIDDLE);
    gtk_label_set_single_line_mode(GTK_LABEL(chip), TRUE);
    gtk_widget_add_css_class(chip, class);
    gtk_box_append(GTK_BOX(self->chips), chip);
}

static void show_words(CommandEntry *self, GStrv argv) {
    GtkWidget *child;
    guint n = argv ? g_strv_length(argv) : 0;

    while ((child = gtk_widget_get_first_child(self->chips)))
        gtk_box_remove(GTK_BOX(self->chips), child);
    for (guint i = 0; i < MIN(n, CHIPS_MAX); i++) {
        g_autofree char *shown = command_line_shown(argv[i]);
        add_chip(self, *shown ? shown : "␀", "chip");
    }
    if (n > CHIPS_MAX) {
        g_autofree char *more =
            g_strdup_printf(ngettext("and %u more", "and %u more", n - CHIPS_MAX), n - CHIPS_MAX);
        add_chip(self, more, "dim-label");
    }
    gtk_widget_set_visible(self->chips, n > 0);
}

static void on_changed(CommandEntry *self) {
    g_autofree char *ignored = NULL;
    bool is_shell = false;
    g_auto(GStrv) argv =
        command_line_split(gtk_editable_get_text(self->entry), &is_shell, &ignored);

    show_words(self, argv);
    gtk_widget_set_visible(self->shell, argv && is_shell);
    if (!self->is_recalling)
        self->place = -1;
}

static void set_line(CommandEntry *self, const char *line) {
    gtk_editable_set_text(self->entry, line);
    gtk_editable_set_position(self->entry, -1);
}

static void on_shell(CommandEntry *self) {
    g_autofree char *line = command_line_in_shell(gtk_editable_get_text(self->entry));

    set_line(self, line);
    gtk_widget_grab_focus(GTK_WIDGET(self->entry));
}

static void on_dropped(gpointer data, const char *const *paths) {
    CommandEntry *self = data;
    g_autofree char *line = command_line_append(gtk_editable_get_text(self->entry), paths);

    set_line(self, line);
}

/* ---- history ---- */

static void recall(CommandEntry *self, int place) {
    const char *const *lines = command_history_lines(self->history);

    if (self->place < 0) {
        g_free(self->draft);
        self->draft = g_strdup(gtk_editable_get_text(self->entry));
    }
    self->is_recalling = TRUE;
    self->place = place;
    set_line(self, place < 0 ? self->draft : lines[place]);
    self->is_recalling = FALSE;
}

static gboolean on_key(CommandEntry *self, guint key, guint code, GdkModifierType state) {
    int n = (int)g_strv_length((char **)command_history_lines(self->history));

    if (state & (GDK_CONTROL_MASK | GDK_ALT_MASK | GDK_SHIFT_MASK))
        return FALSE;
    if (key == GDK_KEY_Up && self->place + 1 < n)
        recall(self, self->place + 1);
    else if (key == GDK_KEY_Down && self->place >= 0)
        recall(self, self->place - 1);
    else
        return FALSE;
    return TRUE;
}

static void on_row(CommandEntry *self, GtkListBoxRow *row) {
    const char *const *lines = command_history_lines(self->history);
    int i = gtk_list_box_row_get_index(row);

    gtk_popover_popdown(self->popover);
    if (i < (int)g_strv_length((char **)lines))
        set_line(self, lines[i]);
    gtk_widget_grab_focus(GTK_WIDGET(self->entry));
}

static void on_clear(CommandEntry *self) {
    gtk_popover_popdown(self->popover);
    command_history_clear(self->history);
}

static void on_history(CommandEntry *self) {
    const char *const *lines = command_history_lines(self->history);
    GtkWidget *row;

    while ((row = gtk_widget_get_first_child(GTK_WIDGET(self->list))))
        gtk_list_box_remove(self->list, row);
    for (const char *const *line = lines; *line; line++) {
        GtkWidget *label = gtk_label_new(*line);
        gtk_label_set_xalign(GTK_LABEL(label), 0);
        gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
        gtk_label_set_single_line_mode(GTK_LABEL(label), TRUE);
        gtk_widget_add_css_class(label, "monospace");
        gtk_list_box_append(self->list, label);
    }
    gtk_widget_set_sensitive(GTK_WIDGET(self->button), *lines != NULL);
    self->place = -1;
}

/* ---- the object ---- */

GtkEditable *command_entry_get_editable(CommandEntry *self) {
    return self->entry;
}

static void dispose(GObject *object) {
    CommandEntry *self = LONGRUN_COMMAND_ENTRY(object);

    if (self->history)
        g_signal_handlers_disconnect_by_data(self->history, self);
    g_clear_object(&self->history);
    g_clear_pointer(&self->draft, g_free);
    G_OBJECT_CLASS(command_entry_parent_class)->dispose(object);
}

static void command_entry_class_init(CommandEntryClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = dispose;
    gtk_widget_class_set_template_from_resource(widget,
                                                "/org/longrun/Longrun/start/command-entry.ui");
    gtk_widget_class_bind_template_child(widget, CommandEntry, entry);
    gtk_widget_class_bind_template_child(widget, CommandEntry, button);
    gtk_widget_class_bind_template_child(widget, CommandEntry, popover);
    gtk_widget_class_bind_template_child(widget, CommandEntry, list);
    gtk_widget_class_bind_template_child(widget, CommandEntry, chips);
    gtk_widget_class_bind_template_child(widget, CommandEntry, shell);
    gtk_widget_class_bind_template_callback(widget, on_changed);
    gtk_widget_class_bind_template_callback(widget, on_row);
    gtk_widget_class_bind_template_callback(widget, on_clear);
    gtk_widget_class_bind_template_callback(widget, on_shell);
}

/* Before the line itself, which has nowhere to go with them. */
static void listen_to_keys(CommandEntry *self) {
    GtkEventController *keys = gtk_event_controller_key_new();

    gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE);
    g_signal_connect_swapped(keys, "key-pressed", G_CALLBACK(on_key), self);
    gtk_widget_add_controller(GTK_WIDGET(self->entry), keys);
}

static void command_entry_init(CommandEntry *self) {
    self->place = -1;
    gtk_widget_init_template(GTK_WIDGET(self));
    gtk_widget_set_layout_manager(self->chips, wrap_layout_new(6));
    gtk_entry_set_max_length(GTK_ENTRY(self->entry), COMMAND_LINE_MAX);
    self->history = command_history_new(NULL);
    g_signal_connect_swapped(self->history, "changed", G_CALLBACK(on_history), self);
    listen_to_keys(self);
    dropped_files_accept(GTK_WIDGET(self->entry), on_dropped, self);
}

CommandEntry *command_entry_new(void) {
    return g_object_new(LONGRUN_TYPE_COMMAND_ENTRY, NULL);
}
