#pragma once

#include <systemd/sd-bus.h>

#include "daemon/core/error.h"

/* Answers of "no" on the bus. */

/* Turns the result of a function with an Error into what a method handler returns: sets the D-Bus
 * error for -EREMOTE, and leaves any other -errno to sd-bus, which maps it. */
int bus_error_from(sd_bus_error *ret, int r, const Error *e);

/* For a method: NoSuchTask, with what to do. */
int bus_error_no_such_task(sd_bus_error *ret, uint64_t id);
