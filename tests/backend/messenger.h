#pragma once

#include <uthash.h>

#include "tests/backend/exchange.h"

/* Friends and messages, under /api: in the one dialect, or in the other that is met in the same
 * family. Nothing is on disk. */

#define CHAT_MESSAGES_MAX 100000

typedef struct Peer {
    char *name;
    bool online, is_friend;
    uint64_t last_seen; /* seconds since the epoch */
    UT_hash_handle hh;
} Peer;

typedef struct Chat {
    uint64_t id;
    Peer *peer; /* not owned */
    char *content;
    bool sent; /* else received */
    bool delivered;
    uint64_t timestamp; /* seconds since the epoch */
} Chat;

typedef struct Messenger {
    char *username;
    bool other_dialect;
    bool echo; /* peers that are online answer */
    uint64_t begun_usec;
    Peer *peers;
    Chat *messages;
    size_t n_messages;
    uint64_t last_id;
    cJSON *status; /* members of the status that are set, NULL = none */
} Messenger;

void messenger_init(Messenger *m);
void messenger_clear(Messenger *m); /* no peers, no messages */
void messenger_done(Messenger *m);
/* name, online, last_seen, friend: of a peer who may be there already. */
void messenger_put_peer(Messenger *m, const cJSON *peer);
void messenger_put_message(Messenger *m, const cJSON *message);
/* username, dialect, echo, status, friends, messages, clear. */
void messenger_set(Messenger *m, const cJSON *state);

bool messenger_route(Exchange *e, Messenger *m); /* false: it is none of its */

/* ---- messenger-dialect.c ---- */

void messenger_reply_friends(Exchange *e, const Messenger *m);
void messenger_reply_friend(Exchange *e, const Messenger *m, const Peer *p);
void messenger_reply_messages(Exchange *e, const Messenger *m, const Peer *p, size_t limit);
void messenger_reply_sent(Exchange *e, const Messenger *m, const Chat *c);
void messenger_reply_done(Exchange *e, const Messenger *m);
