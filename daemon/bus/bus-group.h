#pragma once

#include "daemon/bus/bus.h"

/* The methods of the Manager for groups; userdata is the Bus. */
int bus_method_configure_group(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_remove_group(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_list_groups(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_pause(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_resume(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_drain(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);

/* Their names. */
int bus_property_get_groups(sd_bus *bus, const char *path, const char *interface,
                            const char *property, sd_bus_message *reply, void *userdata,
                            sd_bus_error *error);
