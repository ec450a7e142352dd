#include "daemon/http/messenger.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/http/backend-answer.h"
#include "daemon/http/messenger-private.h"
#include "daemon/http/messenger-text.h"

/* ---- what is kept with the backend ---- */

Messenger *messenger_of(Backend *b) {
    Messenger *m = b->kept;

    if (m)
        return m;
    m = malloc(sizeof(Messenger));
    if (!m)
        return NULL;
    *m = (Messenger){.b = b, .limit = MESSENGER_LIMIT_DEFAULT};
    TAILQ_INIT(&m->loads);
    TAILQ_INIT(&m->changes);
    return b->kept = m;
}

static void forget_told(Messenger *m) {
    message_list_done(&m->told);
    m->has_told = false;
}

static void messenger_forget(Backend *b) {
    _cleanup_error_ Error error = {};
    Messenger *m = b->kept;

    if (!m)
        return;
    error_set(&error, ERROR_NO_SUCH_BACKEND, "the backend \"%s\" has been removed", b->name);
    messenger_drop_loads(m, &error);
    messenger_drop_changes(m, &error);
    forget_told(m);
    free(m);
    b->kept = NULL;
}

void messenger_keep_told(Messenger *m, const char *peer, MessageList *l) {
    if (!streq(peer, m->b->current_peer))
        return;
    forget_told(m);
    m->told = *l;
    m->has_told = true;
    *l = (MessageList){};
}

/* ---- errors ---- */

int messenger_check_reply(const HttpReply *reply, MessengerAnswer *ret, Error *error) {
    if (reply->error < 0)
        return answer_error(reply, error);
    *ret = (MessengerAnswer){reply->status, reply->body, reply->body_size};
    return 0;
}

void messenger_fail(Error *error, int r) {
    if (r != -EREMOTE)
        error_set(error, ERROR_BACKEND_FAILED, "%s", strerror(-r));
}

static int check_name(const char *what, const char *name, Error *error) {
    const char *problem = messenger_name_problem(name);

    return problem ? error_set(error, ERROR_INVALID_OPTION, "%s %s", what, problem) : 0;
}

static int check_content(const char *content, Error *error) {
    if (messenger_is_blank(content))
        return error_set(error, ERROR_INVALID_OPTION,
                         "the message is empty: there is nothing to send");
    if (strlen(content) > MESSENGER_CONTENT_MAX)
        return error_set(error, ERROR_INVALID_OPTION,
                         "the message is longer than 64 KiB: send it in parts");
    return 0;
}

/* ---- the current peer ---- */

/* Somebody who wants few messages does not take them from those who want more. */
static int set_peer(Messenger *m, const char *peer, unsigned limit) {
    const BackendEvents *events;
    void *userdata;
    char *copy;

    if (streq(m->b->current_peer, peer)) {
        m->limit = MAX(m->limit, limit);
        return 0;
    }
    copy = strdup(peer);
    if (!copy)
        return -ENOMEM;
    free(m->b->current_peer);
    m->b->current_peer = copy;
    m->limit = limit;
    forget_told(m);
    events = backend_watch_events(m->b, &userdata);
    events->current_peer_changed(userdata, m->b);
    return 0;
}

int messenger_set_current_peer(Backend *b, const char *peer, Error *error) {
    Messenger *m = messenger_of(b);
    int r;

    if (!m)
        return -ENOMEM;
    r = peer[0] ? check_name("CurrentPeer", peer, error) : 0;
    if (r < 0 || streq(b->current_peer, peer))
        return r;
    r = set_peer(m, peer, MESSENGER_LIMIT_DEFAULT);
    if (r < 0)
        return r;
    backend_watch_poll_anew(b);
    return 0;
}

/* ---- lists ---- */

static int load(Messenger *m, const char *peer, unsigned limit, const Waiter *asks, Error *error) {
    _cleanup_free_ Waiter *waiter = malloc(sizeof(Waiter));
    int r;

    if (!waiter)
        return -ENOMEM;
    *waiter = *asks;
    r = messenger_load(m, peer, limit, waiter, error);
    if (r < 0)
        return r;
    waiter = NULL;
    return 0;
}

int messenger_load_friends(Backend *b, MessengerFriendsFunc func, void *arg, Error *error) {
    Waiter asks = {.friends_func = func, .arg = arg};
    Messenger *m = messenger_of(b);

    return m ? load(m, NULL, 0, &asks, error) : -ENOMEM;
}

