#pragma once

#include <systemd/sd-bus.h>

#include "common/macro.h"

/* Sees when the caller of a method, whose answer may take as long as a task does, leaves the bus.
 * sd_bus_track_add_sender(3) would do it, too, but waits for the bus. */

typedef struct BusCaller {
    const char *name; /* unique; in the call, not owned */
    void (*left)(void *userdata);
    void *userdata;
    sd_bus_slot *match; /* tells when he leaves */
    sd_bus_slot *check; /* asks whether he has left already */
} BusCaller;

/* Calls left() once, when he leaves or has left, never before it returns. The call is to stay as
 * long as it is watched. A caller without a name, on a direct connection, takes the bus with him. 0
 * or -errno. */
int bus_caller_watch(BusCaller *c, sd_bus_message *call, void (*left)(void *userdata),
                     void *userdata);

/* Nobody is to be told any more; also from within left(), and of one that was never watched. */
void bus_caller_done(BusCaller *c);
