/* What changes something at the server: one after the other, in the order in which it was asked
 * for, so that messages arrive in that order. None is ever sent twice. */

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "daemon/http/messenger-private.h"
#include "daemon/http/messenger-text.h"

/* Who has waited for his turn so long does not wait for an answer any more: what would be sent then
 * would be sent again. */
#define TURN_USEC_MAX (15 * USEC_PER_SEC)

struct Change {
    Messenger *m; /* not owned */
    ChangeKind kind;
    char *name, *content;
    MessengerFriendsFunc friends_func;
    MessengerMessagesFunc messages_func;
    MessengerDoneFunc done_func;
    void *arg;
    uint64_t asked_usec;
    HttpCall *call; /* NULL: it waits for those before it */
    TAILQ_ENTRY(Change) entry;
};

static const char *const failed_table[] = {
    [CHANGE_ADD_FRIEND] = "Failed to add friend: ",
    [CHANGE_REMOVE_FRIEND] = "Failed to remove friend: ",
    [CHANGE_SEND] = "Failed to send message: ",
    [CHANGE_DELETE] = "Failed to delete message: ",
};

static Change *change_free(Change *c) {
    if (!c)
        return NULL;
    http_call_free(c->call);
    free(c->name);
    free(c->content);
    free(c);
    return NULL;
}
DEFINE_CLEANUP(Change *, change_free)

static Change *change_new(Messenger *m, const ChangeAsk *ask) {
    _cleanup_(change_freep) Change *c = malloc(sizeof(Change));

    if (!c)
        return NULL;
    *c = (Change){
        .m = m,
        .kind = ask->kind,
        .name = strdup(ask->name),
        .content = strdup(strempty(ask->content)),
        .friends_func = ask->friends_func,
        .messages_func = ask->messages_func,
        .done_func = ask->done_func,
        .arg = ask->arg,
        .asked_usec = clock_usec(CLOCK_MONOTONIC),
    };
    return c->name && c->content ? TAKE_PTR(c) : NULL;
}

/* ---- the request ---- */

static char *body_of(const Change *c) {
    cJSON *body = cJSON_CreateObject();
    char *text = NULL;

    if (c->kind == CHANGE_SEND ? cJSON_AddStringToObject(body, "to", c->name) &&
                                     cJSON_AddStringToObject(body, "content", c->content)
                               : !!cJSON_AddStringToObject(body, "username", c->name))
        text = cJSON_PrintUnformatted(body);
    cJSON_Delete(body);
    return text;
}

static char *path_of(const Change *c) {
    _cleanup_free_ char *encoded = messenger_url_encode(c->name);
    char *path = NULL;

    if (c->kind == CHANGE_ADD_FRIEND || c->kind == CHANGE_SEND)
        return strdup(c->kind == CHANGE_SEND ? "/api/messages" : "/api/friends");
    if (!encoded || asprintf(&path, "/api/%s/%s", c->kind == CHANGE_DELETE ? "messages" : "friends",
                             encoded) < 0)
        return NULL;
    return path;
}

static void on_answer(void *userdata, const HttpReply *reply);

static int begin(Change *c, Error *error) {
    bool posts = c->kind == CHANGE_ADD_FRIEND || c->kind == CHANGE_SEND;
    _cleanup_free_ char *path = path_of(c), *body = posts ? body_of(c) : NULL;
    HttpClientRequest request = {
        .method = posts ? "POST" : "DELETE",
        .path = path,
        .json = body,
    };

    if (!path || (posts && !body))
        return -ENOMEM;
    return http_client_call(backend_watch_client(c->m->b), &request, on_answer, c, &c->call, error);
}

/* ---- the answer ---- */

static void tell(Change *c, const FriendList *friends, const MessageList *messages,
                 const Error *error) {
    c->m->n_asked--;
    if (c->kind == CHANGE_ADD_FRIEND)
        c->friends_func(c->arg, friends, error);
    else if (c->kind == CHANGE_SEND)
        c->messages_func(c->arg, c->name, messages, error);
    else
        c->done_func(c->arg, error);
}

/* Everybody is told, then who asked; then what it has changed is loaded. */
static void on_done(Change *c, const FriendList *friends, const MessageList *messages) {
    const BackendEvents *events;
    Backend *b = c->m->b;
    void *userdata;

    events = backend_watch_events(b, &userdata);
    if (c->kind == CHANGE_ADD_FRIEND)
        events->friend_added(userdata, b, friends);
    else if (c->kind == CHANGE_SEND)
        events->message_sent(userdata, b, messages);
    tell(c, friends, messages, &(Error){});

    if (c->kind == CHANGE_ADD_FRIEND || c->kind == CHANGE_REMOVE_FRIEND) {
        messenger_reload(c->m, NULL, 0);
        return;
    }
    const char *peer = c->kind == CHANGE_SEND ? c->name : b->current_peer;
    bool current = streq(peer, b->current_peer);
    if (peer[0])
        messenger_reload(c->m, peer, current ? c->m->limit : MESSENGER_LIMIT_DEFAULT);
    /* A poll that began before would show it as it was. */
    if (peer[0] && current)
        backend_watch_poll_later(b);
}

