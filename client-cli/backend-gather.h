#pragma once

#include <systemd/sd-bus.h>

#include "client-cli/json.h"

/* One question to many backends at once, so that those that are slow are waited for together. */

typedef struct BackendQuestion {
    const char *interface, *member;
    const char *argument; /* a string; NULL: none */
    uint64_t timeout;     /* microseconds, 0 = the default */
} BackendQuestion;

/* Answers in the order of the names, an array of which JSON has; each the caller's to unref, and an
 * error where there is one. 0, EXIT_FAILURE or -errno after a message. */
int backend_gather(sd_bus *bus, const cJSON *names, const BackendQuestion *question,
                   sd_bus_message **ret_replies);
void backend_replies_free(sd_bus_message **replies, size_t n);

/* Whether there is no backend of that name. */
bool backend_reply_is_absent(sd_bus_message *reply);

/* The properties of those that are there, an array. */
int backend_gather_properties(sd_bus *bus, const cJSON *names, cJSON **ret);
