#include "client-gtk/start/field-control.h"

#include <glib/gi18n.h>

#include "client-gtk/start/command-entry.h"
#include "client-gtk/start/command-line.h"
#include "client-gtk/start/field-choice.h"
#include "client-gtk/start/field-helpers.h"
#include "common/parse.h"

#define TEXT_HEIGHT 84

struct _FieldControl {
    GtkBox parent_instance;

    const Field *field;
    GtkWidget *input; /* the widget that has the value, one of: */
    GtkEditable *line;
    GtkTextBuffer *text;
    GtkSwitch *toggle;
    FieldChoice *choice;
};

G_DEFINE_FINAL_TYPE(FieldControl, field_control, GTK_TYPE_BOX)

enum {
    CHANGED,
    ENTERED,
    N_SIGNALS
};
static guint signals[N_SIGNALS];

bool field_control_is_short(const Field *f) {
    switch (f->type) {
    case FIELD_NUMBER:
    case FIELD_DECIMAL:
    case FIELD_OCTAL:
    case FIELD_SPAN:
    case FIELD_MSEC:
    case FIELD_SIZE:
    case FIELD_SWITCH:
    case FIELD_CHOICE:
    case FIELD_GROUP:
    case FIELD_BACKEND:
        return true;
    default:
        return false;
    }
}

static bool is_long(const Field *f) {
    return f->type == FIELD_MESSAGE || f->type == FIELD_LINES || f->type == FIELD_ENV ||
           f->type == FIELD_HEADERS || f->type == FIELD_JSON || f->type == FIELD_FILES;
}

static void on_changed(FieldControl *self) {
    g_signal_emit(self, signals[CHANGED], 0);
}

static void on_entered(FieldControl *self) {
    g_signal_emit(self, signals[ENTERED], 0);
}

/* ---- the value ---- */

char *field_control_get_text(FieldControl *self) {
    GtkTextIter start, end;

    if (self->toggle)
        return g_strdup(gtk_switch_get_active(self->toggle) ? "yes" : "no");
    if (self->choice)
        return g_strdup(field_choice_get(self->choice));
    if (self->line)
        return g_strdup(gtk_editable_get_text(self->line));
    gtk_text_buffer_get_bounds(self->text, &start, &end);
    return gtk_text_buffer_get_text(self->text, &start, &end, TRUE);
}

void field_control_set_text(FieldControl *self, const char *text) {
    bool on = false;

    if (self->toggle)
        gtk_switch_set_active(self->toggle, parse_bool(text, &on) >= 0 && on);
    else if (self->choice)
        field_choice_set(self->choice, text);
    else if (self->line)
        gtk_editable_set_text(self->line, text);
    else
        gtk_text_buffer_set_text(self->text, text, -1);
}

void field_control_append(FieldControl *self, const char *more) {
    g_autofree char *text = field_control_get_text(self), *all = NULL;
    const char *between = self->line ? ", " : "\n";

    g_strchomp(text);
    all = *text ? g_strconcat(text, between, more, NULL) : g_strdup(more);
    field_control_set_text(self, all);
}

void field_control_set_names(FieldControl *self, const char *const *names) {
    if (self->choice)
        field_choice_set_names(self->choice, names);
}

/* ---- making ---- */

static void add_input(FieldControl *self, GtkWidget *shown, GtkWidget *input) {
    self->input = input;
    gtk_accessible_update_property(GTK_ACCESSIBLE(input), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _(self->field->title), -1);
    gtk_widget_set_hexpand(shown, TRUE);
    gtk_box_append(GTK_BOX(self), shown);
}

static void add_line(FieldControl *self) {
    GtkWidget *entry = gtk_entry_new();

    gtk_entry_set_max_length(GTK_ENTRY(entry), COMMAND_LINE_MAX);
    if (field_control_is_short(self->field))
        gtk_editable_set_width_chars(GTK_EDITABLE(entry), 10);
    self->line = GTK_EDITABLE(entry);
    g_signal_connect_swapped(entry, "activate", G_CALLBACK(on_entered), self);
    add_input(self, entry, entry);
    g_signal_connect_swapped(entry, "changed", G_CALLBACK(on_changed), self);
}

static void add_command(FieldControl *self) {
    CommandEntry *command = command_entry_new();

    self->line = command_entry_get_editable(command);
    add_input(self, GTK_WIDGET(command), GTK_WIDGET(self->line));
    g_signal_connect_swapped(self->line, "changed", G_CALLBACK(on_changed), self);
    g_signal_connect_swapped(self->line, "activate", G_CALLBACK(on_entered), self);
}

