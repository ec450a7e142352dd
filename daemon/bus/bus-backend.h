#pragma once

#include "daemon/bus/bus.h"

/* Objects of backends. */

/* Of a path under LONGRUN_BACKEND_PATH; NULL = there is none. */
Backend *bus_backend_of_path(const Bus *b, const char *path);
/* The object that a method is called on: it has been said that there is one. */
Backend *bus_backend_of_call(const Bus *b, sd_bus_message *m);

/* Methods of the Manager. */
int bus_method_add_backend(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_remove_backend(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_list_backends(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
