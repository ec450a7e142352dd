#pragma once

#include "common/fields.h"
#include "common/macro.h"

/* The socket to the daemon. It never makes the shim wait but for the last message. */
typedef struct ShimControl {
    int fd;        /* negative: no daemon is there */
    int listen_fd; /* for the next one */
    bool full;     /* no room for a message; POLLOUT tells when there is again */
} ShimControl;

typedef struct ShimOrders {
    bool cancel;
    int kill;            /* signal to send, 0: none */
    int pause;           /* 1: pause, 0: go on, -1: neither */
    const char *message; /* for the command; NULL: none. Points into the buffer */
    const char *data;    /* bytes for its stdin; the same */
    size_t data_size;
    bool end_stdin;
} ShimOrders;

/* Makes the descriptors, which the control owns from then on, non-blocking and close-on-exec. 0 or
 * -errno. */
int shim_control_init(ShimControl *c, int fd, int listen_fd);
void shim_control_close(ShimControl *c);

/* Takes one message into the buffer. False when there was none. At the end of the stream closes it.
 */
bool shim_control_receive(ShimControl *c, char buffer[static FIELDS_MAX + 1], ShimOrders *ret);

/* A daemon that has connected takes the place of the one before. True when there is one, which is
 * to be told all. To be called when the orders of the one before have been read. */
bool shim_control_accept(ShimControl *c);

/* True when the message was taken. */
bool shim_control_send(ShimControl *c, const Fields *fields);

/* Waits for room as long as the daemon is there, and nothing comes from signal_fd. */
void shim_control_send_wait(ShimControl *c, const Fields *fields, int signal_fd);

/* From now on the daemon's messages are refused, and those that nobody read are passed over: closed
 * with a message unread, the socket would give the daemon an error ahead of what we sent last.
 * Nobody else can connect any more. */
void shim_control_stop_listening(ShimControl *c);
