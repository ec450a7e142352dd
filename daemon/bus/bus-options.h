#pragma once

#include "daemon/bus/bus-api.h"

/* Reads the options of a task, a{sv}, from the message into the spec. 0, -EREMOTE with the error
 * set (unknown option, wrong type, two of one, odd JSON is not looked at here), or -errno of a
 * message that does not parse. */
int bus_options_read(sd_bus_message *m, const BusApi *api, void *api_userdata, TaskSpec *spec,
                     Error *error);

/* Reads a filter, a{sv}. Its strings point into the message. fields: where the names of the option
 * "fields" go (strv, owned by the caller), or NULL for a method whose filter has no such option;
 * cursor, limit and newest-first are known with it only, too. */
int bus_filter_read(sd_bus_message *m, TaskFilter *ret, char ***fields, Error *error);
