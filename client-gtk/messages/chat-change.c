#include <glib/gi18n.h>

#include "client-gtk/base/daemon-error.h"
#include "client-gtk/messages/chat-client-private.h"

/* What the person does: the answer is told in the status bar. The daemon loads the lists again that
 * it changes. */

#define SENT_MSEC (3 * 1000)
#define SAID_MSEC (10 * 1000)

typedef struct Change {
    ChatClient *client;         /* not owned */
    Conversation *conversation; /* or NULL */
    char *name;                 /* or NULL */
} Change;

static Change *change_new(ChatClient *self, const char *name) {
    Change *c = g_new0(Change, 1);

    c->client = self;
    c->name = g_strdup(name);
    return c;
}

static void change_free(Change *c) {
    g_clear_object(&c->conversation);
    g_free(c->name);
    g_free(c);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Change, change_free)

/* "Failed to send message: no such user" without what we say ourselves. */
static char *words_of(const GError *error, const char *prefix) {
    g_autofree char *text = daemon_error_text(error);

    return g_strdup(g_str_has_prefix(text, prefix) ? text + strlen(prefix) : text);
}

/* ---- messages ---- */

static void sent(ChatClient *self, GVariant *message) {
    gboolean delivered = FALSE;

    g_variant_lookup(message, "delivered", "b", &delivered);
    chat_status_say(self->status, SENT_MSEC,
                    /* Translators: the mark says that it was delivered, or (⏳) that it waits */
                    g_strdup_printf(_("Message sent %s"), delivered ? "✓" : "⏳"));
}

static void on_sent(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GVariant) message = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Change) c = userdata;

    dbus_messenger_call_send_message_finish(DBUS_MESSENGER(source), &message, result, &error);
    if (daemon_error_is_cancelled(error))
        return;
    if (!error) {
        conversation_set_sending(c->conversation, NULL);
        sent(c->client, message);
        return;
    }
    g_autofree char *words = words_of(error, "Failed to send message: ");
    conversation_sending_failed(c->conversation);
    chat_status_say(c->client->status, SAID_MSEC, g_strdup_printf(_("Send failed: %s"), words));
}

static gboolean is_blank(const char *text) {
    for (; *text; text = g_utf8_next_char(text))
        if (!g_unichar_isspace(g_utf8_get_char(text)))
            return FALSE;
    return TRUE;
}

gboolean chat_client_send(ChatClient *self, const char *text) {
    Conversation *conversation = chat_client_get_conversation(self);
    Change *c;

    if (!conversation || !chat_client_is_ready(self) || conversation_get_sending(conversation) ||
        is_blank(text))
        return FALSE;
    c = change_new(self, NULL);
    c->conversation = g_object_ref(conversation);
    dbus_messenger_call_send_message(self->messenger, self->peer, text, self->cancellable, on_sent,
                                     c);
    conversation_set_sending(conversation, text);
    conversation_set_draft(conversation, "");
    return TRUE;
}

/* The daemon loads those with CurrentPeer. */
static void on_deleted(GObject *source, GAsyncResult *result, gpointer userdata) {
    DbusMessenger *messenger = DBUS_MESSENGER(source);
    g_autoptr(GError) error = NULL;
    g_autoptr(Change) c = userdata;

    dbus_messenger_call_delete_message_finish(messenger, result, &error);
    if (daemon_error_is_cancelled(error))
        return;
    if (!error) {
        if (g_strcmp0(dbus_messenger_get_current_peer(messenger),
                      conversation_get_peer(c->conversation)) != 0)
            chat_client_load_messages(c->client, c->conversation);
        return;
    }
    g_autofree char *words = daemon_error_text(error);
    chat_status_say(c->client->status, SAID_MSEC, g_strdup_printf(_("Error: %s"), words));
}

void chat_client_delete_message(ChatClient *self, const char *id) {
    Conversation *conversation = chat_client_get_conversation(self);
    Change *c;

    if (!conversation || !chat_client_is_ready(self))
        return;
    c = change_new(self, NULL);
    c->conversation = g_object_ref(conversation);
    dbus_messenger_call_delete_message(self->messenger, id, self->cancellable, on_deleted, c);
}

/* ---- friends ---- */

static void say_failed(ChatClient *self, const char *words) {
    chat_status_say(self->status, SAID_MSEC, g_strdup_printf(_("Failed: %s"), words));
}

static void on_added(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GVariant) friend = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Change) c = userdata;
    g_autofree char *words = NULL;

    dbus_messenger_call_add_friend_finish(DBUS_MESSENGER(source), &friend, result, &error);
    if (daemon_error_is_cancelled(error))
        return;
    if (error) {
        words = words_of(error, "Failed to add friend: ");
        say_failed(c->client, words);
    } else
        /* Translators: %s is the name of a friend */
        chat_status_say(c->client->status, SAID_MSEC, g_strdup_printf(_("Added %s!"), c->name));
    g_signal_emit_by_name(c->client, "added", c->name, words ? words : "");
}

void chat_client_add_friend(ChatClient *self, const char *name) {
    if (chat_client_is_ready(self))
        dbus_messenger_call_add_friend(self->messenger, name, self->cancellable, on_added,
                                       change_new(self, name));
}

static void on_removed(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Change) c = userdata;

    dbus_messenger_call_remove_friend_finish(DBUS_MESSENGER(source), result, &error);
    if (daemon_error_is_cancelled(error))
        return;
    if (error) {
        g_autofree char *words = words_of(error, "Failed to remove friend: ");
        say_failed(c->client, words);
    } else
        /* Translators: %s is the name of somebody who was a friend */
        chat_status_say(c->client->status, SAID_MSEC, g_strdup_printf(_("Removed %s"), c->name));
}

void chat_client_remove_friend(ChatClient *self, const char *name) {
    if (chat_client_is_ready(self))
        dbus_messenger_call_remove_friend(self->messenger, name, self->cancellable, on_removed,
                                          change_new(self, name));
}
