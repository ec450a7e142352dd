#include "client-gtk/messages/messages-page.h"

#include <glib/gi18n.h>

#include "client-gtk/messages/chat-client.h"
#include "client-gtk/messages/conversation-pane.h"
#include "client-gtk/messages/friends-pane.h"
#include "client-gtk/messages/messenger-list.h"

struct _MessagesPage {
    AdwBin parent_instance;

    GtkStack *stack;
    AdwStatusPage *loading;
    GtkInfoBar *offline;
    GtkLabel *reason, *status;
    AdwLeaflet *leaflet;
    GtkDropDown *choice;
    FriendsPane *friends;
    ConversationPane *conversation;

    DaemonLink *link;
    MessengerList *messengers;
    GHashTable *clients; /* by path: those that were looked at, with drafts and all */
    ChatClient *client;  /* the one that is looked at */
};

G_DEFINE_FINAL_TYPE(MessagesPage, messages_page, ADW_TYPE_BIN)

/* ---- the messenger that is looked at ---- */

static void show_status(MessagesPage *self) {
    const char *text = chat_status_get_text(chat_client_get_status(self->client));

    gtk_label_set_text(self->status, text);
    gtk_widget_set_tooltip_text(GTK_WIDGET(self->status), text);
}

/* Of the two sides, where there is room for one only. Else the focus stays where it is. */
static void show_side(MessagesPage *self) {
    gboolean chosen = self->client && chat_client_get_conversation(self->client);

    if (adw_leaflet_get_folded(self->leaflet))
        adw_leaflet_set_visible_child_name(self->leaflet, chosen ? "conversation" : "friends");
}

static void show_client(MessagesPage *self) {
    const char *reason = chat_client_get_reason(self->client);

    gtk_info_bar_set_revealed(self->offline, chat_client_get_state(self->client) == CHAT_OFFLINE);
    gtk_label_set_text(self->reason, reason);
    gtk_widget_set_visible(GTK_WIDGET(self->reason), reason[0] != '\0');
    gtk_widget_action_set_enabled(GTK_WIDGET(self), "messages.reload",
                                  chat_client_get_state(self->client) != CHAT_ABSENT);
    show_side(self);
}

static void forget_client(MessagesPage *self) {
    if (!self->client)
        return;
    chat_client_set_shown(self->client, FALSE);
    g_signal_handlers_disconnect_by_data(chat_client_get_status(self->client), self);
    g_signal_handlers_disconnect_by_data(self->client, self);
    g_clear_object(&self->client);
}

static void set_client(MessagesPage *self, ChatClient *client) {
    if (self->client == client)
        return;
    forget_client(self);
    friends_pane_set_client(self->friends, client);
    conversation_pane_set_client(self->conversation, client);
    if (!client)
        return;
    self->client = g_object_ref(client);
    g_signal_connect_swapped(client, "changed", G_CALLBACK(show_client), self);
    g_signal_connect_swapped(chat_client_get_status(client), "notify::text",
                             G_CALLBACK(show_status), self);
    show_client(self);
    show_status(self);
    chat_client_set_shown(client, gtk_widget_get_mapped(GTK_WIDGET(self)));
}

/* ---- the choice of one ---- */

static gboolean is_running(MessagesPage *self) {
    return daemon_link_get_state(self->link) == DAEMON_RUNNING;
}

static ChatClient *client_of(MessagesPage *self, MessengerItem *item) {
    const char *path = messenger_item_get_path(item);
    ChatClient *client = g_hash_table_lookup(self->clients, path);

    if (client)
        return client;
    client = chat_client_new(daemon_link_get_connection(self->link), DAEMON_NAME,
                             messenger_item_get_name(item), path);
    chat_client_set_running(client, is_running(self));
    g_hash_table_insert(self->clients, g_strdup(path), client);
    return client;
}

static void on_chosen(MessagesPage *self) {
    MessengerItem *item = gtk_drop_down_get_selected_item(self->choice);

    set_client(self, item ? client_of(self, item) : NULL);
}

static gboolean is_gone(gpointer path, gpointer client, gpointer items) {
    return !item_list_find(items, path);
}

static void show_messengers(MessagesPage *self) {
    ItemList *items = messenger_list_get_items(self->messengers);
    const char *problem = messenger_list_get_problem(self->messengers);
    g_autofree char *escaped = g_markup_escape_text(problem ? problem : "", -1);
    const char *name = item_list_size(items) > 0                     ? "chat"
                       : messenger_list_get_loaded(self->messengers) ? "none"
                                                                     : "loading";

    adw_status_page_set_description(self->loading, escaped);
    gtk_stack_set_visible_child_name(self->stack, name);
    g_hash_table_foreach_remove(self->clients, is_gone, items);
}

/* ---- the daemon ---- */

