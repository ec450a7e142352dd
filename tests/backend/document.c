#include "tests/backend/document.h"

#include <time.h>

#include "common/clock.h"
#include "tests/backend/memory.h"

static void document_free(Document *d) {
    free(d->name);
    free(d->content);
    free(d->type);
    free(d->etag);
    free(d);
}

void documents_clear(Documents *d) {
    Document *one, *next;

    HASH_ITER (hh, d->all, one, next) {
        HASH_DEL(d->all, one);
        document_free(one);
    }
}

/* ---- what is in it ---- */

static Document *document_get(Documents *d, const char *name) {
    Document *one;

    HASH_FIND_STR(d->all, name, one);
    if (one || HASH_COUNT(d->all) >= DOCUMENTS_MAX)
        return one;
    one = must(calloc(1, sizeof(*one)));
    one->name = must_copy(name);
    HASH_ADD_KEYPTR(hh, d->all, one->name, strlen(one->name), one);
    return one;
}

static char *content_of(const cJSON *document) {
    const char *text = json_string(document, "text", NULL);
    const cJSON *json = cJSON_GetObjectItemCaseSensitive(document, "json");

    if (text)
        return must_copy(text);
    return json ? must(cJSON_PrintUnformatted(json)) : must_copy("{}");
}

static char *etag_of(const Document *d, const cJSON *document) {
    const char *word = json_string(document, "etag", "");

    if (!json_bool(document, "etag", true))
        return NULL;
    if (!isempty(word) && !streq(word, "weak"))
        return must_copy(word);
    return must_printf("%s\"%s-%u\"", isempty(word) ? "" : "W/", d->name, d->version);
}

static void change(Document *d, char *content, const char *type) {
    if (!d->content || !streq(d->content, content)) {
        d->version++;
        d->changed = clock_usec(CLOCK_REALTIME) / USEC_PER_SEC;
    }
    free(d->content);
    d->content = content;
    free(d->type);
    d->type = must_copy(type);
}

void documents_set(Documents *d, const char *name, const cJSON *document) {
    Document *one = document_get(d, name);

    if (!one)
        return;
    change(one, content_of(document), json_string(document, "type", "application/json"));
    free(one->etag);
    one->etag = etag_of(one, document);
    one->last_modified = json_bool(document, "last_modified", false);
}

/* ---- requests ---- */

const char *http_date(char buf[HTTP_DATE_SIZE], uint64_t seconds) {
    time_t t = (time_t)seconds;
    struct tm tm;

    (void)gmtime_r(&t, &tm);
    (void)strftime(buf, HTTP_DATE_SIZE, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    return buf;
}

/* RFC 9110, 13.1.2: with a weak comparison, and If-Modified-Since only without it. */
static bool is_known(const Exchange *e, const char *etag, const char *date) {
    const char *known = exchange_header(e, "If-None-Match");
    const char *since = exchange_header(e, "If-Modified-Since");

    if (known)
        return etag && (streq(known, "*") || strstr(known, strchr(etag, '"') ?: etag));
    return since && date && streq(since, date);
}

bool document_is_known(Exchange *e, const char *etag, uint64_t modified) {
    char date[HTTP_DATE_SIZE];

    if (etag)
        reply_header(e, "ETag", "%s", etag);
    if (modified > 0)
        reply_header(e, "Last-Modified", "%s", http_date(date, modified));
    if (!is_known(e, etag, modified > 0 ? date : NULL))
        return false;
    reply_empty(e, 304);
    return true;
}

static void get(Exchange *e, const Document *d) {
    if (document_is_known(e, d->etag, d->last_modified ? d->changed : 0))
        return;
    reply_text(e, 200, "%s", d->content);
    reply_header(e, "Content-Type", "%s", d->type);
}

static void put(Exchange *e, Documents *d, const char *name) {
    _cleanup_json_ cJSON *document = cJSON_CreateObject();

    cJSON_AddStringToObject(document, "text", strempty(e->body));
    documents_set(d, name, document);
    reply_empty(e, 204);
}

bool documents_route(Exchange *e, Documents *d) {
    const char *name = exchange_below(e, "/doc/");
    Document *one;

    if (!name)
        return false;
    HASH_FIND_STR(d->all, name, one);
    if (exchange_is(e, "PUT"))
        put(e, d, name);
    else if (one && exchange_is(e, "GET"))
        get(e, one);
    else
        reply_error(e, one ? 405 : 404, one ? "not allowed: %s" : "no such document: %s",
                    one ? e->method : name);
    return true;
}
