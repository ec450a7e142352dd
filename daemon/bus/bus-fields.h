#pragma once

#include "daemon/bus/bus-api.h"

/* What the bus shows of a task, said once: a property of the Task interface and a key of ListTasks
 * each. */

typedef struct BusField {
    const char *property; /* "CreatedAt" */
    const char *key;      /* "created-at"; NULL = not listed */
    const char *type;
    int (*append)(sd_bus_message *m, const Task *t);
    bool large; /* has no small cap */
} BusField;

const BusField *bus_field_by_property(const char *property); /* NULL for an unknown one */

/* Picks fields by their keys, all that are listed for NULL, into a NULL-terminated array that the
 * caller frees. 0, -EREMOTE for an unknown key, or -ENOMEM. */
int bus_fields_pick(char *const *keys, const BusField ***ret, Error *error);

/* Bytes that the task takes in a list with these fields, roughly, beyond a few KiB. */
size_t bus_fields_size(const Task *t, const BusField *const *fields);

/* Appends one entry of a dictionary, under the name that is given. */
int bus_fields_append_entry(sd_bus_message *m, const Task *t, const BusField *f, const char *name);

/* Appends a task as a dictionary, a{sv}. */
int bus_fields_append(sd_bus_message *m, const Task *t, const BusField *const *fields);
