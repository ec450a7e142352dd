#pragma once

#include "daemon/bus/bus.h"

/* Send and SendToChildren of the Task; userdata is the Bus. */
int bus_method_send(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_send_to_children(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
