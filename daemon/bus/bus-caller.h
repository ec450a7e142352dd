#pragma once

#include <systemd/sd-bus.h>

/* Tells when the one who made a call has left the bus, without ever making the loop wait for the
 * bus, as sd_bus_track(3) would, which asks it in between. */
typedef struct BusCaller {
    sd_bus_message *call; /* not owned */
    sd_bus_slot *match;   /* tells of it */
    sd_bus_slot *check;   /* asks whether that has been already */
    void (*left)(void *userdata);
    void *userdata;
} BusCaller;

/* left is called once at most, and may call bus_caller_done(). 0 or -errno. On a direct connection
 * nobody leaves. */
int bus_caller_watch(BusCaller *c, sd_bus_message *call, void (*left)(void *userdata),
                     void *userdata);

/* Of one that is all zero nothing is to be done. */
void bus_caller_done(BusCaller *c);
