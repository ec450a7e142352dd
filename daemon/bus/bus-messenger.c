#include "daemon/bus/bus-messenger.h"

#include <errno.h>

#include "daemon/bus/bus-backend-call.h"
#include "daemon/bus/bus-backend.h"
#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-options.h"

/* ---- answers ---- */

static int append_friends(sd_bus_message *m, const void *data) {
    return bus_friends_append(m, data, SIZE_MAX);
}

static void on_friends(void *arg, const FriendList *l, const Error *error) {
    bus_backend_call_end(arg, error, append_friends, l);
}

static int append_friend(sd_bus_message *m, const void *data) {
    const FriendList *l = data;

    return l->n > 0 ? bus_friend_append(m, l->items) : -EPROTO;
}

static void on_friend(void *arg, const FriendList *l, const Error *error) {
    bus_backend_call_end(arg, error, append_friend, l);
}

static int append_messages(sd_bus_message *m, const void *data) {
    return bus_chat_messages_append(m, data, SIZE_MAX);
}

static void on_messages(void *arg, const char *peer, const MessageList *l, const Error *error) {
    bus_backend_call_end(arg, error, append_messages, l);
}

static int append_message(sd_bus_message *m, const void *data) {
    const MessageList *l = data;

    return l->n > 0 ? bus_chat_message_append(m, l->items) : -EPROTO;
}

static void on_message(void *arg, const char *peer, const MessageList *l, const Error *error) {
    bus_backend_call_end(arg, error, append_message, l);
}

static void on_done(void *arg, const Error *error) {
    bus_backend_call_end(arg, error, NULL, NULL);
}

/* ---- methods ---- */

/* What all of them begin with. */
typedef struct Begun {
    Bus *bus;
    const BackendApi *api;
    Backend *backend;
    BusBackendCall *call;
} Begun;

static int begin(sd_bus_message *m, void *userdata, sd_bus_error *ret_error, Begun *ret) {
    Bus *b = userdata;

    *ret = (Begun){.bus = b, .api = b->api->backends, .backend = bus_backend_of_call(b, m)};
    return bus_backend_call_new(&ret->call, b, m, ret->backend, ret_error);
}

static int method_load_friends(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    Begun c;
    int r = begin(m, userdata, ret_error, &c);

    if (r < 0)
        return r;
    r = c.api->load_friends(c.bus->api_userdata, c.backend, on_friends, c.call, &error);
    return bus_backend_call_begun(c.call, r, &error, ret_error);
}

static int method_add_friend(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    const char *username;
    Begun c;
    int r = sd_bus_message_read_basic(m, 's', &username);

    if (r >= 0)
        r = begin(m, userdata, ret_error, &c);
    if (r < 0)
        return r;
    r = c.api->add_friend(c.bus->api_userdata, c.backend, username, on_friend, c.call, &error);
    return bus_backend_call_begun(c.call, r, &error, ret_error);
}

static int method_remove_friend(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    const char *username;
    Begun c;
    int r = sd_bus_message_read_basic(m, 's', &username);

    if (r >= 0)
        r = begin(m, userdata, ret_error, &c);
    if (r < 0)
        return r;
    r = c.api->remove_friend(c.bus->api_userdata, c.backend, username, on_done, c.call, &error);
    return bus_backend_call_begun(c.call, r, &error, ret_error);
}

static int read_option(sd_bus_message *m, const char *key, void *userdata, Error *error) {
    uint32_t *limit = userdata;

    if (!streq(key, "limit"))
        return error_set(error, ERROR_UNKNOWN_OPTION,
                         "There is no option \"%.100s\" of LoadMessages. Known is: limit", key);
    int r = bus_option_read_basic(m, key, "u", limit, error);
    if (r >= 0 && (*limit < 1 || *limit > MESSENGER_LIMIT_MAX))
        return error_set(error, ERROR_INVALID_OPTION, "limit is from 1 to %d", MESSENGER_LIMIT_MAX);
    return r;
}

static int method_load_messages(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    uint32_t limit = 0;
    const char *peer;
    Begun c;
    int r = sd_bus_message_read_basic(m, 's', &peer);

    if (r >= 0)
        r = bus_entries_read(m, read_option, &limit, &error);
    if (r < 0)
        return bus_error_from(ret_error, r, &error);
    r = begin(m, userdata, ret_error, &c);
    if (r < 0)
        return r;
    r = c.api->load_messages(c.bus->api_userdata, c.backend, peer, limit, on_messages, c.call,
                             &error);
    return bus_backend_call_begun(c.call, r, &error, ret_error);
}

