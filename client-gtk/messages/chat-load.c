#include <glib/gi18n.h>

#include "client-gtk/base/daemon-error.h"
#include "client-gtk/messages/chat-client-private.h"

/* Loads, and what the daemon tells everybody. Replies and signals come in the order in which the
 * daemon has sent them, so the last one is the newest. Each carries its peer: an answer that comes
 * late, when somebody else is looked at, goes where it belongs. */

/* A signal above this size may have left something out: see org.longrun.Longrun1.Messenger. */
#define MAYBE_NOT_ALL (640 * 1024)

#define ERROR_MSEC (10 * 1000)

typedef struct Load {
    ChatClient *client; /* not owned */
    Conversation *conversation;
} Load;

static void load_free(Load *l) {
    g_object_unref(l->conversation);
    g_free(l);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Load, load_free)

/* ---- friends ---- */

static void friends_are_there(ChatClient *self) {
    g_clear_pointer(&self->friends_problem, g_free);
    self->friends_loaded = TRUE;
    chat_client_changed(self);
}

static void on_friends(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GVariant) friends = NULL;
    g_autoptr(GError) error = NULL;
    ChatClient *self = userdata;

    dbus_messenger_call_load_friends_finish(DBUS_MESSENGER(source), &friends, result, &error);
    if (daemon_error_is_cancelled(error))
        return;
    self->friends_loading = FALSE;
    if (!error) {
        /* The signal comes before the reply, and says the same. */
        if (!self->friends_told)
            friend_list_take(self->friends, friends, FALSE);
        friends_are_there(self);
        return;
    }
    g_free(self->friends_problem);
    self->friends_problem = daemon_error_text(error);
    chat_client_changed(self);
}

void chat_client_load_friends(ChatClient *self) {
    if (!chat_client_is_ready(self) || self->friends_loading)
        return;
    self->friends_loading = TRUE;
    self->friends_told = FALSE;
    dbus_messenger_call_load_friends(self->messenger, self->cancellable, on_friends, self);
}

static void on_friends_loaded(ChatClient *self, GVariant *friends) {
    self->friends_told = friend_list_take(self->friends, friends, TRUE);
    friends_are_there(self);
}

/* ---- messages ---- */

static void take_messages(ChatClient *self, Conversation *c, GVariant *messages,
                          MessageListPart part) {
    const char *peer = conversation_get_peer(c);
    gboolean in_sight = self->shown && g_strcmp0(peer, self->peer) == 0;
    gboolean news = conversation_take(c, messages, part);
    FriendItem *friend = item_list_find(self->friends, peer);

    if (news && friend && !in_sight)
        friend_item_set_unread(friend, TRUE);
    chat_client_changed(self);
}

static void on_messages(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GVariant) messages = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Load) load = userdata;

    dbus_messenger_call_load_messages_finish(DBUS_MESSENGER(source), &messages, result, &error);
    if (daemon_error_is_cancelled(error))
        return;
    conversation_set_loading(load->conversation, FALSE);
    if (!error) {
        take_messages(load->client, load->conversation, messages, MESSAGE_LIST_ALL);
        return;
    }
    g_autofree char *problem = daemon_error_text(error);
    conversation_set_problem(load->conversation, problem);
    chat_client_changed(load->client);
}

void chat_client_load_messages(ChatClient *self, Conversation *c) {
    GVariantBuilder options;
    Load *load;

    if (!chat_client_is_ready(self) || conversation_get_loading(c))
        return;
    g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&options, "{sv}", "limit",
                          g_variant_new_uint32(conversation_get_limit(c)));
    load = g_new0(Load, 1);
    load->client = self;
    load->conversation = g_object_ref(c);
    conversation_set_loading(c, TRUE);
    dbus_messenger_call_load_messages(self->messenger, conversation_get_peer(c),
                                      g_variant_builder_end(&options), self->cancellable,
                                      on_messages, load);
}

void chat_client_load_older(ChatClient *self) {
    Conversation *c = chat_client_get_conversation(self);

    if (c && chat_client_is_ready(self) && !conversation_get_loading(c) &&
        conversation_raise_limit(c))
        chat_client_load_messages(self, c);
}

/* Fewer than we know, and all of them known but perhaps some at the end: older ones were deleted,
 * or another client has asked for fewer than we. Those of before stay until we have asked
 * ourselves. */
static gboolean are_fewer(Conversation *c, GVariant *messages) {
    ItemList *known = conversation_get_messages(c);
    gsize n = g_variant_n_children(messages);
    g_autoptr(GVariant) first = n > 0 ? g_variant_get_child_value(messages, 0) : NULL;
    const char *id = NULL;
    guint position;

    if (!first || n >= item_list_size(known) || !g_variant_lookup(first, "id", "&s", &id))
        return FALSE;
    position = item_list_position(known, id);
    return position > 0 && position != G_MAXUINT;
}

static void on_messages_loaded(ChatClient *self, const char *peer, GVariant *messages) {
    Conversation *c = chat_client_conversation_of(self, peer);
    gboolean cut = g_variant_get_size(messages) > MAYBE_NOT_ALL, fewer = are_fewer(c, messages);

    take_messages(self, c, messages, cut || fewer ? MESSAGE_LIST_LAST : MESSAGE_LIST_ALL);
    if (fewer && !cut && self->shown && c == chat_client_get_conversation(self))
        chat_client_load_messages(self, c);
}

/* ---- what else is told ---- */

/* As often as its status is asked for: friends come online and go. */
static void on_status_updated(ChatClient *self) {
    if (self->shown)
        chat_client_load_friends(self);
}

/* Of what somebody does, they get the answer themselves: here are only loads, by whomever. */
static void on_error(ChatClient *self, const char *message) {
    if (self->state != CHAT_ONLINE || !g_str_has_prefix(message, "Failed to load "))
        return;
    chat_status_say(self->status, ERROR_MSEC, g_strdup_printf(_("Error: %s"), message));
}

void chat_client_listen(ChatClient *self) {
    g_signal_connect_swapped(self->messenger, "friends-loaded", G_CALLBACK(on_friends_loaded),
                             self);
    g_signal_connect_swapped(self->messenger, "messages-loaded", G_CALLBACK(on_messages_loaded),
                             self);
    g_signal_connect_swapped(self->backend, "status-updated", G_CALLBACK(on_status_updated), self);
    g_signal_connect_swapped(self->backend, "error", G_CALLBACK(on_error), self);
}
