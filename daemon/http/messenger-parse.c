#include "daemon/http/messenger-parse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/text.h"
#include "daemon/core/json-scan.h"
#include "daemon/http/messenger-text.h"
#include "daemon/http/messenger-time.h"

#define ERROR_TEXT_MAX 300
#define SHOWN_MAX 40 /* of an answer that is no JSON */

static int wrong(Error *error, const char *what) {
    return error_set(error, ERROR_BACKEND_FAILED, "%s", what);
}

/* ---- members of an object, of all dialects ---- */

typedef enum Member {
    M_CONTENT,
    M_CREATED_AT,
    M_DELIVERED,
    M_DETAIL,
    M_DIRECTION,
    M_ERROR,
    M_FRIENDS,
    M_FROM,
    M_ID,
    M_LAST_SEEN,
    M_MESSAGE,
    M_MESSAGES,
    M_MESSAGE_ID,
    M_MSG_ID,
    M_NAME,
    M_OK,
    M_ONLINE,
    M_PEER,
    M_STORED_OFFLINE,
    M_SUCCESS,
    M_TEXT,
    M_TIME,
    M_TIMESTAMP,
    M_TO,
    M_USERNAME,
    _M_MAX,
} Member;

static const char *const member_table[_M_MAX] = {
    [M_CONTENT] = "content",
    [M_CREATED_AT] = "created_at",
    [M_DELIVERED] = "delivered",
    [M_DETAIL] = "detail",
    [M_DIRECTION] = "direction",
    [M_ERROR] = "error",
    [M_FRIENDS] = "friends",
    [M_FROM] = "from",
    [M_ID] = "id",
    [M_LAST_SEEN] = "last_seen",
    [M_MESSAGE] = "message",
    [M_MESSAGES] = "messages",
    [M_MESSAGE_ID] = "message_id",
    [M_MSG_ID] = "msg_id",
    [M_NAME] = "name",
    [M_OK] = "ok",
    [M_ONLINE] = "online",
    [M_PEER] = "peer",
    [M_STORED_OFFLINE] = "stored_offline",
    [M_SUCCESS] = "success",
    [M_TEXT] = "text",
    [M_TIME] = "time",
    [M_TIMESTAMP] = "timestamp",
    [M_TO] = "to",
    [M_USERNAME] = "username",
};

typedef struct Members {
    JsonValue values[_M_MAX]; /* JSON_NULL: there is none, or it is null */
    const char *where;        /* in errors: "friends[3]", not owned */
} Members;

static void read_members(const JsonValue *object, const char *where, Members *ret) {
    JsonValue value;
    char *name;

    *ret = (Members){.where = where};
    for (JsonWalk w = json_walk(object); json_next(&w, &name, &value);)
        for (Member m = 0; m < _M_MAX; m++)
            if (member_table[m][0] == name[0] && streq(member_table[m], name))
                ret->values[m] = value;
}

static bool has(const Members *o, Member m) {
    return o->values[m].type != JSON_NULL;
}

/* The first of those that is there. */
#define FIRST_OF(o, ...)                                                                           \
    first_of(o, (const Member[]){__VA_ARGS__}, ELEMENTSOF(((const Member[]){__VA_ARGS__})))

static Member first_of(const Members *o, const Member *members, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (has(o, members[i]))
            return members[i];
    return members[0];
}

static int wrong_member(Error *error, const Members *o, Member m, const char *problem) {
    return error_set(error, ERROR_BACKEND_FAILED, "the answer is wrong: %s%s%s %s", o->where,
                     o->where[0] ? "." : "", member_table[m], problem);
}

/* ---- values ---- */

static int take_bool(const Members *o, Member m, bool *ret, Error *error) {
    const JsonValue *v = &o->values[m];

    if (v->type == JSON_BOOL || (v->type == JSON_NUMBER && v->number <= 1))
        *ret = v->number == 1;
    else if (v->type != JSON_NULL)
        return wrong_member(error, o, m, "must be true or false");
    return 0;
}

static int take_time(const Members *o, Member m, uint64_t *ret, Error *error) {
    const JsonValue *v = &o->values[m];

    if (v->type == JSON_NUMBER || v->type == JSON_OTHER_NUMBER)
        *ret = messenger_time_from_number(v->text);
    else if (v->type == JSON_STRING)
        *ret = messenger_time_from_text(v->text);
    else if (v->type != JSON_NULL)
        return wrong_member(error, o, m, "must be a time");
    return 0;
}

