#pragma once

#include <systemd/sd-bus.h>

#include "daemon/bus/backend-api.h"

/* Signals of backends, each put together and sent. What cannot be sent is logged. */

/* Bytes of JSON in a signal: everybody on the bus who listens gets it. Of what is larger it says
 * that there is something, and Request gives it. */
#define BUS_BACKEND_JSON_MAX (1 * MIB)

/* JSON as it is shown to everybody: "" when it is too large, or NULL. */
const char *bus_backend_json(const char *json);

/* The object's path, to be freed. NULL when memory is short. */
char *bus_backend_path(const char *name);

void bus_emit_backend_added(sd_bus *bus, const char *name);
void bus_emit_backend_removed(sd_bus *bus, const char *name);

void bus_emit_backend_online(sd_bus *bus, const Backend *b, bool online);
void bus_emit_backend_status(sd_bus *bus, const Backend *b, const char *json);
void bus_emit_backend_updated(sd_bus *bus, const Backend *b, const char *path, const char *json);
void bus_emit_backend_error(sd_bus *bus, const Backend *b, const char *message);

/* PropertiesChanged: State and Reason; Polling; CurrentPeer; all that settings say. */
void bus_emit_backend_state(sd_bus *bus, const Backend *b);
void bus_emit_backend_polling(sd_bus *bus, const Backend *b);
void bus_emit_backend_peer(sd_bus *bus, const Backend *b);
void bus_emit_backend_settings(sd_bus *bus, const Backend *b);

void bus_emit_friends_loaded(sd_bus *bus, const Backend *b, const FriendList *l);
void bus_emit_friend_added(sd_bus *bus, const Backend *b, const FriendList *one);
void bus_emit_messages_loaded(sd_bus *bus, const Backend *b, const char *peer,
                              const MessageList *l);
void bus_emit_message_sent(sd_bus *bus, const Backend *b, const MessageList *one);
