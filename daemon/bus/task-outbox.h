#pragma once

#include "daemon/bus/bus-publisher.h"
#include "daemon/core/coalesce.h"

/* The signals of one active task that wait for their turn. */

/* Nine of a sort a second, and the last one before Finished makes ten. */
#define TASK_SIGNAL_INTERVAL_USEC (112 * USEC_PER_MSEC)

typedef struct TaskOutbox {
    Task *task; /* not owned */
    Coalescer changes[_BUS_CHANGE_MAX];
    unsigned order[_BUS_CHANGE_MAX]; /* which of the pending ones came first */
    unsigned next_order;
    uint64_t first_usec;  /* nothing is sent before: a shorter task sends Finished alone */
    double sent_fraction; /* what the last signal Progress said */
    bool listed;          /* in the next TasksChanged */
    TAILQ_ENTRY(TaskOutbox) link;
} TaskOutbox;

TaskOutbox *task_outbox_new(Task *task, uint64_t now_usec); /* NULL when memory is short */

void task_outbox_add(TaskOutbox *o, BusChange change);

/* The change that may be sent now, of several the one that came first, or -1. all: whatever waits.
 */
int task_outbox_take(TaskOutbox *o, uint64_t now_usec, bool all);

/* When the next one may be sent; USEC_INFINITY when none waits. */
uint64_t task_outbox_due(const TaskOutbox *o);
