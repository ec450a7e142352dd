#pragma once

#include <systemd/sd-bus.h>

#include "client-cli/command.h"

/* The options of a task, from those of the command line and from where the caller is. Both append
 * entries to the open a{sv} of a call. 0; EXIT_USAGE, EXIT_FAILURE or -errno after a message. */

/* What every task has: label, unique, stop-timeout, ... */
int task_options_append(const Invocation *inv, sd_bus_message *call);

/* What a command inherits: working directory, environment, umask. */
int task_options_append_surroundings(const Invocation *inv, sd_bus_message *call);
