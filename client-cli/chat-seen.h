#pragma once

#include <cjson/cJSON.h>

#include "common/macro.h"

/* Which messages of a list that comes again and again are new. A list is the end of a conversation,
 * and may begin earlier than the one before: what is found in front of all that was known is old.
 * Messages may be deleted, and one that was late may be put in between. */
typedef struct ChatSeen {
    char **keys; /* of the last list that had any, owned */
    size_t n;
    uint64_t newest; /* the highest timestamp so far */
} ChatSeen;

void chat_seen_done(ChatSeen *s);

/* Takes in a list, oldest first; func is called for each message that is new. */
void chat_seen_take(ChatSeen *s, const cJSON *messages,
                    void (*func)(void *userdata, const cJSON *message), void *userdata);
