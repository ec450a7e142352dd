#pragma once

#include "common/fields.h"

/* The way to whoever listens at $NOTIFY_SOCKET (sd_notify(3)): a datagram socket. */

typedef struct WorkerNotify {
    int fd;     /* -EBADF: nobody listens */
    bool stuck; /* the last message found the listener's queue full till its time was over */
} WorkerNotify;

/* The path of a socket, or "@" and an abstract name. 0, or -errno and nobody listens. */
int worker_notify_open(WorkerNotify *n, const char *address);
void worker_notify_close(WorkerNotify *n);

/* Sends a message, and waits for room in the listener's queue, but no longer than timeout_ms; not
 * at all while the listener is stuck, unless patient. True when the message is on its way. */
bool worker_notify_send(WorkerNotify *n, const Fields *f, unsigned timeout_ms, bool patient);
