/* Lists that are being loaded: one request of a kind is under way at a time, whoever asks for it.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/http/messenger-private.h"
#include "daemon/http/messenger-text.h"

struct Load {
    Messenger *m;   /* not owned */
    char *peer;     /* whose messages; NULL: the friends */
    unsigned limit; /* of messages */
    HttpCall *call;
    struct Waiters waiters; /* for the answer that is under way */
    struct Waiters later;   /* for the one behind it */
    bool again;             /* something has changed since it began: there is one behind it */
    TAILQ_ENTRY(Load) entry;
};

static void drop_waiters(struct Waiters *w) {
    while (!STAILQ_EMPTY(w)) {
        Waiter *first = STAILQ_FIRST(w);
        STAILQ_REMOVE_HEAD(w, entry);
        free(first);
    }
}

static Load *load_free(Load *l) {
    if (!l)
        return NULL;
    http_call_free(l->call);
    drop_waiters(&l->waiters);
    drop_waiters(&l->later);
    free(l->peer);
    free(l);
    return NULL;
}
DEFINE_CLEANUP(Load *, load_free)

static Load *load_new(Messenger *m, const char *peer, unsigned limit) {
    _cleanup_(load_freep) Load *l = calloc(1, sizeof(Load));

    if (!l)
        return NULL;
    l->m = m;
    l->limit = limit;
    STAILQ_INIT(&l->waiters);
    STAILQ_INIT(&l->later);
    l->peer = peer ? strdup(peer) : NULL;
    return !peer || l->peer ? TAKE_PTR(l) : NULL;
}

static Load *load_find(const Messenger *m, const char *peer, unsigned limit) {
    Load *l;

    TAILQ_FOREACH (l, &m->loads, entry)
        if (peer ? l->peer && streq(l->peer, peer) && l->limit == limit : !l->peer)
            return l;
    return NULL;
}

bool messenger_is_loading(const Messenger *m, const char *peer) {
    Load *l;

    TAILQ_FOREACH (l, &m->loads, entry)
        if (l->peer && streq(l->peer, peer))
            return true;
    return false;
}

char *messenger_messages_path(const char *peer, unsigned limit) {
    _cleanup_free_ char *encoded = messenger_url_encode(peer);
    char *path;

    if (!encoded || asprintf(&path, "/api/messages?peer=%s&limit=%u", encoded, limit) < 0)
        return NULL;
    return path;
}

static const char *failed(const char *peer) {
    return peer ? "Failed to load messages: " : "Failed to load friends: ";
}

/* What went wrong, as all of them are told. */
static void set_failed(const char *peer, int r, Error *error) {
    messenger_fail(error, r);
    error_prefix(error, "%s", failed(peer));
}

/* ---- the answer ---- */

static void tell_friends(struct Waiters *w, const FriendList *friends, const Error *error) {
    while (!STAILQ_EMPTY(w)) {
        _cleanup_free_ Waiter *first = STAILQ_FIRST(w);
        STAILQ_REMOVE_HEAD(w, entry);
        first->friends_func(first->arg, friends, error);
    }
}

static void tell_messages(struct Waiters *w, const char *peer, const MessageList *messages,
                          const Error *error) {
    while (!STAILQ_EMPTY(w)) {
        _cleanup_free_ Waiter *first = STAILQ_FIRST(w);
        STAILQ_REMOVE_HEAD(w, entry);
        first->messages_func(first->arg, peer, messages, error);
    }
}

static void forget_asked(Messenger *m, const struct Waiters *w) {
    const Waiter *i;

    STAILQ_FOREACH (i, w, entry)
        m->n_asked--;
}

/* Nobody asked, and a newer one comes: it would show for a moment what is not so any more. */
static bool is_outdated(const Load *l, const struct Waiters *asked) {
    return l->again && STAILQ_EMPTY(asked);
}

static void on_friends(Load *l, struct Waiters *asked, const HttpReply *reply) {
    _cleanup_friend_list_ FriendList friends = {};
    _cleanup_error_ Error error = {};
    const BackendEvents *events;
    MessengerAnswer a;
    void *userdata;
    int r;

    r = messenger_check_reply(reply, &a, &error);
    if (r >= 0)
        r = messenger_read_friends(&a, &friends, &error);
    if (r < 0)
        set_failed(NULL, r, &error);
    backend_watch_note(l->m->b, reply, r < 0 ? &error : NULL);
    events = backend_watch_events(l->m->b, &userdata);
    if (r >= 0 && !is_outdated(l, asked))
        events->friends_loaded(userdata, l->m->b, &friends);
    tell_friends(asked, r < 0 ? NULL : &friends, r < 0 ? &error : &(Error){});
}

