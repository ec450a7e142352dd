#pragma once

#include <systemd/sd-bus.h>

typedef struct Bus Bus;

/* Ended tasks mostly lie on disk alone. A call of the object of one is held back until the task has
 * been brought into memory, then it is handled as if it came only now. While one batch of tasks is
 * read, those that are wanted meanwhile gather for the next. */

/* Tasks that are asked for at a time. */
#define BUS_RECALL_BATCH 64
/* Calls of one task that wait. */
#define BUS_RECALL_CALLS_MAX 1000

typedef struct BusRecall BusRecall;

BusRecall *bus_recall_new(Bus *b);        /* NULL when memory is short */
BusRecall *bus_recall_free(BusRecall *r); /* NULL-safe, gives NULL */

/* Looks at a call of the object of a task. 0: it may be handled now, the task is in memory; 1: it
 * is held back; -errno, with the D-Bus error set where there is more to say. Calls of one object
 * are handled in the order in which they came. */
int bus_recall_call(BusRecall *r, uint64_t id, sd_bus_message *call, sd_bus_error *error);
