#pragma once

#include "client-gtk/messages/chat-client.h"
#include "dbus/dbus-proxies.h"

/* What the files of ChatClient share: chat-client.c has the object, chat-load.c loads and what is
 * told, chat-change.c what the person does. */

struct _ChatClient {
    GObject parent_instance;

    char *name, *path;
    GCancellable *cancellable;
    DbusBackend *backend; /* NULL until both are there */
    DbusMessenger *messenger;

    ChatStatus *status;
    ItemList *friends;
    Conversations *conversations;
    char *friends_problem;
    gboolean friends_loaded, friends_loading;
    gboolean friends_told; /* all of them, by a signal since the load has begun */

    char *peer;
    guint settle; /* timer: the peer was chosen just now */
    guint poll;   /* timer, of this many ms */
    guint poll_msec;
    ChatState state;
    gboolean running, shown;
};

/* Calls take self without a reference: one that was cancelled must not touch it. */

/* Ready for calls. */
gboolean chat_client_is_ready(ChatClient *self);

/* The conversation with somebody, whoever it is. */
Conversation *chat_client_conversation_of(ChatClient *self, const char *peer);

/* How things are has changed: status bar, timer, signal. */
void chat_client_changed(ChatClient *self);

void chat_client_listen(ChatClient *self);
void chat_client_load_friends(ChatClient *self);
void chat_client_load_messages(ChatClient *self, Conversation *c);
