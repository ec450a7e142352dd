#pragma once

#include <systemd/sd-bus.h>

#include "common/cleanup.h"

static inline void message_unrefp(sd_bus_message **m) {
    sd_bus_message_unref(*m);
}

#define _cleanup_message_ _cleanup_(message_unrefp)
