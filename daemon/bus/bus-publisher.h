#pragma once

#include "daemon/bus/bus-api.h"

/* Tells the bus what happens to tasks, at the rates that the interfaces promise: see the comments
 * at the signals in the XML of the interfaces. All calls are made after the change is committed. */

typedef struct BusPublisher BusPublisher;

int bus_publisher_new(BusPublisher **ret, sd_bus *bus, sd_event *event, const BusApi *api,
                      void *api_userdata);
BusPublisher *bus_publisher_free(BusPublisher *p); /* NULL-safe, gives NULL */

/* What of an active task has changed. Of one that has no slot yet, its state alone is told. */
typedef enum BusChange {
    BUS_CHANGE_STATE,
    BUS_CHANGE_PROGRESS,
    BUS_CHANGE_STATUS,
    BUS_CHANGE_LOG, /* it grew */
    _BUS_CHANGE_MAX,
} BusChange;

void bus_publisher_task_added(BusPublisher *p, const Task *t);
/* The task got a slot: from now on there is something to tell. */
void bus_publisher_task_started(BusPublisher *p, Task *t);
void bus_publisher_task_changed(BusPublisher *p, Task *t, BusChange change);
void bus_publisher_label_changed(BusPublisher *p, const Task *t);
void bus_publisher_priority_changed(BusPublisher *p, const Task *t);
/* A message came to the task, or it sent one: each is told, at once. from: 0 = a client. */
void bus_publisher_message(BusPublisher *p, uint64_t id, uint64_t from, const char *text);
/* An attempt is over that was not the last: what it printed last goes out. */
void bus_publisher_attempt_ended(BusPublisher *p, Task *t);
/* What was held back goes out, then Finished. */
void bus_publisher_task_finished(BusPublisher *p, Task *t);
void bus_publisher_task_removed(BusPublisher *p, uint64_t id);
void bus_publisher_group_finished(BusPublisher *p, const char *group, unsigned succeeded,
                                  unsigned failed);
/* What was sent has not been taken by the bus yet: what is in no hurry had better wait. */
bool bus_publisher_is_busy(const BusPublisher *p);
/* Sends everything that is held back: the daemon ends. */
void bus_publisher_flush(BusPublisher *p);
