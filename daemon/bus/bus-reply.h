#pragma once

#include "daemon/bus/bus.h"

/* Sends the reply once all that has been changed is safe, or the error Storage. Takes the reply;
 * gives what the method handler returns. */
int bus_reply_when_committed(Bus *b, sd_bus_message *call, sd_bus_message *reply);
