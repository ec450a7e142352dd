#pragma once

#include "daemon/bus/bus.h"

/* Friends and messages, as they are on the bus. */

/* A friend, a message: a{sv}. Lists of them: aa{sv}; of the signals, with no more of them than have
 * room in max bytes: the first friends, the last messages. 0 or -errno. */
int bus_friend_append(sd_bus_message *m, const Friend *f);
int bus_friends_append(sd_bus_message *m, const FriendList *l, size_t max);
int bus_chat_message_append(sd_bus_message *m, const ChatMessage *c);
int bus_chat_messages_append(sd_bus_message *m, const MessageList *l, size_t max);

/* The interface, at the objects of those that are of this type. */
int bus_messenger_export(Bus *b);