static void on_state(MessagesPage *self) {
    GHashTableIter iter;
    gpointer client;

    g_hash_table_iter_init(&iter, self->clients);
    while (g_hash_table_iter_next(&iter, NULL, &client))
        chat_client_set_running(client, is_running(self));
    if (is_running(self))
        messenger_list_load(self->messengers, daemon_link_get_manager(self->link));
}

void messages_page_set_link(MessagesPage *self, DaemonLink *link) {
    self->link = g_object_ref(link);
    g_signal_connect_object(link, "notify::state", G_CALLBACK(on_state), self, G_CONNECT_SWAPPED);
    on_state(self);
}

/* ---- what the person does ---- */

static void on_reload(GtkWidget *widget, const char *action, GVariant *unused) {
    MessagesPage *self = LONGRUN_MESSAGES_PAGE(widget);

    if (self->client)
        chat_client_reload(self->client);
}

static void on_back(GtkWidget *widget, const char *action, GVariant *unused) {
    MessagesPage *self = LONGRUN_MESSAGES_PAGE(widget);

    if (self->client)
        chat_client_set_peer(self->client, NULL);
}

static void on_folded(MessagesPage *self) {
    conversation_pane_set_back(self->conversation, adw_leaflet_get_folded(self->leaflet));
    show_side(self);
}

static void map(GtkWidget *widget) {
    MessagesPage *self = LONGRUN_MESSAGES_PAGE(widget);

    GTK_WIDGET_CLASS(messages_page_parent_class)->map(widget);
    if (self->client)
        chat_client_set_shown(self->client, TRUE);
}

static void unmap(GtkWidget *widget) {
    MessagesPage *self = LONGRUN_MESSAGES_PAGE(widget);

    if (self->client)
        chat_client_set_shown(self->client, FALSE);
    GTK_WIDGET_CLASS(messages_page_parent_class)->unmap(widget);
}

/* ---- the object ---- */

static void dispose(GObject *object) {
    MessagesPage *self = LONGRUN_MESSAGES_PAGE(object);

    if (self->choice) {
        g_signal_handlers_disconnect_by_data(self->choice, self);
        g_signal_handlers_disconnect_by_data(self->leaflet, self);
        set_client(self, NULL);
        self->choice = NULL;
    }
    if (self->messengers)
        g_signal_handlers_disconnect_by_data(self->messengers, self);
    g_clear_pointer(&self->clients, g_hash_table_unref);
    g_clear_object(&self->messengers);
    g_clear_object(&self->link);
    adw_bin_set_child(ADW_BIN(self), NULL);
    G_OBJECT_CLASS(messages_page_parent_class)->dispose(object);
}

static void bind_children(GtkWidgetClass *widget) {
    gtk_widget_class_bind_template_child(widget, MessagesPage, stack);
    gtk_widget_class_bind_template_child(widget, MessagesPage, loading);
    gtk_widget_class_bind_template_child(widget, MessagesPage, offline);
    gtk_widget_class_bind_template_child(widget, MessagesPage, reason);
    gtk_widget_class_bind_template_child(widget, MessagesPage, status);
    gtk_widget_class_bind_template_child(widget, MessagesPage, leaflet);
    gtk_widget_class_bind_template_child(widget, MessagesPage, choice);
    gtk_widget_class_bind_template_child(widget, MessagesPage, friends);
    gtk_widget_class_bind_template_child(widget, MessagesPage, conversation);
}

static void messages_page_class_init(MessagesPageClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    g_type_ensure(LONGRUN_TYPE_MESSENGER_ITEM);
    g_type_ensure(LONGRUN_TYPE_FRIENDS_PANE);
    g_type_ensure(LONGRUN_TYPE_CONVERSATION_PANE);
    G_OBJECT_CLASS(class)->dispose = dispose;
    widget->map = map;
    widget->unmap = unmap;
    gtk_widget_class_set_template_from_resource(widget,
                                                "/org/longrun/Longrun/messages/messages-page.ui");
    bind_children(widget);
    gtk_widget_class_install_action(widget, "messages.back", NULL, on_back);
    gtk_widget_class_install_action(widget, "messages.reload", NULL, on_reload);
}

static void messages_page_init(MessagesPage *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
    self->clients = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_object_unref);
    self->messengers = messenger_list_new();
    gtk_drop_down_set_model(self->choice, G_LIST_MODEL(messenger_list_get_items(self->messengers)));
    g_signal_connect_swapped(self->messengers, "changed", G_CALLBACK(show_messengers), self);
    g_signal_connect_swapped(self->choice, "notify::selected-item", G_CALLBACK(on_chosen), self);
    g_signal_connect_swapped(self->leaflet, "notify::folded", G_CALLBACK(on_folded), self);
    show_messengers(self);
}
