#include "tests/backend/control.h"

#include "tests/backend/memory.h"
#include "tests/backend/server.h"
#include "tests/backend/wait.h"

static void reply_done(Exchange *e) {
    reply_json(e, 200, cJSON_CreateObject());
}

/* ---- faults ---- */

static const char *add_faults(Server *s, cJSON *j) {
    const char *wrong = NULL;

    if (!cJSON_IsArray(j))
        return faults_add(&s->faults, j);
    while (!wrong && cJSON_GetArraySize(j) > 0)
        wrong = faults_add(&s->faults, cJSON_DetachItemFromArray(j, 0));
    cJSON_Delete(j);
    return wrong;
}

static void faults(Exchange *e, Server *s) {
    const char *wrong = NULL;

    if (exchange_is(e, "DELETE"))
        faults_clear(&s->faults);
    else
        wrong = add_faults(s, cJSON_ParseWithLength(strempty(e->body), e->body_size));
    if (wrong)
        reply_error(e, 400, "%s", wrong);
    else
        reply_done(e);
}

/* ---- requests ---- */

static void requests(Exchange *e, Server *s) {
    const char *pattern = exchange_argument(e, "path");

    if (exchange_is(e, "DELETE")) {
        records_clear(&s->records);
        reply_done(e);
    } else if (exchange_argument(e, "count"))
        reply_json(e, 200, cJSON_CreateNumber((double)records_count(&s->records, pattern)));
    else
        reply_json(e, 200, records_to_json(&s->records, pattern));
}

/* ---- what there is ---- */

void server_set(Server *s, const cJSON *j) {
    const char *authorization = json_string(j, "authorization", NULL);
    const cJSON *item;

    messenger_set(&s->messenger, j);
    cJSON_ArrayForEach (item, cJSON_GetObjectItemCaseSensitive(j, "documents"))
        documents_set(&s->documents, item->string, item);
    cJSON_ArrayForEach (item, cJSON_GetObjectItemCaseSensitive(j, "files"))
        files_set(&s->files, item->string, item);
    cJSON_ArrayForEach (item, cJSON_GetObjectItemCaseSensitive(j, "operations"))
        operations_set(&s->operations, item);
    if (authorization) {
        free(s->authorization);
        s->authorization = must_copy(authorization);
    }
}

static void set(Exchange *e, Server *s) {
    _cleanup_json_ cJSON *j = json_object_parse(e->body, e->body_size);

    if (!j) {
        reply_error(e, 400, "the body is no object");
        return;
    }
    server_set(s, j);
    reply_done(e);
}

static void state(Exchange *e, Server *s) {
    cJSON *j = cJSON_CreateObject(), *peers = cJSON_AddArrayToObject(j, "peers");

    for (const Peer *p = s->messenger.peers; p; p = p->hh.next) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "username", p->name);
        cJSON_AddBoolToObject(item, "online", p->online);
        cJSON_AddBoolToObject(item, "friend", p->is_friend);
        cJSON_AddItemToArray(peers, item);
    }
    cJSON_AddItemToObject(j, "operations", operations_to_json(&s->operations));
    cJSON_AddItemToObject(j, "files", files_to_json(&s->files));
    cJSON_AddNumberToObject(j, "messages", (double)s->messenger.n_messages);
    cJSON_AddNumberToObject(j, "requests", (double)s->records.total);
    cJSON_AddNumberToObject(j, "faults", (double)s->faults.done);
    cJSON_AddNumberToObject(j, "connections", (double)s->connections);
    cJSON_AddNumberToObject(j, "connections_peak", (double)s->connections_peak);
    cJSON_AddNumberToObject(j, "connections_total", (double)s->connections_total);
    reply_json(e, 200, j);
}

static void give_up(Exchange *e, Server *s) {
    while (s->waiting)
        wait_give_up(s->waiting);
    reply_done(e);
}

bool control_route(Exchange *e, Server *s) {
    if (strncmp(e->path, "/_test/", 7) != 0)
        return false;
    if (streq(e->path, "/_test/faults"))
        faults(e, s);
    else if (streq(e->path, "/_test/requests"))
        requests(e, s);
    else if (streq(e->path, "/_test/set"))
        set(e, s);
    else if (streq(e->path, "/_test/state"))
        state(e, s);
    else if (streq(e->path, "/_test/give-up"))
        give_up(e, s);
    else
        reply_error(e, 404, "nothing here: %s", e->path);
    return true;
}
