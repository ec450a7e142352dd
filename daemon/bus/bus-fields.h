#pragma once

#include "daemon/bus/bus.h"
#include "daemon/core/task-options.h"

/* What the bus shows of a task, said once: a property of the Task interface and a key of ListTasks
 * each. The options of a task are among it. */

#define BUS_PROPERTY_MAX 24

typedef struct BusField {
    const char *key;                 /* "created-at" */
    char property[BUS_PROPERTY_MAX]; /* "CreatedAt" */
    const char *type;
    uint64_t flags;           /* of the property: SD_BUS_VTABLE_PROPERTY_* */
    bool hidden;              /* is no key of ListTasks */
    bool large;               /* has no small cap */
    bool at_end;              /* there is nothing to see of it before the end has been told */
    bool of_work;             /* offset is one in TaskWork */
    const TaskOption *option; /* it is one; NULL: it is of the task itself */
    size_t offset;            /* in the task, unless there is one of the others */
    int (*append)(sd_bus_message *m, const Bus *b, const Task *t);
} BusField;

const BusField *bus_fields(void);                            /* ends with one that has no key */
const BusField *bus_field_by_property(const char *property); /* NULL for an unknown one */

/* Picks fields by their keys, all that are listed for NULL, into a NULL-terminated array that the
 * caller frees. 0, -EREMOTE for an unknown key, or -ENOMEM. */
int bus_fields_pick(char *const *keys, const BusField ***ret, Error *error);

/* Bytes that the task takes in a list with these fields, roughly, beyond a few KiB. */
size_t bus_fields_size(const Task *t, const BusField *const *fields);

/* Appends the value alone. */
int bus_field_append(sd_bus_message *m, const BusField *f, const Bus *b, const Task *t);

/* Appends a task as a dictionary, a{sv}. */
int bus_fields_append(sd_bus_message *m, const Bus *b, const Task *t,
                      const BusField *const *fields);
