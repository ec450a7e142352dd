#include "client-gtk/messages/friend-row.h"

#include <glib/gi18n.h>

#include "client-gtk/messages/chat-time.h"
#include "client-gtk/messages/context-menu.h"

struct _FriendRow {
    AdwBin parent_instance;

    GMenuModel *menu;
    AdwAvatar *avatar;
    GtkLabel *title, *presence;
    GtkWidget *unread;
    FriendItem *item;
};

G_DEFINE_FINAL_TYPE(FriendRow, friend_row, ADW_TYPE_BIN)

/* ---- what it shows ---- */

static char *presence_of(FriendItem *item) {
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *seen = NULL;

    if (friend_item_get_online(item))
        return g_strdup(_("Online"));
    seen = chat_time(friend_item_get_last_seen(item), now);
    /* Translators: %s is a time, or date and time */
    return seen ? g_strdup_printf(_("Last seen: %s"), seen) : g_strdup(_("Offline"));
}

/* For those who do not see it; the list has a widget around the row that is the item of the list.
 */
static void describe(FriendRow *self, const char *presence) {
    GtkWidget *around = gtk_widget_get_parent(GTK_WIDGET(self));
    g_autofree char *words = NULL;

    if (!around)
        return;
    words = g_strjoin(", ", friend_item_get_name(self->item), presence,
                      friend_item_get_unread(self->item) ? _("New messages") : NULL, NULL);
    gtk_accessible_update_property(GTK_ACCESSIBLE(around), GTK_ACCESSIBLE_PROPERTY_LABEL, words,
                                   -1);
}

static void show(FriendRow *self) {
    g_autofree char *presence = presence_of(self->item);

    adw_avatar_set_text(self->avatar, friend_item_get_name(self->item));
    gtk_label_set_text(self->title, friend_item_get_name(self->item));
    gtk_label_set_text(self->presence, presence);
    gtk_widget_set_visible(self->unread, friend_item_get_unread(self->item));
    if (friend_item_get_unread(self->item))
        gtk_widget_add_css_class(GTK_WIDGET(self->title), "heading");
    else
        gtk_widget_remove_css_class(GTK_WIDGET(self->title), "heading");
    describe(self, presence);
}

void friend_row_set_item(FriendRow *self, FriendItem *item) {
    if (self->item)
        g_signal_handlers_disconnect_by_data(self->item, self);
    g_set_object(&self->item, item);
    if (!item)
        return;
    g_signal_connect_swapped(item, "notify", G_CALLBACK(show), self);
    show(self);
}

/* ---- the object ---- */

static void on_remove(GtkWidget *widget, const char *action, GVariant *unused) {
    FriendRow *self = LONGRUN_FRIEND_ROW(widget);

    if (self->item)
        gtk_widget_activate_action(widget, "friends.remove", "s", friend_item_get_name(self->item));
}

static void dispose(GObject *object) {
    FriendRow *self = LONGRUN_FRIEND_ROW(object);

    friend_row_set_item(self, NULL);
    context_menu_detach(GTK_WIDGET(self));
    adw_bin_set_child(ADW_BIN(self), NULL);
    G_OBJECT_CLASS(friend_row_parent_class)->dispose(object);
}

static void friend_row_class_init(FriendRowClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = dispose;
    gtk_widget_class_set_template_from_resource(widget,
                                                "/org/longrun/Longrun/messages/friend-row.ui");
    gtk_widget_class_bind_template_child(widget, FriendRow, menu);
    gtk_widget_class_bind_template_child(widget, FriendRow, avatar);
    gtk_widget_class_bind_template_child(widget, FriendRow, title);
    gtk_widget_class_bind_template_child(widget, FriendRow, presence);
    gtk_widget_class_bind_template_child(widget, FriendRow, unread);
    gtk_widget_class_install_action(widget, "friend.remove", NULL, on_remove);
}

static void friend_row_init(FriendRow *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
    context_menu_attach(GTK_WIDGET(self), self->menu);
}

GtkWidget *friend_row_new(void) {
    return g_object_new(LONGRUN_TYPE_FRIEND_ROW, NULL);
}
