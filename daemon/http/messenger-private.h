#pragma once

#include <sys/queue.h>

#include "daemon/http/messenger-parse.h"
#include "daemon/http/messenger.h"

/* What is under way at one messenger: see messenger.c, messenger-load.c, messenger-change.c. */

#define MESSENGER_LIMIT_DEFAULT 50

/* Somebody who waits for a list. */
typedef struct Waiter {
    MessengerFriendsFunc friends_func;
    MessengerMessagesFunc messages_func; /* one of them is set */
    void *arg;
    STAILQ_ENTRY(Waiter) entry;
} Waiter;

STAILQ_HEAD(Waiters, Waiter);

typedef struct Load Load;
typedef struct Change Change;

TAILQ_HEAD(Changes, Change);

typedef struct Messenger {
    Backend *b;               /* not owned */
    TAILQ_HEAD(, Load) loads; /* one for each list that is being loaded */
    struct Changes changes;   /* the first is under way, the others wait: in the order in which
                                       they were asked for */
    unsigned n_asked;         /* who waits for an answer, up to BACKEND_ASKED_MAX */

    /* Of the current peer: what was told last, so that polls tell what is new alone. It stays over
     * errors and outages. */
    unsigned limit; /* of its messages: the most that somebody wanted */
    MessageList told;
    bool has_told;
} Messenger;

/* Of the backend, made when it is not there yet; NULL when memory is short. */
Messenger *messenger_of(Backend *b);

/* What went wrong with an answer: fills in the error when none came at all. */
int messenger_check_reply(const HttpReply *reply, MessengerAnswer *ret, Error *error);
/* As error of memory, or of an argument, that comes too late to be returned. */
void messenger_fail(Error *error, int r);

/* ---- messenger-load.c ---- */

/* Loads a list: the friends when peer is NULL. One under way counts, unless something has changed
 * since it began: then there is another one behind it. Takes the waiter when it is 0. */
int messenger_load(Messenger *m, const char *peer, unsigned limit, Waiter *waiter, Error *error);
/* Something has changed: loads the list once more. */
void messenger_reload(Messenger *m, const char *peer, unsigned limit);
/* Whether messages with the peer are being loaded: then they are not polled as well. */
bool messenger_is_loading(const Messenger *m, const char *peer);
void messenger_drop_loads(Messenger *m, const Error *error);
char *messenger_messages_path(const char *peer, unsigned limit);
/* The list was told to everybody. Takes it when it is that of the current peer. */
void messenger_keep_told(Messenger *m, const char *peer, MessageList *l);

/* ---- messenger-change.c ---- */

typedef enum ChangeKind {
    CHANGE_ADD_FRIEND,
    CHANGE_REMOVE_FRIEND,
    CHANGE_SEND,
    CHANGE_DELETE,
} ChangeKind;

typedef struct ChangeAsk {
    ChangeKind kind;
    const char *name;    /* of the friend, the peer, the message */
    const char *content; /* of a message to be sent */
    MessengerFriendsFunc friends_func;
    MessengerMessagesFunc messages_func;
    MessengerDoneFunc done_func; /* the one that belongs to the kind */
    void *arg;
} ChangeAsk;

int messenger_change(Messenger *m, const ChangeAsk *ask, Error *error);
void messenger_drop_changes(Messenger *m, const Error *error);
