#include "tests/backend/messenger.h"

#include "common/clock.h"
#include "common/parse.h"
#include "tests/backend/memory.h"

#define LIMIT_DEFAULT 50
#define CONTENT_MAX (64 * KIB)

void messenger_init(Messenger *m) {
    *m = (Messenger){.username = must_copy("me"), .begun_usec = clock_usec(CLOCK_MONOTONIC)};
}

void messenger_clear(Messenger *m) {
    Peer *p, *next;

    for (size_t i = 0; i < m->n_messages; i++)
        free(m->messages[i].content);
    free(m->messages);
    m->messages = NULL;
    m->n_messages = 0;
    HASH_ITER (hh, m->peers, p, next) {
        HASH_DEL(m->peers, p);
        free(p->name);
        free(p);
    }
    cJSON_Delete(m->status);
    m->status = NULL;
}

void messenger_done(Messenger *m) {
    messenger_clear(m);
    free(m->username);
}

static uint64_t now_seconds(void) {
    return clock_usec(CLOCK_REALTIME) / USEC_PER_SEC;
}

/* ---- what there is ---- */

static Peer *find_peer(const Messenger *m, const char *name) {
    Peer *p;

    HASH_FIND_STR(m->peers, name, p);
    return p;
}

static Peer *peer_get(Messenger *m, const char *name) {
    Peer *p = find_peer(m, name);

    if (p)
        return p;
    p = must(calloc(1, sizeof(*p)));
    p->name = must_copy(name);
    p->last_seen = now_seconds();
    HASH_ADD_KEYPTR(hh, m->peers, p->name, strlen(p->name), p);
    return p;
}

static Chat *message_add(Messenger *m, Peer *p, const char *content, bool sent) {
    if (m->n_messages % 64 == 0)
        m->messages = must(realloc(m->messages, (m->n_messages + 64) * sizeof(*m->messages)));
    Chat *c = &m->messages[m->n_messages++];
    *c = (Chat){
        .id = ++m->last_id,
        .peer = p,
        .content = must_copy(content),
        .sent = sent,
        .delivered = !sent || p->online,
        .timestamp = now_seconds(),
    };
    return c;
}

static void message_remove(Messenger *m, size_t i) {
    free(m->messages[i].content);
    m->n_messages--;
    memmove(&m->messages[i], &m->messages[i + 1], (m->n_messages - i) * sizeof(*m->messages));
}

/* What was kept for somebody who comes online is delivered. */
static void deliver_stored(Messenger *m, const Peer *p) {
    for (size_t i = 0; i < m->n_messages; i++)
        if (m->messages[i].peer == p)
            m->messages[i].delivered = true;
}

/* ---- what tests set ---- */

void messenger_put_peer(Messenger *m, const cJSON *peer) {
    const char *name = json_string(peer, "username", NULL);

    if (isempty(name))
        return;
    Peer *p = peer_get(m, name);
    p->online = json_bool(peer, "online", p->online);
    p->is_friend = json_bool(peer, "friend", true);
    p->last_seen = (uint64_t)json_number(peer, "last_seen", (double)p->last_seen);
    if (p->online)
        deliver_stored(m, p);
}

void messenger_put_message(Messenger *m, const cJSON *message) {
    const char *peer = json_string(message, "peer", NULL);
    bool sent = streq(json_string(message, "direction", "received"), "sent");

    if (isempty(peer) || m->n_messages >= CHAT_MESSAGES_MAX)
        return;
    Chat *c = message_add(m, peer_get(m, peer), json_string(message, "content", ""), sent);
    c->delivered = json_bool(message, "delivered", c->delivered);
    c->timestamp = (uint64_t)json_number(message, "timestamp", (double)c->timestamp);
}

void messenger_set(Messenger *m, const cJSON *state) {
    const cJSON *item, *status = cJSON_GetObjectItemCaseSensitive(state, "status");
    const char *username = json_string(state, "username", NULL);

    if (json_bool(state, "clear", false))
        messenger_clear(m);
    if (username) {
        free(m->username);
        m->username = must_copy(username);
    }
    m->other_dialect =
        streq(json_string(state, "dialect", m->other_dialect ? "other" : "first"), "other");
    m->echo = json_bool(state, "echo", m->echo);
    if (status) {
        cJSON_Delete(m->status);
        m->status = cJSON_Duplicate(status, true);
    }
    cJSON_ArrayForEach (item, cJSON_GetObjectItemCaseSensitive(state, "friends"))
        messenger_put_peer(m, item);
    cJSON_ArrayForEach (item, cJSON_GetObjectItemCaseSensitive(state, "messages"))
        messenger_put_message(m, item);
}

/* ---- requests ---- */

