#include "client-gtk/messages/message-window.h"

#include <glib/gi18n.h>

#include "client-gtk/messages/text-cut.h"

/* Characters of a line: the time for one word grows with the square of its length. */
#define LINE 1000

static void set_text(GtkTextBuffer *buffer, const char *text) {
    g_autoptr(GPtrArray) lines = text_pieces(text, LINE);
    g_autofree char *all = NULL;

    g_ptr_array_add(lines, NULL);
    all = g_strjoinv("\n", (char **)lines->pdata);
    gtk_text_buffer_set_text(buffer, all, -1);
}

static GtkWidget *view_new(const char *text) {
    GtkWidget *view = gtk_text_view_new(), *window = gtk_scrolled_window_new();
    GtkTextView *v = GTK_TEXT_VIEW(view);

    gtk_text_view_set_editable(v, FALSE);
    gtk_text_view_set_cursor_visible(v, FALSE);
    gtk_text_view_set_wrap_mode(v, GTK_WRAP_WORD_CHAR);
    gtk_text_view_set_left_margin(v, 12);
    gtk_text_view_set_right_margin(v, 12);
    gtk_text_view_set_top_margin(v, 12);
    gtk_text_view_set_bottom_margin(v, 12);
    gtk_accessible_update_property(GTK_ACCESSIBLE(view), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Message"), -1);
    set_text(gtk_text_view_get_buffer(v), text);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(window), view);
    gtk_widget_set_vexpand(window, TRUE);
    return window;
}

/* Escape closes it. */
static void add_keys(GtkWidget *window) {
    GtkEventController *controller = gtk_shortcut_controller_new();

    gtk_shortcut_controller_add_shortcut(GTK_SHORTCUT_CONTROLLER(controller),
                                         gtk_shortcut_new(gtk_keyval_trigger_new(GDK_KEY_Escape, 0),
                                                          gtk_named_action_new("window.close")));
    gtk_widget_add_controller(window, controller);
}

GtkWindow *message_window_new(GtkWindow *parent, MessageItem *item) {
    GtkWidget *window = adw_window_new(), *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);

    gtk_window_set_title(GTK_WINDOW(window), message_item_get_peer(item));
    gtk_window_set_transient_for(GTK_WINDOW(window), parent);
    gtk_window_set_default_size(GTK_WINDOW(window), 560, 480);
    gtk_box_append(GTK_BOX(box), adw_header_bar_new());
    gtk_box_append(GTK_BOX(box), view_new(message_item_get_content(item)));
    adw_window_set_content(ADW_WINDOW(window), box);
    add_keys(window);
    return GTK_WINDOW(window);
}
