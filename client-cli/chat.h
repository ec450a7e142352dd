#pragma once

#include <systemd/sd-bus.h>

#include "client-cli/command.h"
#include "client-cli/json.h"

/* longrun chat: what its parts share. args[0] is the backend, args[1] what to do, if it is named.
 */

int chat_read(const Invocation *inv, sd_bus *bus);
int chat_send(const Invocation *inv, sd_bus *bus);

/* Goes on with what comes after the messages that were read before, until something ends it. Gives
 * -errno after a message. */
int chat_follow(sd_bus *bus, const char *backend, const char *peer, const cJSON *messages,
                bool as_json);

/* A call of a method of a messenger; see backend_new_call(). */
int chat_new_call(sd_bus *bus, const char *backend, const char *member, sd_bus_message **ret);
/* Appends a string. 0, or EXIT_FAILURE when it is not UTF-8, or -errno, after a message. */
int chat_append(sd_bus_message *call, const char *what, const char *text);
/* Asks for the last messages from and to somebody; lines: how many, 0 = what the daemon thinks
 * right. */
int chat_new_load(sd_bus *bus, const char *backend, const char *peer, uint32_t lines,
                  sd_bus_message **ret);

/* ---- what people see ---- */

/* What somebody else has written, on one line and harmless: no control characters, no escape
 * sequences, nothing that turns the direction of the line; where there was a line break is "⏎".
 * Fresh string. */
char *chat_text(const char *s);
/* "2026-01-31T23:59:59+01:00 received bob: text", or an object; at once. */
void chat_print_message(const cJSON *message, bool as_json);
