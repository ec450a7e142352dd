#pragma once

#include <errno.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "common/cleanup.h"

/* The error of sending says that the bus is gone: the daemon hears of that otherwise, and ends. */
static inline bool bus_is_gone(int error) {
    return error == -ENOTCONN || error == -ECONNRESET || error == -EPIPE;
}

static inline void message_unrefp(sd_bus_message **m) {
    sd_bus_message_unref(*m);
}

#define _cleanup_message_ _cleanup_(message_unrefp)
