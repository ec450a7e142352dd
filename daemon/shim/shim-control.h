#pragma once

#include "common/fields.h"
#include "common/macro.h"

/* The socket to the daemon. It never makes the shim wait but for the last message. */
typedef struct ShimControl {
    int fd;    /* negative: the daemon is gone */
    bool full; /* no room for a message; POLLOUT tells when there is again */
} ShimControl;

typedef struct ShimOrders {
    bool cancel; /* asked for, or the daemon is gone */
    int kill;    /* signal to send, 0: none */
} ShimOrders;

/* Makes the descriptor, which the control owns from then on, non-blocking and close-on-exec. 0 or
 * -errno. */
int shim_control_init(ShimControl *c, int fd);
void shim_control_close(ShimControl *c);

/* Takes one message. False when there was none. */
bool shim_control_receive(ShimControl *c, ShimOrders *ret);

/* True when the message was taken. */
bool shim_control_send(ShimControl *c, const Fields *fields);

/* Waits for room as long as the daemon is there. */
void shim_control_send_wait(ShimControl *c, const Fields *fields);

/* From now on the daemon's messages are refused, and those that nobody read are passed over: closed
 * with a message unread, the socket would give the daemon an error ahead of what we sent last. */
void shim_control_stop_listening(ShimControl *c);
