#pragma once

#include "daemon/bus/bus.h"

/* For handlers of the Task interface alone. */

/* The task whose method is called. There is one: a call of another does not come so far. */
Task *bus_task_of_call(const Bus *b, sd_bus_message *m);
