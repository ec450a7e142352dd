#pragma once

#include <systemd/sd-bus.h>

#include "daemon/core/error.h"
#include "daemon/core/task.h"

/* Calls of Wait that are to be answered when their tasks have ended. A caller that leaves the bus
 * is forgotten. */

/* Tasks that all calls together may wait for. */
#define BUS_WAITS_MAX 200000

typedef struct BusWaits BusWaits;

BusWaits *bus_waits_new(void);             /* NULL when memory is short */
BusWaits *bus_waits_free(BusWaits *w);     /* NULL-safe, gives NULL */
size_t bus_waits_count(const BusWaits *w); /* tasks waited for, each call's */

/* Answers the call when all tasks have ended and that is committed, which may be now. single: with
 * (si) of the one task instead of a(tsi). 0, or -errno; with the D-Bus error set when there are too
 * many. */
int bus_waits_add(BusWaits *w, sd_bus_message *call, Task *const *tasks, size_t n, bool single,
                  sd_bus_error *error);

/* The task has reached its final state, and that is committed. */
void bus_waits_task_ended(BusWaits *w, Task *t);

/* The task could not be written, and never was: calls that wait for it fail. */
void bus_waits_task_withdrawn(BusWaits *w, uint64_t id);
