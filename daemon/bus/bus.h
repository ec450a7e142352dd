#pragma once

#include "daemon/bus/bus-api.h"
#include "daemon/bus/bus-peer.h"
#include "daemon/bus/bus-publisher.h"
#include "daemon/bus/bus-recall.h"
#include "daemon/bus/bus-wait.h"

/* The daemon's face on a bus: everything that hangs on one connection. */
typedef struct Bus {
    sd_bus *bus;       /* not owned */
    const BusApi *api; /* not owned */
    void *api_userdata;
    BusPublisher *publisher;
    BusWaits *waits;
    BusPeers *peers;
    BusRecall *recall;
    LIST_HEAD(, BusLater) later; /* calls that wait for the disk */
    size_t n_later;
    LIST_HEAD(, PendingReply) replies; /* calls that wait for a commit */
    LIST_HEAD(, BusStdinCall) writes;  /* calls that wait for the reader of a stdin */
    size_t n_writes, bytes_of_writes;
    LIST_HEAD(, BusBackendCall) backend_calls; /* calls that wait for servers */
    size_t n_backend_calls;
    bool is_quiet; /* of those none is answered any more */
    sd_bus_vtable *task_vtable;
    sd_bus_slot *slots[4], *backend_slots[4];
} Bus;

/* Exports all objects on the connection, which is attached to the event loop. 0 or -errno. */
int bus_new(Bus **ret, sd_bus *bus, sd_event *event, const BusApi *api, void *api_userdata);
Bus *bus_free(Bus *b); /* NULL-safe, gives NULL */
/* The daemon ends: who waits for a backend learns that from the bus, not that there is none. */
void bus_quiet(Bus *b);

/* Used by bus.c alone: put the vtables in place. */
int bus_manager_export(Bus *b);
int bus_task_export(Bus *b);
int bus_backend_export(Bus *b);
