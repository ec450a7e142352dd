#pragma once

#include <systemd/sd-bus.h>

#include "common/macro.h"

/* Entries of the a{sv} of a call that is being put together. All give 0, or -errno after a message;
 * append_string() and append_strings() EXIT_FAILURE when the text is not UTF-8. */

/* The a{sv} itself. */
int append_open(sd_bus_message *call);
int append_close(sd_bus_message *call);

int append_string(sd_bus_message *call, const char *key, const char *value);
int append_strings(sd_bus_message *call, const char *key, const char *const *values);
int append_u64(sd_bus_message *call, const char *key, uint64_t value);
int append_u32(sd_bus_message *call, const char *key, uint32_t value);
int append_i32(sd_bus_message *call, const char *key, int32_t value);
int append_bytes(sd_bus_message *call, const char *key, const void *data, size_t size);
int append_bool(sd_bus_message *call, const char *key, bool value);

/* An entry that is an array of such contents ("t", "{su}"): what is appended between the two goes
 * into it. */
int append_open_array(sd_bus_message *call, const char *key, const char *contents);
int append_close_array(sd_bus_message *call);