int messenger_load_messages(Backend *b, const char *peer, unsigned limit,
                            MessengerMessagesFunc func, void *arg, Error *error) {
    Waiter asks = {.messages_func = func, .arg = arg};
    Messenger *m = messenger_of(b);
    int r;

    if (!m)
        return -ENOMEM;
    r = check_name("the peer", peer, error);
    if (r < 0)
        return r;
    if (limit > MESSENGER_LIMIT_MAX)
        return error_set(error, ERROR_INVALID_OPTION, "limit must be at most %d",
                         MESSENGER_LIMIT_MAX);
    limit = limit ?: MESSENGER_LIMIT_DEFAULT;
    r = set_peer(m, peer, limit);
    if (r < 0)
        return r;
    backend_watch_poll_later(b);
    return load(m, peer, limit, &asks, error);
}

/* ---- changes ---- */

/* What the name is of, for an error. */
static int change(Backend *b, const char *what, const ChangeAsk *ask, Error *error) {
    Messenger *m = messenger_of(b);
    int r = m ? check_name(what, ask->name, error) : -ENOMEM;

    if (r >= 0 && ask->kind == CHANGE_SEND)
        r = check_content(ask->content, error);
    return r < 0 ? r : messenger_change(m, ask, error);
}

int messenger_add_friend(Backend *b, const char *username, MessengerFriendsFunc func, void *arg,
                         Error *error) {
    ChangeAsk ask = {.kind = CHANGE_ADD_FRIEND, .name = username, .friends_func = func, .arg = arg};

    return change(b, "the username", &ask, error);
}

int messenger_remove_friend(Backend *b, const char *username, MessengerDoneFunc func, void *arg,
                            Error *error) {
    ChangeAsk ask = {.kind = CHANGE_REMOVE_FRIEND, .name = username, .done_func = func, .arg = arg};

    return change(b, "the username", &ask, error);
}

int messenger_send(Backend *b, const char *to, const char *content, MessengerMessagesFunc func,
                   void *arg, Error *error) {
    ChangeAsk ask = {
        .kind = CHANGE_SEND, .name = to, .content = content, .messages_func = func, .arg = arg};

    return change(b, "the peer", &ask, error);
}

int messenger_delete_message(Backend *b, const char *id, MessengerDoneFunc func, void *arg,
                             Error *error) {
    ChangeAsk ask = {.kind = CHANGE_DELETE, .name = id, .done_func = func, .arg = arg};

    return change(b, "the id", &ask, error);
}

/* ---- polls ---- */

static char *messenger_poll_path(const Backend *b) {
    const Messenger *m = b->kept;

    return b->current_peer[0]
               ? messenger_messages_path(b->current_peer, m ? m->limit : MESSENGER_LIMIT_DEFAULT)
               : NULL;
}

static bool messenger_is_loading_peer(const Backend *b) {
    const Messenger *m = b->kept;

    return m && messenger_is_loading(m, b->current_peer);
}

/* The answer may be to a question of before: then it is about somebody else. */
static int messenger_polled(Backend *b, const char *path, const char *json, Error *error) {
    MessengerAnswer a = {.status = 200, .body = json, .size = strlen(json)};
    _cleanup_message_list_ MessageList messages = {};
    _cleanup_free_ char *current = messenger_poll_path(b);
    Messenger *m = messenger_of(b);
    const BackendEvents *events;
    void *userdata;
    int r;

    if (!current || !streq(current, path))
        return 0;
    r = m ? messenger_read_messages(&a, b->current_peer, m->limit, &messages, error) : -ENOMEM;
    if (r < 0) {
        messenger_fail(error, r);
        return -EREMOTE;
    }
    if (m->has_told && message_list_equal(&m->told, &messages))
        return 0;
    events = backend_watch_events(b, &userdata);
    events->messages_loaded(userdata, b, b->current_peer, &messages);
    messenger_keep_told(m, b->current_peer, &messages);
    return 0;
}

const BackendType backend_type_messenger = {
    .name = BACKEND_TYPE_MESSENGER,
    .poll_path = messenger_poll_path,
    .is_loading = messenger_is_loading_peer,
    .polled = messenger_polled,
    .poll_failed = "Failed to load messages",
    .forget = messenger_forget,
};
