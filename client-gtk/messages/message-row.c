#include "client-gtk/messages/message-row.h"

#include <glib/gi18n.h>

#include "client-gtk/messages/chat-time.h"
#include "client-gtk/messages/context-menu.h"
#include "client-gtk/messages/message-text.h"
#include "client-gtk/messages/message-window.h"
#include "client-gtk/messages/text-cut.h"

struct _MessageRow {
    AdwBin parent_instance;

    GMenuModel *menu;
    GtkWidget *bubble;
    GtkLabel *who, *time, *mark;
    MessageText *text;
    GtkWidget *more;
    MessageItem *item;
};

G_DEFINE_FINAL_TYPE(MessageRow, message_row, ADW_TYPE_BIN)

/* A text of 64 KiB takes its time; a list lays out many. */
static const TextCutMax shown_max = {.chars = 2000, .lines = 40};
static const TextCutMax spoken_max = {.chars = 200, .lines = 5};

MessageItem *message_row_get_item(MessageRow *self) {
    return self->item;
}

/* ---- what it shows ---- */

static char *name_of(MessageItem *item) {
    if (message_item_get_sent(item))
        return g_strdup(_("You:"));
    /* Translators: %s is the name of a friend; what they say follows */
    return g_strdup_printf(_("%s:"), message_item_get_peer(item));
}

char *message_row_describe(MessageItem *item) {
    g_autofree char *name = name_of(item);
    g_autofree char *text = text_cut(message_item_get_content(item), &spoken_max, NULL);

    return g_strconcat(name, " ", text, NULL);
}

static void show_mark(MessageRow *self) {
    gboolean delivered = message_item_get_delivered(self->item);
    const char *words = delivered ? _("Delivered") : _("Not delivered yet");

    gtk_widget_set_visible(GTK_WIDGET(self->mark), message_item_get_sent(self->item));
    gtk_label_set_text(self->mark, delivered ? "✓" : "⏳");
    gtk_widget_set_tooltip_text(GTK_WIDGET(self->mark), words);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->mark), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                   words, -1);
}

static void show_time(MessageRow *self) {
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *text = chat_time(message_item_get_time(self->item), now);

    gtk_label_set_text(self->time, text ? text : "");
}

static void show_text(MessageRow *self) {
    gboolean was_cut;
    g_autofree char *text = text_cut(message_item_get_content(self->item), &shown_max, &was_cut);

    message_text_set(self->text, text);
    gtk_widget_set_visible(self->more, was_cut);
}

static void show_side(MessageRow *self) {
    gboolean sent = message_item_get_sent(self->item);
    g_autofree char *name = name_of(self->item);

    gtk_label_set_text(self->who, name);
    gtk_widget_set_halign(self->bubble, sent ? GTK_ALIGN_END : GTK_ALIGN_START);
    if (sent)
        gtk_widget_add_css_class(self->bubble, "sent");
    else
        gtk_widget_remove_css_class(self->bubble, "sent");
}

void message_row_set_item(MessageRow *self, MessageItem *item) {
    if (self->item)
        g_signal_handlers_disconnect_by_data(self->item, self);
    g_set_object(&self->item, item);
    if (!item)
        return;
    g_signal_connect_swapped(item, "notify::delivered", G_CALLBACK(show_mark), self);
    show_side(self);
    show_text(self);
    show_time(self);
    show_mark(self);
}

/* ---- actions ---- */

static void on_copy(GtkWidget *widget, const char *action, GVariant *unused) {
    MessageRow *self = LONGRUN_MESSAGE_ROW(widget);

    if (self->item)
        gdk_clipboard_set_text(gtk_widget_get_clipboard(widget),
                               message_item_get_content(self->item));
}

static void on_delete(GtkWidget *widget, const char *action, GVariant *unused) {
    MessageRow *self = LONGRUN_MESSAGE_ROW(widget);

    if (self->item)
        gtk_widget_activate_action(widget, "conversation.delete-message", "s",
                                   message_item_get_id(self->item));
}

static void on_show_all(GtkWidget *widget, const char *action, GVariant *unused) {
    MessageRow *self = LONGRUN_MESSAGE_ROW(widget);

    if (!self->item)
        return;
    gtk_window_present(message_window_new(GTK_WINDOW(gtk_widget_get_root(widget)), self->item));
}

/* ---- the object ---- */

static void dispose(GObject *object) {
    MessageRow *self = LONGRUN_MESSAGE_ROW(object);

    message_row_set_item(self, NULL);
    context_menu_detach(GTK_WIDGET(self));
    adw_bin_set_child(ADW_BIN(self), NULL);
    G_OBJECT_CLASS(message_row_parent_class)->dispose(object);
}

static void message_row_class_init(MessageRowClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    g_type_ensure(LONGRUN_TYPE_MESSAGE_TEXT);
    G_OBJECT_CLASS(class)->dispose = dispose;
    gtk_widget_class_set_template_from_resource(widget,
                                                "/org/longrun/Longrun/messages/message-row.ui");
    gtk_widget_class_bind_template_child(widget, MessageRow, menu);
    gtk_widget_class_bind_template_child(widget, MessageRow, bubble);
    gtk_widget_class_bind_template_child(widget, MessageRow, who);
    gtk_widget_class_bind_template_child(widget, MessageRow, text);
    gtk_widget_class_bind_template_child(widget, MessageRow, more);
    gtk_widget_class_bind_template_child(widget, MessageRow, time);
    gtk_widget_class_bind_template_child(widget, MessageRow, mark);
    gtk_widget_class_install_action(widget, "message.copy", NULL, on_copy);
    gtk_widget_class_install_action(widget, "message.delete", NULL, on_delete);
    gtk_widget_class_install_action(widget, "message.show-all", NULL, on_show_all);
}

static void message_row_init(MessageRow *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
    context_menu_attach(GTK_WIDGET(self), self->menu);
}

GtkWidget *message_row_new(void) {
    return g_object_new(LONGRUN_TYPE_MESSAGE_ROW, NULL);
}
