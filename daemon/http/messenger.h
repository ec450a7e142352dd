#pragma once

#include "daemon/core/messenger-data.h"
#include "daemon/http/backend-watch.h"

/* Friends and messages of a backend of type messenger, see docs/MESSENGER.md. Functions begin a
 * request; func is called once, from the loop, with what was asked for or the error. Beside it the
 * BackendEvents tell everybody. 0, or -errno and func is not called; -EREMOTE with the error set
 * for arguments that cannot be. */

typedef void (*MessengerFriendsFunc)(void *arg, const FriendList *friends, const Error *error);
typedef void (*MessengerMessagesFunc)(void *arg, const char *peer, const MessageList *messages,
                                      const Error *error);
typedef void (*MessengerDoneFunc)(void *arg, const Error *error);

int messenger_load_friends(Backend *b, MessengerFriendsFunc func, void *arg, Error *error);
int messenger_add_friend(Backend *b, const char *username, MessengerFriendsFunc func, void *arg,
                         Error *error); /* a list of one */
int messenger_remove_friend(Backend *b, const char *username, MessengerDoneFunc func, void *arg,
                            Error *error);
/* Makes it the current peer. limit: 0 = 50. */
int messenger_load_messages(Backend *b, const char *peer, unsigned limit,
                            MessengerMessagesFunc func, void *arg, Error *error);
int messenger_send(Backend *b, const char *to, const char *content, MessengerMessagesFunc func,
                   void *arg, Error *error); /* a list of one */
int messenger_delete_message(Backend *b, const char *id, MessengerDoneFunc func, void *arg,
                             Error *error);
/* "" = none: nothing is polled. */
int messenger_set_current_peer(Backend *b, const char *peer, Error *error);
