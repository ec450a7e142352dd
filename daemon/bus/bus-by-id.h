#pragma once

#include "daemon/bus/bus.h"

/* The methods of the Manager that name tasks by their ids, whether these are in memory or on disk;
 * userdata is the Bus. */

/* Tasks of one call that may have to be read from disk. */
#define BUS_BY_ID_RECALL_MAX 10000

int bus_method_cancel(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_get_task(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_wait(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_remove_tasks(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
