#pragma once

#include "daemon/bus/bus.h"

/* Replies that wait until all that has been changed is safe. They take the reply and give what a
 * method handler returns. When it cannot be made safe, the caller gets the error Storage; what has
 * become of the change is said in its words. */

/* Of new tasks, which are withdrawn then. */
int bus_reply_when_started(Bus *b, sd_bus_message *call, sd_bus_message *reply);
/* Of any other change, which stays in memory then and is written later. */
int bus_reply_when_committed(Bus *b, sd_bus_message *call, sd_bus_message *reply);
/* The same with a number, and with nothing, as the reply. */
int bus_reply_number(Bus *b, sd_bus_message *call, uint32_t number);
int bus_reply_nothing(Bus *b, sd_bus_message *call);

/* Drops those that wait: the Bus goes. */
void bus_replies_forget(Bus *b);
