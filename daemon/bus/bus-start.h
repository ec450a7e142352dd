#pragma once

#include "daemon/bus/bus.h"

/* The methods of the Manager that start tasks; userdata is the Bus. */
int bus_method_start(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_start_command(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_start_many(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