/* Fresh string: a name, or an id, which may be a number. */
static int take_name(const Members *o, Member m, bool may_be_number, char **ret, Error *error) {
    const JsonValue *v = &o->values[m];
    const char *problem;

    if (v->type == JSON_NULL)
        return wrong_member(error, o, m, "is missing");
    if (may_be_number && v->type == JSON_NUMBER)
        return asprintf(ret, "%s%" PRIu64, v->is_negative ? "-" : "", v->number) < 0 ? -ENOMEM : 0;
    if (v->type != JSON_STRING)
        return wrong_member(
            error, o, m, may_be_number ? "must be a string or a whole number" : "must be a string");
    problem = messenger_name_problem(v->text);
    if (problem)
        return wrong_member(error, o, m, problem);
    *ret = strdup(v->text);
    return *ret ? 0 : -ENOMEM;
}

static int take_content(const Members *o, Member m, char **ret, Error *error) {
    const JsonValue *v = &o->values[m];

    if (v->type == JSON_NULL)
        return wrong_member(error, o, m, "is missing");
    if (v->type != JSON_STRING)
        return wrong_member(error, o, m, "must be a string");
    *ret = messenger_content_clean(v->text);
    return *ret ? 0 : -ENOMEM;
}

/* ---- the answer as a whole ---- */

typedef struct Document {
    char *text;
    JsonValue root;  /* JSON_NULL: there is nothing but the status */
    Members members; /* where it is an object */
} Document;

static void document_done(Document *d) {
    free(d->text);
}
#define _cleanup_document_ _cleanup_(document_done)

/* One line of what a server says. */
static char *one_line(char *text, size_t max) {
    for (char *p = text; *p; p++)
        if (strchr("\r\n\t", *p))
            *p = ' ';
    text += strspn(text, " ");
    return text_clean(text, strlen(text), max);
}

/* What it says went wrong, fresh; NULL: nothing, or memory is short. {"error": TEXT}, or
 * {"error": {"message": TEXT}}, or beside the error, which may be true, "message" or "detail". */
static char *error_of(const Members *o) {
    const JsonValue *said = &o->values[M_ERROR];
    Members inside;

    if (said->type == JSON_OBJECT) {
        read_members(said, "", &inside);
        said = &inside.values[M_MESSAGE];
    } else if (said->type != JSON_STRING)
        said = &o->values[FIRST_OF(o, M_MESSAGE, M_DETAIL)];
    return said->type == JSON_STRING && said->text[0] ? one_line(said->text, ERROR_TEXT_MAX) : NULL;
}

static bool is_false(const JsonValue *v) {
    return v->type == JSON_BOOL && v->number == 0;
}

/* {"error": "..."}; not null, false, 0 or "". */
static bool tells_of_error(const Members *o) {
    const JsonValue *e = &o->values[M_ERROR];

    if (is_false(&o->values[M_SUCCESS]) || is_false(&o->values[M_OK]))
        return true;
    if (e->type == JSON_STRING)
        return e->text[0] != '\0';
    return e->type != JSON_NULL &&
           !((e->type == JSON_BOOL || e->type == JSON_NUMBER) && !e->number);
}

static int not_json(const MessengerAnswer *a, Error *error) {
    _cleanup_free_ char *copy = strndup(a->body, MIN(a->size, 4 * (size_t)SHOWN_MAX)),
                        *shown = copy ? one_line(copy, SHOWN_MAX) : NULL;

    return error_set(error, ERROR_BACKEND_FAILED, "the answer is not JSON: %s", strempty(shown));
}

/* -EBADMSG: it is not JSON. */
static int scan(const MessengerAnswer *a, Document *d) {
    if (memchr(a->body, '\0', a->size))
        return -EBADMSG;
    d->text = strndup(a->body, a->size);
    if (!d->text)
        return -ENOMEM;
    messenger_repair_escapes(d->text);
    if (json_scan(d->text, &d->root) < 0) {
        d->root = (JsonValue){};
        return -EBADMSG;
    }
    if (d->root.type == JSON_OBJECT)
        read_members(&d->root, "", &d->members);
    return 0;
}

static bool is_blank(const MessengerAnswer *a) {
    for (size_t i = 0; i < a->size; i++)
        if (a->body[i] == '\0' || !strchr(" \t\r\n", a->body[i]))
            return false;
    return true;
}

