#pragma once

#include "daemon/core/error.h"
#include "daemon/core/messenger-data.h"

/* What a messenger's server answers, in either dialect (docs/MESSENGER.md), as lists. Strict about
 * types and what has to be there; what is not known is passed over. All give 0, -ENOMEM, or
 * -EREMOTE with the error set: what the server says is wrong, its status ("HTTP 404"), or what is
 * wrong with its answer. Nothing is taken of an answer that is not right as a whole. */

#define MESSENGER_FRIENDS_MAX 10000
#define MESSENGER_MESSAGES_MAX 10000 /* that are looked at; of those, the newest are kept */

typedef struct MessengerAnswer {
    unsigned status; /* of HTTP */
    const char *body;
    size_t size;
} MessengerAnswer;

int messenger_read_friends(const MessengerAnswer *a, FriendList *ret, Error *error);
/* The newest of the messages with the peer, up to limit of them, oldest first. */
int messenger_read_messages(const MessengerAnswer *a, const char *peer, unsigned limit,
                            MessageList *ret, Error *error);
/* Of a friend who was added: a list of one. */
int messenger_read_added(const MessengerAnswer *a, const char *username, FriendList *ret,
                         Error *error);
/* Of a message that was sent: a list of one. */
int messenger_read_sent(const MessengerAnswer *a, const char *to, const char *content,
                        MessageList *ret, Error *error);
/* Of something that was removed. */
int messenger_read_done(const MessengerAnswer *a, Error *error);
