#pragma once

#include "daemon/bus/bus.h"

/* A call whose answer needs the disk, until that has given it. Belongs to the Bus: when that goes,
 * nobody is answered any more. */

/* Such calls at a time. */
#define BUS_LATER_MAX 1000

typedef struct BusLater {
    Bus *bus; /* not owned */
    sd_bus_message *call;
    void *data; /* of whoever made it; freed with it */
    LIST_ENTRY(BusLater) link;
} BusLater;

/* Takes data, unless it fails. 0, or -errno with the D-Bus error set when there are too many. */
int bus_later_new(BusLater **ret, Bus *b, sd_bus_message *call, void *data, sd_bus_error *error);
BusLater *bus_later_free(BusLater *l); /* NULL-safe, gives NULL */
DEFINE_CLEANUP(BusLater *, bus_later_free)

/* A method with a filter as its one argument: reads it, lets check (NULL = none) look at it and
 * fill it in, and begin hand it to the API, which answers with the call. failure: what is said when
 * the disk cannot be asked. Gives what a method handler gives. */
int bus_later_filtered(Bus *b, sd_bus_message *m, int (*check)(TaskFilter *filter, Error *error),
                       int (*begin)(BusLater *l, const TaskFilter *filter), const char *failure,
                       sd_bus_error *ret_error);

/* Ends the call: with the error, when r, which is what a method handler gives, is negative; else an
 * answer was sent. Frees the error too. */
void bus_later_end(BusLater *l, int r, sd_bus_error *error);
