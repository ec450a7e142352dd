#pragma once

#include "tests/backend/exchange.h"

/* Suspends the connection for so long (USEC_INFINITY: for ever), from within a callback of
 * libmicrohttpd, which comes back when that is over, or when the client has gone: wait.gone. What
 * was written so far is sent. */
void wait_begin(Exchange *e, uint64_t usec);
void wait_end(Exchange *e);     /* drops the wait, without resuming */
void wait_give_up(Exchange *e); /* ends it as if the client had gone */

/* What is written goes out now: nothing waits for a full packet. */
void socket_push(int fd);
/* The peer gets an RST, now. */
void socket_reset(int fd);
