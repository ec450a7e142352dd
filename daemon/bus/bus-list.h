#pragma once

#include "daemon/bus/bus.h"

/* The methods of the Manager that take a filter for tasks in memory and on disk; userdata is the
 * Bus. */

/* A message of D-Bus has at most 128 MiB, and who sends a larger one is thrown off the bus: a page
 * ends before that. */
#define BUS_PAGE_BYTES_MAX (32 * MIB)

int bus_method_list_tasks(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_count_tasks(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_prune(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
