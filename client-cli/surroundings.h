#pragma once

#include <systemd/sd-bus.h>

#include "client-cli/command.h"

/* What a command inherits from where the caller is: working directory, environment, umask,
 * and with OPT_PTY the size of the terminal. Appends them to the open a{sv} of a call. 0;
 * EXIT_USAGE, EXIT_FAILURE or -errno after a message. */
int surroundings_append(const Invocation *inv, sd_bus_message *call);
/* The file mode creation mask alone. */
int surroundings_append_umask(const Invocation *inv, sd_bus_message *call);
