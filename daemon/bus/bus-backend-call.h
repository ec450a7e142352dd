#pragma once

#include "daemon/bus/bus.h"

/* A call that waits for what a server answers. Belongs to the Bus, which must not go before the API
 * has answered or dropped all that it was asked. */

/* At a time: for one backend, and for all. */
#define BUS_BACKEND_CALLS_EACH 100
#define BUS_BACKEND_CALLS_ALL 1000

typedef struct BusBackendCall {
    Bus *bus; /* not owned */
    sd_bus_message *call;
    const Backend *backend; /* not owned; to be told from others, no more */
    LIST_ENTRY(BusBackendCall) link;
} BusBackendCall;

/* 0, or -errno with the D-Bus error set when too many wait. */
int bus_backend_call_new(BusBackendCall **ret, Bus *b, sd_bus_message *call, const Backend *backend,
                         sd_bus_error *error);
BusBackendCall *bus_backend_call_free(BusBackendCall *c); /* NULL-safe, gives NULL */

/* What the API has said when it was asked: gives what a method handler gives. The call is gone
 * where it was refused. */
int bus_backend_call_begun(BusBackendCall *c, int r, const Error *error, sd_bus_error *ret_error);

/* The answer: an error where one is set, else what append puts into it (NULL = nothing). Frees the
 * call. */
typedef int (*BusBackendAppend)(sd_bus_message *m, const void *data);
void bus_backend_call_end(BusBackendCall *c, const Error *error, BusBackendAppend append,
                          const void *data);

/* Drops those that wait: the Bus goes. */
void bus_backend_calls_forget(Bus *b);