/* Whatever the status: an error that it tells of is one. */
static int open_answer(const MessengerAnswer *a, Document *d, Error *error) {
    _cleanup_free_ char *said = NULL;
    bool good = a->status >= 200 && a->status < 300, blank = is_blank(a);
    int r = blank ? 0 : scan(a, d);

    *d = r < 0 ? (Document){.text = d->text} : *d;
    if (r == -ENOMEM)
        return r;
    said = d->root.type == JSON_OBJECT && (!good || tells_of_error(&d->members))
               ? error_of(&d->members)
               : NULL;
    if (said && said[0])
        return wrong(error, said);
    if (!good)
        return error_set(error, ERROR_BACKEND_FAILED, "HTTP %u", a->status);
    if (r < 0)
        return not_json(a, error);
    if (d->root.type == JSON_OBJECT && tells_of_error(&d->members))
        return wrong(error, "the server says that it did not succeed, and not why");
    return 0;
}

/* ---- lists ---- */

/* {"friends": [...]}, or the array alone, and how many are in it. */
static int find_list(const Document *d, Member m, size_t max, JsonValue *ret, size_t *ret_n,
                     Error *error) {
    if (d->root.type == JSON_NULL)
        return wrong(error, "the answer is empty");
    *ret = d->root;
    if (d->root.type == JSON_OBJECT) {
        if (!has(&d->members, m))
            return wrong_member(error, &d->members, m, "is missing");
        *ret = d->members.values[m];
    }
    if (ret->type != JSON_ARRAY)
        return error_set(error, ERROR_BACKEND_FAILED, "the answer is wrong: it is no list of %s",
                         member_table[m]);
    *ret_n = json_count(ret);
    if (*ret_n > max)
        return error_set(error, ERROR_BACKEND_FAILED, "the answer has more than %zu %s", max,
                         member_table[m]);
    return 0;
}

static int read_friend(const Members *o, Friend *ret, Error *error) {
    int r = take_name(o, FIRST_OF(o, M_USERNAME, M_NAME), false, &ret->username, error);

    if (r < 0)
        return r;
    r = take_bool(o, M_ONLINE, &ret->online, error);
    if (r < 0)
        return r;
    return take_time(o, M_LAST_SEEN, &ret->last_seen, error);
}

/* An object, or in a list of names a string. */
static int read_friend_value(const JsonValue *v, const char *where, Friend *ret, Error *error) {
    Members o = {.where = where, .values[M_USERNAME] = *v};

    if (v->type == JSON_OBJECT)
        read_members(v, where, &o);
    return read_friend(&o, ret, error);
}

int messenger_read_friends(const MessengerAnswer *a, FriendList *ret, Error *error) {
    _cleanup_friend_list_ FriendList l = {};
    _cleanup_document_ Document d = {};
    JsonValue list, item;
    char where[32], *name;
    size_t n;
    int r;

    r = open_answer(a, &d, error);
    if (r < 0)
        return r;
    r = find_list(&d, M_FRIENDS, MESSENGER_FRIENDS_MAX, &list, &n, error);
    if (r < 0)
        return r;
    l.items = calloc(MAX(n, 1U), sizeof(Friend));
    if (!l.items)
        return -ENOMEM;
    for (JsonWalk w = json_walk(&list); json_next(&w, &name, &item);) {
        snprintf(where, sizeof(where), "friends[%zu]", l.n);
        r = read_friend_value(&item, where, &l.items[l.n++], error);
        if (r < 0)
            return r;
    }
    *ret = l;
    l = (FriendList){};
    return 0;
}

/* ---- messages ---- */

/* Somebody of that name: servers may keep names in lower case. */
static bool is_named(const JsonValue *v, const char *name) {
    return v->type == JSON_STRING && strcasecmp(v->text, name) == 0;
}

static int wrong_peer(const Members *o, Member m, const char *peer, Error *error) {
    return error_set(
        error, ERROR_BACKEND_FAILED,
        "the answer is wrong: %s.%s is not \"%s\": these are messages of somebody else", o->where,
        member_table[m], peer);
}

/* "sent" or "received"; where it is not said, it follows from who wrote to whom. */
static int take_direction(const Members *o, const char *peer, MessageDirection *ret, Error *error) {
    const JsonValue *v = &o->values[M_DIRECTION];
    int direction = -EINVAL;

    if (v->type == JSON_STRING)
        direction = (int)message_direction_from_string(v->text);
    else if (v->type == JSON_NULL && is_named(&o->values[M_FROM], peer))
        direction = MESSAGE_RECEIVED;
    else if (v->type == JSON_NULL && is_named(&o->values[M_TO], peer))
        direction = MESSAGE_SENT;
    else if (v->type == JSON_NULL)
        return wrong_member(error, o, M_DIRECTION, "is missing");
    if (direction < 0)
        return wrong_member(error, o, M_DIRECTION, "must be \"sent\" or \"received\"");
    *ret = (MessageDirection)direction;
    return 0;
}

