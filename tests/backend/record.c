#include "tests/backend/record.h"

#include <fnmatch.h>

#include "tests/backend/memory.h"

struct Record {
    char *method, *path, *target, *body, *fault;
    cJSON *headers;
    uint64_t time_usec, connection;
};

void records_init(Records *r, size_t max) {
    *r = (Records){.items = must(calloc(max + 1, sizeof(Record))), .max = max};
}

static void record_done(Record *r) {
    free(r->method);
    free(r->path);
    free(r->target);
    free(r->body);
    free(r->fault);
    cJSON_Delete(r->headers);
    *r = (Record){};
}

void records_clear(Records *r) {
    for (size_t i = 0; i < r->max; i++)
        record_done(&r->items[i]);
    r->n = r->next = 0;
    r->total = 0;
}

void records_done(Records *r) {
    records_clear(r);
    free(r->items);
}

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *key,
                                 const char *value) {
    cJSON_AddStringToObject(cls, key, strempty(value));
    return MHD_YES;
}

void records_add(Records *r, const Exchange *e) {
    Record *item = &r->items[r->next];

    r->total++;
    if (r->max == 0)
        return;
    record_done(item);
    *item = (Record){
        .method = must_copy(e->method),
        .path = must_copy(e->path),
        .target = must_copy(e->target),
        .body = must_copy(strempty(e->body)),
        .fault = must_copy(json_string(e->fault, "kind", "")),
        .headers = must(cJSON_CreateObject()),
        .time_usec = e->time_usec,
        .connection = e->number,
    };
    (void)MHD_get_connection_values(e->connection, MHD_HEADER_KIND, on_header, item->headers);
    r->next = (r->next + 1) % r->max;
    r->n = MIN(r->n + 1, r->max);
}

static const Record *nth(const Records *r, size_t i) {
    return &r->items[(r->next + r->max - r->n + i) % r->max];
}

static bool matches(const Record *r, const char *pattern) {
    return !pattern || fnmatch(pattern, r->path, 0) == 0;
}

static cJSON *record_to_json(const Record *r) {
    cJSON *j = must(cJSON_CreateObject());

    cJSON_AddStringToObject(j, "method", r->method);
    cJSON_AddStringToObject(j, "path", r->path);
    cJSON_AddStringToObject(j, "target", r->target);
    cJSON_AddStringToObject(j, "query", strchr(r->target, '?') ? strchr(r->target, '?') + 1 : "");
    cJSON_AddItemToObject(j, "headers", cJSON_Duplicate(r->headers, true));
    cJSON_AddStringToObject(j, "body", r->body);
    cJSON_AddStringToObject(j, "fault", r->fault);
    cJSON_AddNumberToObject(j, "time", (double)r->time_usec / (double)USEC_PER_SEC);
    cJSON_AddNumberToObject(j, "connection", (double)r->connection);
    return j;
}

cJSON *records_to_json(const Records *r, const char *pattern) {
    cJSON *list = must(cJSON_CreateArray());

    for (size_t i = 0; i < r->n; i++)
        if (matches(nth(r, i), pattern))
            cJSON_AddItemToArray(list, record_to_json(nth(r, i)));
    return list;
}

size_t records_count(const Records *r, const char *pattern) {
    size_t found = 0;

    for (size_t i = 0; i < r->n; i++)
        found += matches(nth(r, i), pattern);
    return found;
}
