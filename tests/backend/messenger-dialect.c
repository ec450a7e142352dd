/* One truth, told in two ways. The first: lists are members of an object, numbers for ids and
 * times, always 200. The other: bare arrays, strings, other names, 201, 202 and 204. */

#include <time.h>

#include "tests/backend/messenger.h"

static void add_time(const Messenger *m, cJSON *j, const char *name, uint64_t seconds) {
    char text[32];
    time_t t = (time_t)seconds;
    struct tm tm;

    if (!m->other_dialect) {
        cJSON_AddNumberToObject(j, name, (double)seconds);
        return;
    }
    (void)gmtime_r(&t, &tm);
    (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    cJSON_AddStringToObject(j, name, text);
}

static void add_id(const Messenger *m, cJSON *j, const char *name, uint64_t id) {
    char text[32];

    if (!m->other_dialect) {
        cJSON_AddNumberToObject(j, name, (double)id);
        return;
    }
    (void)snprintf(text, sizeof(text), "m-%llu", (unsigned long long)id);
    cJSON_AddStringToObject(j, "msg_id", text);
}

static cJSON *friend_to_json(const Messenger *m, const Peer *p) {
    cJSON *j = cJSON_CreateObject();

    cJSON_AddStringToObject(j, "username", p->name);
    cJSON_AddBoolToObject(j, "online", p->online);
    add_time(m, j, "last_seen", p->last_seen);
    return j;
}

static cJSON *message_to_json(const Messenger *m, const Chat *c) {
    cJSON *j = cJSON_CreateObject();

    add_id(m, j, "id", c->id);
    cJSON_AddStringToObject(j, m->other_dialect ? "from" : "peer", c->peer->name);
    cJSON_AddStringToObject(j, "direction", c->sent ? "sent" : "received");
    cJSON_AddStringToObject(j, m->other_dialect ? "text" : "content", c->content);
    add_time(m, j, "timestamp", c->timestamp);
    if (c->sent)
        cJSON_AddBoolToObject(j, "delivered", c->delivered);
    return j;
}

static void reply_list(Exchange *e, const Messenger *m, const char *name, cJSON *list) {
    cJSON *j;

    if (m->other_dialect) {
        reply_json(e, 200, list);
        return;
    }
    j = cJSON_CreateObject();
    cJSON_AddItemToObject(j, name, list);
    reply_json(e, 200, j);
}

void messenger_reply_friends(Exchange *e, const Messenger *m) {
    cJSON *list = cJSON_CreateArray();

    for (const Peer *p = m->peers; p; p = p->hh.next)
        if (p->is_friend)
            cJSON_AddItemToArray(list, friend_to_json(m, p));
    reply_list(e, m, "friends", list);
}

void messenger_reply_friend(Exchange *e, const Messenger *m, const Peer *p) {
    reply_json(e, m->other_dialect ? 201 : 200, friend_to_json(m, p));
}

void messenger_reply_messages(Exchange *e, const Messenger *m, const Peer *p, size_t limit) {
    cJSON *list = cJSON_CreateArray();
    size_t n = 0, begin = m->n_messages;

    while (begin > 0 && n < limit)
        n += m->messages[--begin].peer == p;
    for (size_t i = begin; i < m->n_messages; i++)
        if (m->messages[i].peer == p)
            cJSON_AddItemToArray(list, message_to_json(m, &m->messages[i]));
    reply_list(e, m, "messages", list);
}

void messenger_reply_sent(Exchange *e, const Messenger *m, const Chat *c) {
    cJSON *j = cJSON_CreateObject();

    add_id(m, j, "message_id", c->id);
    cJSON_AddBoolToObject(j, "delivered", c->delivered);
    if (!c->delivered)
        cJSON_AddTrueToObject(j, "stored_offline");
    reply_json(e, !m->other_dialect ? 200 : c->delivered ? 201 : 202, j);
}

void messenger_reply_done(Exchange *e, const Messenger *m) {
    cJSON *j;

    if (m->other_dialect) {
        reply_empty(e, 204);
        return;
    }
    j = cJSON_CreateObject();
    cJSON_AddTrueToObject(j, "success");
    reply_json(e, 200, j);
}