/* Messages of another peer than the one that was asked for are refused, wherever they say so. */
static int check_peer(const Members *o, MessageDirection direction, const char *peer,
                      Error *error) {
    static const Member named[] = {M_PEER, M_FROM, M_TO};

    for (size_t i = 0; i < ELEMENTSOF(named); i++)
        if (has(o, named[i]) && o->values[named[i]].type != JSON_STRING)
            return wrong_member(error, o, named[i], "must be a string");
    if (has(o, M_PEER))
        return is_named(&o->values[M_PEER], peer) ? 0 : wrong_peer(o, M_PEER, peer, error);
    /* Of one that was sent it may be who sent it, as well as the peer. */
    if (direction == MESSAGE_RECEIVED && has(o, M_FROM) && !is_named(&o->values[M_FROM], peer))
        return wrong_peer(o, M_FROM, peer, error);
    if (direction == MESSAGE_SENT && has(o, M_TO) && !is_named(&o->values[M_TO], peer))
        return wrong_peer(o, M_TO, peer, error);
    return 0;
}

static int take_delivered(const Members *o, bool unless_said, ChatMessage *m, Error *error) {
    int r = take_bool(o, M_STORED_OFFLINE, &m->stored_offline, error);

    if (r < 0)
        return r;
    m->delivered = unless_said && !m->stored_offline;
    return take_bool(o, M_DELIVERED, &m->delivered, error);
}

static Member time_of(const Members *o) {
    return FIRST_OF(o, M_TIMESTAMP, M_TIME, M_CREATED_AT);
}

static int read_message(const Members *o, const char *peer, ChatMessage *ret, Error *error) {
    int r = take_name(o, FIRST_OF(o, M_ID, M_MSG_ID, M_MESSAGE_ID), true, &ret->id, error);

    if (r < 0)
        return r;
    r = take_direction(o, peer, &ret->direction, error);
    if (r < 0)
        return r;
    r = check_peer(o, ret->direction, peer, error);
    if (r < 0)
        return r;
    r = take_content(o, FIRST_OF(o, M_CONTENT, M_TEXT), &ret->content, error);
    if (r < 0)
        return r;
    r = take_time(o, time_of(o), &ret->timestamp, error);
    if (r < 0)
        return r;
    r = take_delivered(o, true, ret, error);
    if (r < 0)
        return r;
    ret->peer = strdup(peer);
    return ret->peer ? 0 : -ENOMEM;
}

static int read_message_value(const JsonValue *v, size_t i, const char *peer, ChatMessage *ret,
                              Error *error) {
    char where[32];
    Members o;

    snprintf(where, sizeof(where), "messages[%zu]", i);
    if (v->type != JSON_OBJECT)
        return error_set(error, ERROR_BACKEND_FAILED, "the answer is wrong: %s is no object",
                         where);
    read_members(v, where, &o);
    return read_message(&o, peer, ret, error);
}

/* All times are known, and none is later than the one before. */
static bool is_newest_first(const MessageList *l) {
    for (size_t i = 0; i < l->n; i++)
        if (l->items[i].timestamp == 0 ||
            (i > 0 && l->items[i].timestamp > l->items[i - 1].timestamp))
            return false;
    return l->n > 1 && l->items[0].timestamp > l->items[l->n - 1].timestamp;
}

static void put_in_order(MessageList *l) {
    if (!is_newest_first(l))
        return;
    for (size_t i = 0, k = l->n - 1; i < k; i++, k--) {
        ChatMessage m = l->items[i];
        l->items[i] = l->items[k];
        l->items[k] = m;
    }
}

/* Servers may give more than they were asked for. */
static void keep_newest(MessageList *l, unsigned limit) {
    size_t extra = l->n > limit ? l->n - limit : 0;

    for (size_t i = 0; i < extra; i++)
        message_done(&l->items[i]);
    l->n -= extra;
    memmove(l->items, l->items + extra, l->n * sizeof(ChatMessage));
}

