#pragma once

#include <sys/un.h>

#include "common/fields.h"
#include "common/message-queue.h"
#include "common/shim-protocol.h"
#include "daemon/shim/shim-progress.h"

#define SHIM_NOTIFY_KEYS 7

/* The command's NOTIFY_SOCKET, and the last value that came of each key. Any process of the task
 * may send. Descriptors that come along are closed as soon as their datagram is read: what waits
 * for that, as sd_notify_barrier(3) does, knows then that all it said before has been heard. */
typedef struct ShimNotify {
    int fd; /* negative: none */
    struct sockaddr_un address;
    bool pending;       /* one of them was not passed on yet; progress is not among them */
    unsigned n_changes; /* so far */
    struct {
        bool known, pending;
        char text[NOTIFY_VALUE_MAX + 1];
    } values[SHIM_NOTIFY_KEYS];
    uint64_t done, total; /* of the phase, as it was told last; 0: not told */
    bool bytes;
    char phase[PROGRESS_PHASE_MAX];
    uint64_t extend_usec;  /* not taken yet */
    MessageQueue messages; /* for the parent of the task; none is left out */
    unsigned dropped;      /* of them, since that was told last */
} ShimNotify;

/* Binds the socket, for our own user alone. 0 or -errno. */
int shim_notify_open(ShimNotify *n, const char *path);
void shim_notify_close(ShimNotify *n); /* removes the socket from the file system too */

/* Takes what has come; bounded, for a sender that never stops. What it says about progress goes to
 * the reader. */
void shim_notify_receive(ShimNotify *n, ShimProgress *progress);
/* One datagram, NUL-terminated, which is changed. */
void shim_notify_take(ShimNotify *n, ShimProgress *progress, char *datagram);

/* Takes what was asked for with EXTEND_TIMEOUT_USEC since the last call; 0: nothing. */
uint64_t shim_notify_take_extension(ShimNotify *n);

/* All that is known is to be passed on, to somebody else. */
void shim_notify_retell(ShimNotify *n);

/* Adds all that is known. */
void shim_notify_add_known(const ShimNotify *n, Fields *fields);

/* Adds what is pending to a message, and forgets it once the message was sent. */
void shim_notify_add_fields(const ShimNotify *n, Fields *fields);
void shim_notify_sent(ShimNotify *n);

/* Adds messages to a packet, as many as fit, and gives their number: so many are to be taken away
 * once it was sent. */
unsigned shim_notify_add_messages(const ShimNotify *n, Fields *fields);
void shim_notify_messages_sent(ShimNotify *n, unsigned sent);
/* Nobody is there to hear those that wait. */
void shim_notify_drop_messages(ShimNotify *n);
/* Adds how many were dropped, if any were. */
void shim_notify_add_dropped(const ShimNotify *n, Fields *fields);
