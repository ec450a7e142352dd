#pragma once

#include <systemd/sd-bus.h>

#include "daemon/core/error.h"

/* Answers of "no" on the bus. */

/* Turns the result of a function with an Error into what a method handler returns: sets the D-Bus
 * error for -EREMOTE, and leaves any other -errno to sd-bus, which maps it. */
int bus_error_from(sd_bus_error *ret, int r, const Error *e);

/* These set the error and give what a method handler returns. NoSuchTask, with what to do: */
int bus_error_no_such_task(sd_bus_error *ret, uint64_t id);
#define BUS_ERROR_STORAGE "org.longrun.Longrun1.Error.Storage"
/* Storage: what failed, why (-errno), and what to do. */
int bus_error_storage(sd_bus_error *ret, int error, const char *what);

/* What to do about an error of the disk, as the beginning of a sentence. */
const char *bus_storage_advice(int error);

/* Answers a call that no method handler answers any more: with the error, or, if it is not set,
 * with -errno. */
void bus_reply_error(sd_bus_message *call, int r, const sd_bus_error *error);