static void get_status(Exchange *e, const Messenger *m) {
    cJSON *j = cJSON_CreateObject(), *item;
    uint64_t uptime = (clock_usec(CLOCK_MONOTONIC) - m->begun_usec) / USEC_PER_SEC;

    cJSON_AddStringToObject(j, "status", "online");
    cJSON_AddStringToObject(j, "username", m->username);
    cJSON_AddNumberToObject(j, "uptime", (double)uptime);
    cJSON_ArrayForEach (item, m->status) {
        cJSON_DeleteItemFromObjectCaseSensitive(j, item->string);
        cJSON_AddItemToObject(j, item->string, cJSON_Duplicate(item, true));
    }
    reply_json(e, 200, j);
}

static void add_friend(Exchange *e, Messenger *m) {
    _cleanup_json_ cJSON *body = json_object_parse(e->body, e->body_size);
    const char *name = json_string(body, "username", "");
    Peer *p = find_peer(m, name);

    if (isempty(name))
        reply_error(e, 400, "username is missing");
    else if (!p)
        reply_error(e, 404, "no such user: %s", name);
    else if (p->is_friend)
        reply_error(e, 409, "%s is a friend already", name);
    else {
        p->is_friend = true;
        messenger_reply_friend(e, m, p);
    }
}

static void remove_friend(Exchange *e, Messenger *m, const char *name) {
    Peer *p = find_peer(m, name);

    if (!p || !p->is_friend) {
        reply_error(e, 404, "no such friend: %s", name);
        return;
    }
    p->is_friend = false;
    messenger_reply_done(e, m);
}

static void get_messages(Exchange *e, const Messenger *m) {
    const char *name = exchange_argument(e, "peer"), *limit = exchange_argument(e, "limit");
    uint32_t n = LIMIT_DEFAULT;

    if (isempty(name))
        reply_error(e, 400, "peer is missing");
    else if (!find_peer(m, name))
        reply_error(e, 404, "no such user: %s", name);
    else if (limit && parse_u32(limit, &n) < 0)
        reply_error(e, 400, "limit is no number: %s", limit);
    else
        messenger_reply_messages(e, m, find_peer(m, name), n);
}

static void echo(Messenger *m, Peer *p, const char *content) {
    _cleanup_free_ char *answer = must_printf("You said: %s", content);

    if (m->echo && p->online)
        (void)message_add(m, p, answer, false);
}

static void send_message(Exchange *e, Messenger *m) {
    _cleanup_json_ cJSON *body = json_object_parse(e->body, e->body_size);
    const char *to = json_string(body, "to", ""), *content = json_string(body, "content", "");
    Peer *p = find_peer(m, to);

    if (isempty(to) || isempty(content))
        reply_error(e, 400, "%s is missing", isempty(to) ? "to" : "content");
    else if (!p)
        reply_error(e, 404, "no such user: %s", to);
    else if (strlen(content) > CONTENT_MAX)
        reply_error(e, 413, "a message has at most %d bytes", (int)CONTENT_MAX);
    else if (m->n_messages >= CHAT_MESSAGES_MAX)
        reply_error(e, 507, "there are too many messages");
    else {
        messenger_reply_sent(e, m, message_add(m, p, content, true));
        echo(m, p, content);
    }
}

static void delete_message(Exchange *e, Messenger *m, const char *id) {
    uint64_t wanted = 0;

    (void)parse_u64(strncmp(id, "m-", 2) == 0 ? id + 2 : id, &wanted);
    for (size_t i = 0; i < m->n_messages; i++)
        if (m->messages[i].id == wanted) {
            message_remove(m, i);
            messenger_reply_done(e, m);
            return;
        }
    reply_error(e, 404, "no such message: %s", id);
}

bool messenger_route(Exchange *e, Messenger *m) {
    const char *name = exchange_below(e, "/api/friends/"),
               *id = exchange_below(e, "/api/messages/");

    if (streq(e->route, "/api/status") && exchange_is(e, "GET"))
        get_status(e, m);
    else if (streq(e->route, "/api/friends") && exchange_is(e, "GET"))
        messenger_reply_friends(e, m);
    else if (streq(e->route, "/api/friends") && exchange_is(e, "POST"))
        add_friend(e, m);
    else if (name && exchange_is(e, "DELETE"))
        remove_friend(e, m, name);
    else if (streq(e->route, "/api/messages") && exchange_is(e, "GET"))
        get_messages(e, m);
    else if (streq(e->route, "/api/messages") && exchange_is(e, "POST"))
        send_message(e, m);
    else if (id && exchange_is(e, "DELETE"))
        delete_message(e, m, id);
    else
        return false;
    return true;
}
