#pragma once

#include "daemon/bus/bus.h"

/* The methods of the Manager for resources; userdata is the Bus. */
int bus_method_configure_resource(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_list_resources(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