int messenger_read_messages(const MessengerAnswer *a, const char *peer, unsigned limit,
                            MessageList *ret, Error *error) {
    _cleanup_message_list_ MessageList l = {};
    _cleanup_document_ Document d = {};
    JsonValue list, item;
    char *name;
    size_t n;
    int r;

    r = open_answer(a, &d, error);
    if (r < 0)
        return r;
    r = find_list(&d, M_MESSAGES, MESSENGER_MESSAGES_MAX, &list, &n, error);
    if (r < 0)
        return r;
    l.items = calloc(MAX(n, 1U), sizeof(ChatMessage));
    if (!l.items)
        return -ENOMEM;
    for (JsonWalk w = json_walk(&list); json_next(&w, &name, &item);) {
        ChatMessage *m = &l.items[l.n++];
        r = read_message_value(&item, l.n - 1, peer, m, error);
        if (r < 0)
            return r;
    }
    put_in_order(&l);
    keep_newest(&l, limit);
    *ret = l;
    l = (MessageList){};
    return 0;
}

/* ---- what was done ---- */

/* Statuses other than 200 say all that there is to say: 201, 202, 204. */
static int open_done(const MessengerAnswer *a, Document *d, const char *missing, bool said,
                     Error *error) {
    if (d->root.type != JSON_NULL && d->root.type != JSON_OBJECT)
        return wrong(error, "the answer is wrong: it is no object");
    if (a->status == 200 && !said)
        return error_set(error, ERROR_BACKEND_FAILED,
                         "the answer is wrong: %s is missing; nobody knows whether it was done",
                         missing);
    return 0;
}

static bool says_success(const Document *d) {
    static const Member words[] = {M_SUCCESS, M_OK};

    for (size_t i = 0; i < ELEMENTSOF(words); i++)
        if (d->members.values[words[i]].type == JSON_BOOL && d->members.values[words[i]].number)
            return true;
    return false;
}

int messenger_read_added(const MessengerAnswer *a, const char *username, FriendList *ret,
                         Error *error) {
    _cleanup_friend_list_ FriendList l = {};
    _cleanup_document_ Document d = {.members.where = ""};
    int r;

    r = open_answer(a, &d, error);
    if (r < 0)
        return r;
    bool named = has(&d.members, M_USERNAME) || has(&d.members, M_NAME);
    r = open_done(a, &d, "username", named || says_success(&d), error);
    if (r < 0)
        return r;
    l = (FriendList){.n = 1, .items = calloc(1, sizeof(Friend))};
    if (!l.items)
        return -ENOMEM;
    if (!named)
        d.members.values[M_USERNAME] = (JsonValue){.type = JSON_STRING, .text = (char *)username};
    r = read_friend(&d.members, &l.items[0], error);
    if (r < 0)
        return r;
    *ret = l;
    l = (FriendList){};
    return 0;
}

static int read_sent(const Document *d, unsigned status, ChatMessage *ret, Error *error) {
    Member id = FIRST_OF(&d->members, M_MESSAGE_ID, M_MSG_ID, M_ID);
    int r;

    if (has(&d->members, id))
        r = take_name(&d->members, id, true, &ret->id, error);
    else
        r = (ret->id = strdup("")) ? 0 : -ENOMEM;
    if (r < 0)
        return r;
    r = take_time(&d->members, time_of(&d->members), &ret->timestamp, error);
    if (r < 0)
        return r;
    /* 202: it is accepted, no more. */
    return take_delivered(&d->members, status != 202, ret, error);
}

int messenger_read_sent(const MessengerAnswer *a, const char *to, const char *content,
                        MessageList *ret, Error *error) {
    _cleanup_message_list_ MessageList l = {};
    _cleanup_document_ Document d = {.members.where = ""};
    int r;

    r = open_answer(a, &d, error);
    if (r < 0)
        return r;
    bool said = has(&d.members, FIRST_OF(&d.members, M_MESSAGE_ID, M_MSG_ID, M_ID, M_DELIVERED));
    r = open_done(a, &d, "message_id", said || says_success(&d), error);
    if (r < 0)
        return r;
    l = (MessageList){.n = 1, .items = calloc(1, sizeof(ChatMessage))};
    if (!l.items)
        return -ENOMEM;
    l.items[0] = (ChatMessage){
        .peer = strdup(to), .content = messenger_content_clean(content), .direction = MESSAGE_SENT};
    if (!l.items[0].peer || !l.items[0].content)
        return -ENOMEM;
    r = read_sent(&d, a->status, &l.items[0], error);
    if (r < 0)
        return r;
    *ret = l;
    l = (MessageList){};
    return 0;
}

int messenger_read_done(const MessengerAnswer *a, Error *error) {
    _cleanup_document_ Document d = {};

    return open_answer(a, &d, error);
}
