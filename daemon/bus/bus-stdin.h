#pragma once

#include "daemon/bus/bus.h"

/* WriteStdin and CloseStdin of the Task; userdata is the Bus. Calls that wait for the command to
 * read go with the one who made them. */
int bus_method_write_stdin(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_close_stdin(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);

/* Drops those that wait: the Bus goes. */
void bus_stdin_forget(Bus *b);