static int read_answer(const Change *c, const HttpReply *reply, FriendList *ret_friends,
                       MessageList *ret_messages, Error *error) {
    MessengerAnswer a;
    int r = messenger_check_reply(reply, &a, error);

    if (r < 0)
        return r;
    if (c->kind == CHANGE_ADD_FRIEND)
        return messenger_read_added(&a, c->name, ret_friends, error);
    if (c->kind == CHANGE_SEND)
        return messenger_read_sent(&a, c->name, c->content, ret_messages, error);
    return messenger_read_done(&a, error);
}

/* There was no answer, so those behind it are not tried: each would wait as long, and a message
 * must not come without the one before it. */
static void fail_all(Messenger *m, Change *first, const Error *of_first, const char *why) {
    struct Changes waiting = TAILQ_HEAD_INITIALIZER(waiting);

    /* Whoever is told may ask for something new. */
    TAILQ_CONCAT(&waiting, &m->changes, entry);
    tell(first, NULL, NULL, of_first);
    for (Change *c; (c = TAILQ_FIRST(&waiting));) {
        _cleanup_error_ Error error = {};
        TAILQ_REMOVE(&waiting, c, entry);
        error_set(&error, ERROR_BACKEND_OFFLINE,
                  "%snot tried, for what was asked before failed: %s", failed_table[c->kind], why);
        tell(c, NULL, NULL, &error);
        change_free(c);
    }
}

static void begin_next(Messenger *m) {
    for (Change *c; (c = TAILQ_FIRST(&m->changes)) && !c->call;) {
        _cleanup_error_ Error error = {};
        int r;

        if (clock_usec(CLOCK_MONOTONIC) - c->asked_usec > TURN_USEC_MAX)
            r = error_set(&error, ERROR_BACKEND_OFFLINE,
                          "not tried: the backend is too slow, others were asked for before");
        else
            r = begin(c, &error);
        if (r >= 0)
            return;
        messenger_fail(&error, r);
        error_prefix(&error, "%s", failed_table[c->kind]);
        TAILQ_REMOVE(&m->changes, c, entry);
        tell(c, NULL, NULL, &error);
        change_free(c);
    }
}

static void on_answer(void *userdata, const HttpReply *reply) {
    _cleanup_message_list_ MessageList messages = {};
    _cleanup_(change_freep) Change *c = userdata;
    _cleanup_friend_list_ FriendList friends = {};
    _cleanup_error_ Error error = {};
    Messenger *m = c->m;
    int r;

    c->call = NULL;
    TAILQ_REMOVE(&m->changes, c, entry);
    r = read_answer(c, reply, &friends, &messages, &error);
    if (r < 0) {
        messenger_fail(&error, r);
        error_prefix(&error, "%s", failed_table[c->kind]);
    }
    backend_watch_note(m->b, reply, r < 0 ? &error : NULL);
    if (r >= 0)
        on_done(c, &friends, &messages);
    else if (reply->error < 0)
        fail_all(m, c, &error, reply->error_text);
    else
        tell(c, NULL, NULL, &error);
    begin_next(m);
}

/* ---- the face ---- */

int messenger_change(Messenger *m, const ChangeAsk *ask, Error *error) {
    _cleanup_(change_freep) Change *c = NULL;
    int r;

    if (m->n_asked >= BACKEND_ASKED_MAX)
        return -ENOBUFS;
    c = change_new(m, ask);
    if (!c)
        return -ENOMEM;
    if (TAILQ_EMPTY(&m->changes)) {
        r = begin(c, error);
        if (r < 0) {
            error_prefix(error, "%s", failed_table[c->kind]);
            return r;
        }
    }
    TAILQ_INSERT_TAIL(&m->changes, c, entry);
    m->n_asked++;
    c = NULL;
    return 0;
}

void messenger_drop_changes(Messenger *m, const Error *error) {
    for (Change *c; (c = TAILQ_FIRST(&m->changes));) {
        TAILQ_REMOVE(&m->changes, c, entry);
        c->call = http_call_free(c->call);
        tell(c, NULL, NULL, error);
        change_free(c);
    }
}
