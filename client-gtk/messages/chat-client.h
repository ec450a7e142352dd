#pragma once

#include "client-gtk/messages/chat-status.h"
#include "client-gtk/messages/conversations.h"
#include "client-gtk/messages/friend-item.h"

/* One messenger as this window sees it: friends, conversations, and the friend who is looked at.
 *
 * The daemon polls for one friend, CurrentPeer, and has other clients than us: who is looked at
 * here is our own business. When another client has chosen somebody else, we ask for ours, once
 * each PollInterval. What is told of others than ours is kept where it belongs.
 *
 * Signals: "changed": state, reason, or how the friends were loaded.
 *          "added" (s name, s problem): AddFriend has ended; problem is "" when it went well. */
#define LONGRUN_TYPE_CHAT_CLIENT (chat_client_get_type())
G_DECLARE_FINAL_TYPE(ChatClient, chat_client, LONGRUN, CHAT_CLIENT, GObject)

typedef enum ChatState {
    CHAT_ABSENT, /* there is no daemon */
    CHAT_UNKNOWN,
    CHAT_ONLINE,
    CHAT_OFFLINE,
} ChatState;

/* From the choice of a friend to the load: who runs through the list loads the last one only. */
#define CHAT_SETTLE_MSEC 300

/* bus_name: NULL for a connection without a bus. Nothing is asked before it is running and shown.
 */
ChatClient *chat_client_new(GDBusConnection *connection, const char *bus_name, const char *name,
                            const char *path);

const char *chat_client_get_name(ChatClient *self);
ChatState chat_client_get_state(ChatClient *self);

/* Why it is not online, in words of the daemon; "" when it does not say. */
const char *chat_client_get_reason(ChatClient *self);

/* Both are owned by self, and the same as long as it lives. */
ChatStatus *chat_client_get_status(ChatClient *self);
ItemList *chat_client_get_friends(ChatClient *self);

/* The daemon is there: each time that it comes, everything is loaded anew. */
void chat_client_set_running(ChatClient *self, gboolean running);

/* Somebody looks at it. */
void chat_client_set_shown(ChatClient *self, gboolean shown);

/* Loads all again, and checks whether it is online. */
void chat_client_reload(ChatClient *self);

/* ---- friends ---- */

/* They were loaded once, and are kept from then on. */
gboolean chat_client_get_friends_loaded(ChatClient *self);

/* Why the last load has failed; NULL: it has not. */
const char *chat_client_get_friends_problem(ChatClient *self);

/* Whom one looks at; NULL = nobody. */
const char *chat_client_get_peer(ChatClient *self);
void chat_client_set_peer(ChatClient *self, const char *peer);

void chat_client_add_friend(ChatClient *self, const char *name);
void chat_client_remove_friend(ChatClient *self, const char *name);

/* ---- messages ---- */

/* With whom one looks at; NULL with nobody, and with somebody who is no friend (any more). Not
 * owned by the caller. */
Conversation *chat_client_get_conversation(ChatClient *self);

/* Messages of before those that are here. */
void chat_client_load_older(ChatClient *self);

/* To whom one looks at. FALSE, and nothing happens, for blank text, and while another is sent. */
gboolean chat_client_send(ChatClient *self, const char *text);

void chat_client_delete_message(ChatClient *self, const char *id);
