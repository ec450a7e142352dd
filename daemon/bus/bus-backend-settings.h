#pragma once

#include <systemd/sd-bus.h>

#include "daemon/core/backend-settings.h"

/* The settings of a backend as a{sv}. */

/* Reads them over what is there; they are not checked together. 0, -EREMOTE with the error set
 * (unknown, of another type, given twice), or -errno of a message that does not parse. */
int bus_backend_settings_read(sd_bus_message *m, BackendSettings *s, Error *error);

/* Appends all of them. 0 or -errno. */
int bus_backend_settings_append(sd_bus_message *m, const BackendSettings *s);
