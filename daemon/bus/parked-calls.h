#pragma once

#include <stdbool.h>
#include <sys/queue.h>
#include <systemd/sd-bus.h>

/* Method calls that are held back until something is known: a row of them, and a number of calls in
 * all rows together that has a cap. */

#define PARKED_CALLS_MAX 10000 /* in all rows that share a total */

typedef struct ParkedCalls {
    TAILQ_HEAD(, ParkedCall) calls; /* in the order in which they came */
    size_t n, max;
    size_t *total; /* not owned */
} ParkedCalls;

/* max: calls in this row, at most PARKED_CALLS_MAX. */
void parked_calls_init(ParkedCalls *p, size_t max, size_t *total);
void parked_calls_done(ParkedCalls *p);

/* Keeps a reference of the call. 0, -ENOBUFS when a cap is reached, or -ENOMEM. */
int parked_calls_add(ParkedCalls *p, sd_bus_message *call);

/* The first one, whose reference is the caller's now; NULL when there is none. */
sd_bus_message *parked_calls_take(ParkedCalls *p);

/* Takes the call out, with all that came before it; false when it is not there. */
bool parked_calls_pass(ParkedCalls *p, const sd_bus_message *call);
