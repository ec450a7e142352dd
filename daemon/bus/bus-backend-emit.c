#include "daemon/bus/bus-backend-emit.h"

#include <errno.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/text.h"
#include "daemon/bus/bus-api.h"
#include "daemon/bus/bus-message.h"
#include "daemon/bus/bus-messenger.h"

#define TEXT_MAX (8 * KIB)

const char *bus_backend_json(const char *json) {
    return !json || strlen(json) > BUS_BACKEND_JSON_MAX || !utf8_is_valid(json) ? "" : json;
}

char *bus_backend_path(const char *name) {
    char *path = NULL;

    return sd_bus_path_encode(LONGRUN_BACKEND_PATH, name, &path) < 0 ? NULL : path;
}

static void report(int r, const char *what) {
    if (r < 0 && !bus_is_gone(r))
        log_warning_errno(r, "Cannot send the signal %s of a backend, ignoring", what);
}

/* ---- of the Manager ---- */

static void emit_of_manager(sd_bus *bus, const char *signal, const char *name) {
    _cleanup_free_ char *path = bus_backend_path(name);

    report(path ? sd_bus_emit_signal(bus, LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE, signal,
                                     "so", name, path)
                : -ENOMEM,
           signal);
}

void bus_emit_backend_added(sd_bus *bus, const char *name) {
    emit_of_manager(bus, "BackendAdded", name);
}

void bus_emit_backend_removed(sd_bus *bus, const char *name) {
    emit_of_manager(bus, "BackendRemoved", name);
}

/* ---- of a backend ---- */

/* Opens a signal of the object. */
static int new_signal(sd_bus *bus, const Backend *b, const char *interface, const char *signal,
                      sd_bus_message **ret) {
    _cleanup_free_ char *path = bus_backend_path(b->name);

    return path ? sd_bus_message_new_signal(bus, ret, path, interface, signal) : -ENOMEM;
}

static void emit_text(sd_bus *bus, const Backend *b, const char *signal, const char *text) {
    _cleanup_message_ sd_bus_message *m = NULL;
    int r = new_signal(bus, b, LONGRUN_BACKEND_INTERFACE, signal, &m);

    if (r >= 0)
        r = sd_bus_message_append_basic(m, 's', text);
    report(r < 0 ? r : sd_bus_send(bus, m, NULL), signal);
}

void bus_emit_backend_online(sd_bus *bus, const Backend *b, bool online) {
    _cleanup_message_ sd_bus_message *m = NULL;
    int r = new_signal(bus, b, LONGRUN_BACKEND_INTERFACE, "BackendOnline", &m), flag = online;

    if (r >= 0)
        r = sd_bus_message_append_basic(m, 'b', &flag);
    report(r < 0 ? r : sd_bus_send(bus, m, NULL), "BackendOnline");
}

void bus_emit_backend_status(sd_bus *bus, const Backend *b, const char *json) {
    emit_text(bus, b, "StatusUpdated", bus_backend_json(json));
}

void bus_emit_backend_updated(sd_bus *bus, const Backend *b, const char *path, const char *json) {
    _cleanup_message_ sd_bus_message *m = NULL;
    int r = new_signal(bus, b, LONGRUN_BACKEND_INTERFACE, "Updated", &m);

    if (r >= 0)
        r = sd_bus_message_append(m, "ss", path, bus_backend_json(json));
    report(r < 0 ? r : sd_bus_send(bus, m, NULL), "Updated");
}

void bus_emit_backend_error(sd_bus *bus, const Backend *b, const char *message) {
    _cleanup_free_ char *text = text_clean(message, strlen(message), TEXT_MAX);

    emit_text(bus, b, "Error", strempty(text));
}

/* ---- properties ---- */

static void emit_properties(sd_bus *bus, const Backend *b, const char *interface, char **names) {
    _cleanup_free_ char *path = bus_backend_path(b->name);
    int r = path ? sd_bus_emit_properties_changed_strv(bus, path, interface, names) : -ENOMEM;

    report(r, "PropertiesChanged");
}

#define NAMES(...) ((char **)(const char *const[]){__VA_ARGS__, NULL})

void bus_emit_backend_state(sd_bus *bus, const Backend *b) {
    emit_properties(bus, b, LONGRUN_BACKEND_INTERFACE, NAMES("State", "Reason"));
}

void bus_emit_backend_polling(sd_bus *bus, const Backend *b) {
    emit_properties(bus, b, LONGRUN_BACKEND_INTERFACE, NAMES("Polling"));
}

void bus_emit_backend_peer(sd_bus *bus, const Backend *b) {
    if (streq(b->settings->type, BACKEND_TYPE_MESSENGER))
        emit_properties(bus, b, LONGRUN_MESSENGER_INTERFACE, NAMES("CurrentPeer"));
}

void bus_emit_backend_settings(sd_bus *bus, const Backend *b) {
    emit_properties(
        bus, b, LONGRUN_BACKEND_INTERFACE,
        NAMES("Url", "Type", "Origin", "Polling", "StatusInterval", "PollInterval", "Settings"));
}

/* ---- of a messenger ---- */

void bus_emit_friends_loaded(sd_bus *bus, const Backend *b, const FriendList *l) {
    _cleanup_message_ sd_bus_message *m = NULL;
    int r = new_signal(bus, b, LONGRUN_MESSENGER_INTERFACE, "FriendsLoaded", &m);

    if (r >= 0)
        r = bus_friends_append(m, l, BUS_BACKEND_JSON_MAX);
    report(r < 0 ? r : sd_bus_send(bus, m, NULL), "FriendsLoaded");
}

void bus_emit_friend_added(sd_bus *bus, const Backend *b, const FriendList *one) {
    _cleanup_message_ sd_bus_message *m = NULL;
    int r = new_signal(bus, b, LONGRUN_MESSENGER_INTERFACE, "FriendAdded", &m);

    if (r >= 0)
        r = bus_friend_append(m, one->items);
    report(r < 0 ? r : sd_bus_send(bus, m, NULL), "FriendAdded");
}

void bus_emit_messages_loaded(sd_bus *bus, const Backend *b, const char *peer,
                              const MessageList *l) {
    _cleanup_message_ sd_bus_message *m = NULL;
    int r = new_signal(bus, b, LONGRUN_MESSENGER_INTERFACE, "MessagesLoaded", &m);

    if (r >= 0)
        r = sd_bus_message_append_basic(m, 's', peer);
    if (r >= 0)
        r = bus_chat_messages_append(m, l, BUS_BACKEND_JSON_MAX);
    report(r < 0 ? r : sd_bus_send(bus, m, NULL), "MessagesLoaded");
}

void bus_emit_message_sent(sd_bus *bus, const Backend *b, const MessageList *one) {
    _cleanup_message_ sd_bus_message *m = NULL;
    int r = new_signal(bus, b, LONGRUN_MESSENGER_INTERFACE, "MessageSent", &m);

    if (r >= 0)
        r = bus_chat_message_append(m, one->items);
    report(r < 0 ? r : sd_bus_send(bus, m, NULL), "MessageSent");
}
