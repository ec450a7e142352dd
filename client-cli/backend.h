#pragma once

#include <systemd/sd-bus.h>

#include "client-cli/json.h"
#include "common/macro.h"

/* Backends and messengers on the bus. As in client.h: what can fail has said why. */

/* The object of a backend, a fresh string; and the name of one from the path of its object, NULL
 * when that is none. */
char *backend_path(const char *name);
char *backend_name(const char *path);

/* A call of a method of it, to be filled in. 0, EXIT_FAILURE when the name is not UTF-8, or -errno.
 */
int backend_new_call(sd_bus *bus, const char *name, const char *interface, const char *member,
                     sd_bus_message **ret);
/* All properties; with a messenger, those of both interfaces. */
int backend_properties(sd_bus *bus, const char *name, cJSON **ret);
/* The names of all, in their order, as an array of JSON. */
int backend_names(sd_bus *bus, cJSON **ret);

/* Reports errors that only calls of backends have: there is none of that name, or it is no
 * messenger. False when the error is another one. */
bool backend_report(sd_bus_message *call, const sd_bus_error *error);