static int method_send_message(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    const char *to, *content;
    Begun c;
    int r = sd_bus_message_read(m, "ss", &to, &content);

    if (r >= 0)
        r = begin(m, userdata, ret_error, &c);
    if (r < 0)
        return r;
    r = c.api->send_message(c.bus->api_userdata, c.backend, to, content, on_message, c.call,
                            &error);
    return bus_backend_call_begun(c.call, r, &error, ret_error);
}

static int method_delete_message(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    const char *id;
    Begun c;
    int r = sd_bus_message_read_basic(m, 's', &id);

    if (r >= 0)
        r = begin(m, userdata, ret_error, &c);
    if (r < 0)
        return r;
    r = c.api->delete_message(c.bus->api_userdata, c.backend, id, on_done, c.call, &error);
    return bus_backend_call_begun(c.call, r, &error, ret_error);
}

/* ---- CurrentPeer ---- */

static int get_peer(sd_bus *bus, const char *path, const char *interface, const char *property,
                    sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    const Backend *b = bus_backend_of_path(userdata, path);

    return b ? sd_bus_message_append_basic(reply, 's', strempty(b->current_peer)) : -ENOENT;
}

static int set_peer(sd_bus *bus, const char *path, const char *interface, const char *property,
                    sd_bus_message *value, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    Bus *b = userdata;
    Backend *backend = bus_backend_of_path(b, path);
    const char *peer;
    int r = backend ? sd_bus_message_read_basic(value, 's', &peer) : -ENOENT;

    if (r >= 0)
        r = b->api->backends->set_current_peer(b->api_userdata, backend, peer, &error);
    return r < 0 ? bus_error_from(ret_error, r, &error) : 0;
}

/* ---- the interface ---- */

/* clang-format off */
static const sd_bus_vtable messenger_vtable[] = {
    SD_BUS_VTABLE_START(0),

    SD_BUS_METHOD_WITH_ARGS("LoadFriends", SD_BUS_NO_ARGS, SD_BUS_RESULT("aa{sv}", friends),
                            method_load_friends, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("AddFriend",
                            SD_BUS_ARGS("s", username), SD_BUS_RESULT("a{sv}", friend),
                            method_add_friend, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("RemoveFriend", SD_BUS_ARGS("s", username), SD_BUS_NO_RESULT,
                            method_remove_friend, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("LoadMessages",
                            SD_BUS_ARGS("s", peer, "a{sv}", options),
                            SD_BUS_RESULT("aa{sv}", messages),
                            method_load_messages, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("SendMessage",
                            SD_BUS_ARGS("s", to, "s", content),
                            SD_BUS_RESULT("a{sv}", message),
                            method_send_message, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("DeleteMessage", SD_BUS_ARGS("s", id), SD_BUS_NO_RESULT,
                            method_delete_message, SD_BUS_VTABLE_UNPRIVILEGED),

    SD_BUS_WRITABLE_PROPERTY("CurrentPeer", "s", get_peer, set_peer, 0,
                             SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE | SD_BUS_VTABLE_UNPRIVILEGED),

    SD_BUS_SIGNAL_WITH_ARGS("FriendsLoaded", SD_BUS_ARGS("aa{sv}", friends), 0),
    SD_BUS_SIGNAL_WITH_ARGS("FriendAdded", SD_BUS_ARGS("a{sv}", friend), 0),
    SD_BUS_SIGNAL_WITH_ARGS("MessagesLoaded", SD_BUS_ARGS("s", peer, "aa{sv}", messages), 0),
    SD_BUS_SIGNAL_WITH_ARGS("MessageSent", SD_BUS_ARGS("a{sv}", message), 0),

    SD_BUS_VTABLE_END
};
/* clang-format on */

static int find_messenger(sd_bus *bus, const char *path, const char *interface, void *userdata,
                          void **ret_found, sd_bus_error *error) {
    const Backend *b = bus_backend_of_path(userdata, path);

    if (!b || !streq(b->settings->type, BACKEND_TYPE_MESSENGER))
        return 0;
    *ret_found = userdata;
    return 1;
}

int bus_messenger_export(Bus *b) {
    return sd_bus_add_fallback_vtable(b->bus, &b->backend_slots[1], LONGRUN_BACKEND_PATH,
                                      LONGRUN_MESSENGER_INTERFACE, messenger_vtable, find_messenger,
                                      b);
}
