#pragma once

#include "common/macro.h"

/* Which of two streams of output has got something first, since both were last empty. Pipes do not
 * tell; an epoll(7) with EPOLLET has them in the order in which they became readable. What both get
 * before we come to look, several times in turn, is taken stream by stream all the same. */
typedef struct ShimOrder {
    int fd; /* negative: it is not known, and stdout comes first */
} ShimOrder;

/* A shim can do without. */
void shim_order_init(ShimOrder *o, int out_fd, int err_fd);
void shim_order_done(ShimOrder *o);

/* To be asked each time that one of them is readable, before it is read. True when stderr comes
 * first. */
bool shim_order_err_first(ShimOrder *o, bool out_ready, bool err_ready);
