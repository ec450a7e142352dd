#pragma once

#include "common/fields.h"
#include "daemon/shim/keeper-table.h"

/* The daemon that is connected, and what it is to hear. A daemon that does not read costs the
 * keeper no time: what has been told is kept as a position in the table. */

typedef enum KeeperAnswer {
    KEEPER_ANSWER_NONE, /* no HELLO yet */
    KEEPER_ANSWER_HEAD, /* who we are is to be told, then the shims that there are */
    KEEPER_ANSWER_LIVE,
    KEEPER_ANSWER_DONE,
} KeeperAnswer;

typedef struct KeeperConnection {
    int fd;    /* negative: no daemon */
    bool full; /* no room for a message; POLLOUT tells when there is again */
    KeeperAnswer answer;
    uint64_t live_told; /* the last id of those that are told */
    uint64_t *lost;     /* ids still to be told */
    size_t n_lost, lost_allocated;
} KeeperConnection;

typedef struct KeeperMessage {
    char text[FIELDS_MAX + 1];
    int fds[2]; /* those that came along, owned by the receiver; else negative */
} KeeperMessage;

/* What HELLO is answered with besides the shims. Nothing is owned. */
typedef struct KeeperFacts {
    const char *isolation, *cgroup, *controllers;
} KeeperFacts;

/* Whether somebody listens there. */
bool keeper_answers(const char *path);

/* Binds the socket and listens, over one that is dead. -EADDRINUSE when somebody answers there. */
int keeper_listen(const char *path, int *ret_fd);

/* Takes the next one up, when it is of our user. True when there is one. */
bool keeper_connection_accept(KeeperConnection *c, int listen_fd);
void keeper_connection_close(KeeperConnection *c);

/* True when there was a message. At the end of the stream the connection is closed. */
bool keeper_connection_receive(KeeperConnection *c, KeeperMessage *ret);

void keeper_connection_greet(KeeperConnection *c);
void keeper_connection_add_lost(KeeperConnection *c, uint64_t id);

/* Whether keeper_connection_send() has something to send. */
bool keeper_connection_pending(const KeeperConnection *c);

/* Sends what there is room for. */
void keeper_connection_send(KeeperConnection *c, const KeeperFacts *facts, const KeeperTable *t);
