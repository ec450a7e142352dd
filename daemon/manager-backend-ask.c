#include <errno.h>

#include "daemon/http/messenger.h"
#include "daemon/manager-private.h"

/* What clients ask of backends: on to http/, whose answers come later. */

static int check(void *userdata, Backend *b,
                 void (*func)(void *arg, bool online, const Error *error), void *arg,
                 Error *error) {
    return backend_watch_check(b, func, arg);
}

static int nothing_to_poll(const Backend *b, Error *error) {
    if (streq(b->settings->type, BACKEND_TYPE_MESSENGER))
        return error_set(error, ERROR_INVALID_OPTION,
                         "There is nothing to poll of backend %s: say whose messages, by "
                         "LoadMessages or CurrentPeer",
                         b->name);
    return error_set(error, ERROR_INVALID_OPTION,
                     "There is nothing to poll of backend %s: it has no poll-path", b->name);
}

static int poll(void *userdata, Backend *b, void (*func)(void *arg, const Error *error), void *arg,
                Error *error) {
    int r = backend_watch_poll(b, func, arg);

    return r == -ENODATA ? nothing_to_poll(b, error) : r;
}

static int
request(void *userdata, Backend *b, const char *method, const char *path, const char *body,
        void (*func)(void *arg, unsigned http_status, const char *body, const Error *error),
        void *arg, Error *error) {
    return backend_watch_request(b, method, path, body, func, arg, error);
}

/* ---- messengers ---- */

static int load_friends(void *userdata, Backend *b,
                        void (*func)(void *arg, const FriendList *l, const Error *error), void *arg,
                        Error *error) {
    return messenger_load_friends(b, func, arg, error);
}

static int add_friend(void *userdata, Backend *b, const char *username,
                      void (*func)(void *arg, const FriendList *l, const Error *error), void *arg,
                      Error *error) {
    return messenger_add_friend(b, username, func, arg, error);
}

static int remove_friend(void *userdata, Backend *b, const char *username,
                         void (*func)(void *arg, const Error *error), void *arg, Error *error) {
    return messenger_remove_friend(b, username, func, arg, error);
}

static int load_messages(void *userdata, Backend *b, const char *peer, unsigned limit,
                         void (*func)(void *arg, const char *peer, const MessageList *l,
                                      const Error *error),
                         void *arg, Error *error) {
    return messenger_load_messages(b, peer, limit, func, arg, error);
}

static int send_message(void *userdata, Backend *b, const char *to, const char *content,
                        void (*func)(void *arg, const char *peer, const MessageList *l,
                                     const Error *error),
                        void *arg, Error *error) {
    return messenger_send(b, to, content, func, arg, error);
}

static int delete_message(void *userdata, Backend *b, const char *id,
                          void (*func)(void *arg, const Error *error), void *arg, Error *error) {
    return messenger_delete_message(b, id, func, arg, error);
}

static int set_current_peer(void *userdata, Backend *b, const char *peer, Error *error) {
    return messenger_set_current_peer(b, peer, error);
}

/* ---- all of it ---- */

const BackendApi manager_backend_api = {
    .find = manager_find_backend,
    .next = manager_next_backend,
    .add = manager_add_backend,
    .remove = manager_remove_backend,
    .set_polling = manager_set_backend_polling,
    .check = check,
    .poll = poll,
    .request = request,
    .load_friends = load_friends,
    .add_friend = add_friend,
    .remove_friend = remove_friend,
    .load_messages = load_messages,
    .send_message = send_message,
    .delete_message = delete_message,
    .set_current_peer = set_current_peer,
};
