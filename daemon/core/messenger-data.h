#pragma once

#include "common/cleanup.h"
#include "common/macro.h"

/* What a messenger tells, in one form whichever dialect it speaks. Lists own their strings, none of
 * which is NULL. */

#define MESSENGER_LIMIT_MAX 1000 /* messages that are asked for at a time */

typedef struct Friend {
    char *username;
    bool online;
    uint64_t last_seen; /* CLOCK_REALTIME microseconds, 0 = not known */
} Friend;

typedef struct FriendList {
    size_t n;
    Friend *items;
} FriendList;

typedef enum MessageDirection {
    MESSAGE_SENT,
    MESSAGE_RECEIVED,
} MessageDirection;

const char *message_direction_to_string(MessageDirection direction); /* "sent", "received" */
MessageDirection message_direction_from_string(const char *s);       /* -EINVAL: it is neither */

typedef struct ChatMessage {
    char *id, *peer, *content;
    MessageDirection direction;
    uint64_t timestamp; /* CLOCK_REALTIME microseconds, 0 = not known */
    bool delivered;
    bool stored_offline; /* it waits at the server for its peer */
} ChatMessage;

typedef struct MessageList {
    size_t n;
    ChatMessage *items; /* oldest first */
} MessageList;

void friend_list_done(FriendList *l);
void message_done(ChatMessage *m);
void message_list_done(MessageList *l);
#define _cleanup_friend_list_ _cleanup_(friend_list_done)
#define _cleanup_message_list_ _cleanup_(message_list_done)

bool message_list_equal(const MessageList *a, const MessageList *b);
