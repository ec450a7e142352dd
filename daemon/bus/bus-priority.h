#pragma once

#include "daemon/bus/bus.h"

/* SetPriority of the Task, SetPriorityAll of the Manager; userdata is the Bus. */
int bus_method_set_priority(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_set_priority_all(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