static void add_text(FieldControl *self) {
    GtkWidget *view = gtk_text_view_new(), *scroller = gtk_scrolled_window_new();

    gtk_text_view_set_accepts_tab(GTK_TEXT_VIEW(view), FALSE);
    gtk_text_view_set_monospace(GTK_TEXT_VIEW(view), TRUE);
    gtk_text_view_set_top_margin(GTK_TEXT_VIEW(view), 6);
    gtk_text_view_set_bottom_margin(GTK_TEXT_VIEW(view), 6);
    gtk_text_view_set_left_margin(GTK_TEXT_VIEW(view), 6);
    gtk_text_view_set_right_margin(GTK_TEXT_VIEW(view), 6);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroller), view);
    gtk_scrolled_window_set_has_frame(GTK_SCROLLED_WINDOW(scroller), TRUE);
    gtk_scrolled_window_set_min_content_height(GTK_SCROLLED_WINDOW(scroller), TEXT_HEIGHT);
    self->text = gtk_text_view_get_buffer(GTK_TEXT_VIEW(view));
    add_input(self, scroller, view);
    g_signal_connect_swapped(self->text, "changed", G_CALLBACK(on_changed), self);
}

static void add_switch(FieldControl *self) {
    self->toggle = GTK_SWITCH(gtk_switch_new());
    add_input(self, GTK_WIDGET(self->toggle), GTK_WIDGET(self->toggle));
    gtk_widget_set_halign(GTK_WIDGET(self->toggle), GTK_ALIGN_END);
    g_signal_connect_swapped(self->toggle, "notify::active", G_CALLBACK(on_changed), self);
}

static void add_choice(FieldControl *self) {
    self->choice = field_choice_new(self->field);
    add_input(self, GTK_WIDGET(self->choice), field_choice_get_input(self->choice));
    g_signal_connect_swapped(self->choice, "changed", G_CALLBACK(on_changed), self);
}

static void add_control(FieldControl *self) {
    FieldType type = self->field->type;

    if (type == FIELD_SWITCH)
        add_switch(self);
    else if (type == FIELD_CHOICE || type == FIELD_GROUP || type == FIELD_BACKEND)
        add_choice(self);
    else if (type == FIELD_COMMAND)
        add_command(self);
    else if (is_long(self->field))
        add_text(self);
    else
        add_line(self);
}

FieldControl *field_control_new(const Field *f, DaemonLink *link) {
    FieldControl *self = g_object_new(LONGRUN_TYPE_FIELD_CONTROL, "spacing", 6, NULL);

    self->field = f;
    add_control(self);
    if (is_long(f))
        gtk_orientable_set_orientation(GTK_ORIENTABLE(self), GTK_ORIENTATION_VERTICAL);
    field_helpers_add(self, f, link);
    if (f->initial)
        field_control_set_text(self, f->initial);
    return self;
}

/* ---- to screen readers, and the keyboard ---- */

void field_control_describe(FieldControl *self, const char *message, gboolean is_error) {
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->input), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                   message ? message : "", -1);
    gtk_accessible_update_state(
        GTK_ACCESSIBLE(self->input), GTK_ACCESSIBLE_STATE_INVALID,
        is_error ? GTK_ACCESSIBLE_INVALID_TRUE : GTK_ACCESSIBLE_INVALID_FALSE, -1);
    if (is_error)
        gtk_widget_add_css_class(self->input, "error");
    else
        gtk_widget_remove_css_class(self->input, "error");
}

void field_control_focus(FieldControl *self) {
    gtk_widget_grab_focus(self->input);
    if (self->line)
        gtk_editable_set_position(self->line, -1);
}

/* ---- the object ---- */

static void field_control_class_init(FieldControlClass *class) {
    signals[CHANGED] = g_signal_new("changed", LONGRUN_TYPE_FIELD_CONTROL, G_SIGNAL_RUN_LAST, 0,
                                    NULL, NULL, NULL, G_TYPE_NONE, 0);
    signals[ENTERED] = g_signal_new("entered", LONGRUN_TYPE_FIELD_CONTROL, G_SIGNAL_RUN_LAST, 0,
                                    NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void field_control_init(FieldControl *self) {
}
