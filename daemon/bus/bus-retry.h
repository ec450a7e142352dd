#pragma once

#include "daemon/bus/bus.h"

/* Retry of the Task, RetryAll of the Manager; userdata is the Bus. */
int bus_method_retry(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_retry_all(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