static void on_messages(Load *l, struct Waiters *asked, const HttpReply *reply) {
    _cleanup_message_list_ MessageList messages = {};
    _cleanup_error_ Error error = {};
    const BackendEvents *events;
    MessengerAnswer a;
    void *userdata;
    int r;

    r = messenger_check_reply(reply, &a, &error);
    if (r >= 0)
        r = messenger_read_messages(&a, l->peer, l->limit, &messages, &error);
    if (r < 0)
        set_failed(l->peer, r, &error);
    backend_watch_note(l->m->b, reply, r < 0 ? &error : NULL);
    events = backend_watch_events(l->m->b, &userdata);
    bool is_told = !is_outdated(l, asked);
    if (r >= 0 && is_told)
        events->messages_loaded(userdata, l->m->b, l->peer, &messages);
    tell_messages(asked, l->peer, r < 0 ? NULL : &messages, r < 0 ? &error : &(Error){});
    if (r >= 0 && is_told)
        messenger_keep_told(l->m, l->peer, &messages);
}

/* ---- the request ---- */

static void on_answer(void *userdata, const HttpReply *reply);

static int begin(Load *l, Error *error) {
    _cleanup_free_ char *path =
        l->peer ? messenger_messages_path(l->peer, l->limit) : strdup("/api/friends");
    HttpClientRequest request = {.method = "GET", .path = path};

    if (!path)
        return -ENOMEM;
    l->again = false;
    return http_client_call(backend_watch_client(l->m->b), &request, on_answer, l, &l->call, error);
}

/* It could not even begin, and those who wait were promised an answer. */
static void fail_waiters(Load *l, struct Waiters *w, const Error *error) {
    forget_asked(l->m, w);
    if (l->peer)
        tell_messages(w, l->peer, NULL, error);
    else
        tell_friends(w, NULL, error);
}

static void begin_again(Load *l) {
    _cleanup_error_ Error error = {};
    int r;

    STAILQ_CONCAT(&l->waiters, &l->later);
    r = begin(l, &error);
    if (r >= 0)
        return;
    set_failed(l->peer, r, &error);
    TAILQ_REMOVE(&l->m->loads, l, entry);
    fail_waiters(l, &l->waiters, &error);
    load_free(l);
}

/* Those who are told may ask for something at once: by then all is as it will be. */
static void on_answer(void *userdata, const HttpReply *reply) {
    struct Waiters asked = STAILQ_HEAD_INITIALIZER(asked);
    Load *l = userdata;

    l->call = NULL;
    STAILQ_CONCAT(&asked, &l->waiters);
    forget_asked(l->m, &asked);
    if (l->peer)
        on_messages(l, &asked, reply);
    else
        on_friends(l, &asked, reply);
    if (l->again) {
        begin_again(l);
        return;
    }
    TAILQ_REMOVE(&l->m->loads, l, entry);
    load_free(l);
}

/* ---- the face ---- */

static void add_waiter(Load *l, Waiter *waiter) {
    if (!waiter)
        return;
    if (l->again)
        STAILQ_INSERT_TAIL(&l->later, waiter, entry);
    else
        STAILQ_INSERT_TAIL(&l->waiters, waiter, entry);
    l->m->n_asked++;
}

static int load(Messenger *m, const char *peer, unsigned limit, Waiter *waiter, Error *error) {
    _cleanup_(load_freep) Load *fresh = NULL;
    Load *l = load_find(m, peer, limit);
    int r;

    if (!l) {
        fresh = load_new(m, peer, limit);
        if (!fresh)
            return -ENOMEM;
        r = begin(fresh, error);
        if (r < 0)
            return r;
        l = TAKE_PTR(fresh);
        TAILQ_INSERT_TAIL(&m->loads, l, entry);
    }
    add_waiter(l, waiter);
    return 0;
}

int messenger_load(Messenger *m, const char *peer, unsigned limit, Waiter *waiter, Error *error) {
    int r = m->n_asked < BACKEND_ASKED_MAX ? load(m, peer, limit, waiter, error) : -ENOBUFS;

    if (r == -EREMOTE)
        error_prefix(error, "%s", failed(peer));
    return r;
}

void messenger_reload(Messenger *m, const char *peer, unsigned limit) {
    Load *l = load_find(m, peer, limit);
    _cleanup_error_ Error error = {};
    int r;

    if (l) {
        l->again = true;
        return;
    }
    r = load(m, peer, limit, NULL, &error);
    if (r >= 0)
        return;
    set_failed(peer, r, &error);
    backend_watch_note(m->b, NULL, &error);
}

void messenger_drop_loads(Messenger *m, const Error *error) {
    for (Load *l; (l = TAILQ_FIRST(&m->loads));) {
        TAILQ_REMOVE(&m->loads, l, entry);
        l->call = http_call_free(l->call);
        fail_waiters(l, &l->waiters, error);
        fail_waiters(l, &l->later, error);
        load_free(l);
    }
}
