#include "daemon/http/http-operation-follow.h"

#include <errno.h>
#include <stdio.h>

#include "common/text.h"
#include "daemon/core/json-text.h"
#include "daemon/http/http-client.h"
#include "daemon/http/http-operation-find.h"

void operation_answer_parse(OperationAnswer *a) {
    size_t n;

    a->root = NULL;
    if (json_text_check(a->body, a->body_size, &n) >= 0 && n <= JSON_TEXT_VALUES_MAX)
        a->root = cJSON_Parse(a->body);
}

bool operation_answer_is_empty(const OperationAnswer *a) {
    return a->body_size == strspn(a->body, " \t\r\n");
}

bool operation_answer_is_garbage(const OperationAnswer *a) {
    if (a->root || operation_answer_is_empty(a))
        return false;
    return (a->content_type && strcasestr(a->content_type, "json")) ||
           a->body[strspn(a->body, " \t\r\n")] == '<';
}

/* ---- urls ---- */

char *operation_url_shown(const char *url) {
    char *shown = text_clean(url, strcspn(url, "?"), 1000);

    return shown;
}

int operation_resolve(const OperationAnswer *a, const char *reference, char **ret, Error *error) {
    _cleanup_free_ char *url = http_url_join(a->url, reference);
    _cleanup_free_ char *shown = operation_url_shown(reference);

    if (!url)
        return error_set(error, ERROR_BACKEND_FAILED,
                         "the server names \"%.200s\" as where the operation is, which is no url",
                         strempty(shown));
    if (!http_url_same_origin(a->url, url))
        return error_set(error, ERROR_BACKEND_FAILED,
                         "the server says that the operation is at %.200s, which is not asked: it "
                         "is another server than the backend, and would get its credentials. Add "
                         "that one as a backend, and start it there",
                         strempty(shown));
    *ret = TAKE_PTR(url);
    return 0;
}

/* ---- templates ---- */

static bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~/", c));
}

static void put_escaped(FILE *out, const char *s) {
    for (; *s; s++)
        if (is_unreserved(*s))
            fputc(*s, out);
        else
            fprintf(out, "%%%02X", (unsigned char)*s);
}

static int put_field(FILE *out, const OperationAnswer *a, const char *pointer, Error *error) {
    const cJSON *value = operation_point(a->root, pointer);

    if (operation_is_text(value))
        put_escaped(out, value->valuestring);
    else if (cJSON_IsNumber(value))
        fprintf(out, "%.17g", value->valuedouble);
    else
        return error_set(error, ERROR_BACKEND_FAILED,
                         "the answer to the start has no text or number at \"%.200s\", which "
                         "url_template wants",
                         pointer);
    return 0;
}

static int fill_template(const OperationAnswer *a, const char *template, char **ret, Error *error) {
    size_t size;
    char *text = NULL;
    FILE *out = open_memstream(&text, &size);
    int r = 0;

    if (!out)
        return -ENOMEM;
    for (const char *s = template; *s && r >= 0; s++) {
        if (*s != '{') {
            fputc(*s, out);
            continue;
        }
        _cleanup_free_ char *pointer = strndup(s + 1, strcspn(s + 1, "}"));
        r = pointer ? put_field(out, a, pointer, error) : -ENOMEM;
        s = strchr(s, '}');
    }
    if (fclose(out) != 0 && r >= 0)
        r = -ENOMEM;
    if (r < 0) {
        free(text);
        return r;
    }
    *ret = text;
    return 0;
}

/* ---- links ---- */

/* Of the operation, and nothing else. */
static const char *const operation_links[] = {
    "operationurl", "operationlocation",
    "operationuri", "statusurl",
    "statusuri",    "statusquerygeturi",
    "statuslink",   "monitorurl",
    "monitoruri",   "pollurl",
    "pollinguri",   "pollingurl",
    "operation",    "status",
    "monitor",      NULL,
};
/* Of whatever the answer is about. */
static const char *const self_links[] = {"selflink", "self",     "url",       "uri",
                                         "href",     "location", "@odata.id", NULL};
static const char *const result_links[] = {
    "resourcelocation", "resulturl", "resulturi", "resultlocation", "resourceurl", "resourceuri",
    "result",           "output",    NULL,
};

static bool looks_like_url(const char *s) {
    return s && (s[0] == '/' || strncmp(s, "http://", 7) == 0 || strncmp(s, "https://", 8) == 0 ||
                 strncmp(s, "./", 2) == 0 || strncmp(s, "../", 3) == 0);
}

/* "status": "running" is no link. */
static const char *find_link(const cJSON *root, const char *const *names) {
    for (; *names; names++) {
        const char *one[] = {*names, NULL};
        const char *link = operation_link(root, one);
        if (looks_like_url(link))
            return link;
    }
    return NULL;
}

const char *operation_result_link(const OperationAnswer *a) {
    return find_link(a->root, result_links);
}

static int follow_named(const OperationAnswer *a, const HttpOperationParams *p, char **ret_url,
                        Error *error) {
    if (p->url_template)
        return fill_template(a, p->url_template, ret_url, error);
    const cJSON *value = operation_point(a->root, p->url_field);
    if (!operation_is_text(value))
        return error_set(error, ERROR_BACKEND_FAILED,
                         "the answer to the start has no url at \"%.200s\" (url_field)",
                         p->url_field);
    return operation_resolve(a, value->valuestring, ret_url, error);
}

/* An answer that is about something, with a link to it: is that an operation? */
static bool is_under_way(const OperationAnswer *a, const OperationReading *reading) {
    return a->status == 201 || a->status == 202 || reading->state == OPERATION_RUNNING;
}

static const char *find_reference(const OperationAnswer *a, const OperationReading *reading,
                                  OperationTrack *ret_track) {
    const char *link = a->operation_location;

    *ret_track = OPERATION_TRACK_STATUS;
    if (!link && !a->location)
        link = find_link(a->root, operation_links);
    if (link)
        return link;
    *ret_track = OPERATION_TRACK_RESOURCE;
    if (a->location)
        return a->location;
    return is_under_way(a, reading) ? find_link(a->root, self_links) : NULL;
}

int operation_follow(const OperationAnswer *a, const HttpOperationParams *p,
                     const OperationReading *reading, OperationTrack *ret_track, char **ret_url,
                     Error *error) {
    OperationTrack track = OPERATION_TRACK_STATUS;

    /* It is over already, whatever else could be asked for. */
    if (operation_state_is_final(reading->state) && a->status != 202 && a->status != 303) {
        *ret_track = OPERATION_TRACK_NONE;
        return 0;
    }
    if (p->url_template || p->url_field) {
        int r = follow_named(a, p, ret_url, error);
        if (r >= 0)
            *ret_track = track;
        return r;
    }
    const char *reference = find_reference(a, reading, &track);
    if (reference) {
        int r = operation_resolve(a, reference, ret_url, error);
        if (r >= 0)
            *ret_track = track;
        return r;
    }
    if (a->status == 202 || a->status == 303)
        return error_set(error, ERROR_BACKEND_FAILED,
                         "the server has taken the request (HTTP %u), but does not say where the "
                         "operation can be asked for: no Operation-Location, no Location, no link "
                         "in the answer. Give url_field or url_template",
                         a->status);
    if (reading->state == OPERATION_RUNNING)
        return error_set(error, ERROR_BACKEND_FAILED,
                         "the operation is under way%s%s, but the server does not say where it can "
                         "be asked for. Give url_field, or url_template such as \"/jobs/{/id}\"",
                         reading->word[0] ? ", it is " : "", reading->word);
    *ret_track = OPERATION_TRACK_NONE;
    return 0;
}

/* ---- cancel ---- */

char *operation_cancel_url(const char *url, const char *cancel_path) {
    char *text;

    if (!cancel_path)
        return strdup(url);
    if (cancel_path[0] == '/' || strncasecmp(cancel_path, "http://", 7) == 0 ||
        strncasecmp(cancel_path, "https://", 8) == 0)
        return strdup(cancel_path);
    /* Below the operation, and with its query, where services have their version. */
    size_t n = strcspn(url, "?");
    while (n > 0 && url[n - 1] == '/')
        n--;
    bool joined = cancel_path[0] == ':';
    const char *query = strchr(cancel_path, '?') ? "" : url + strcspn(url, "?");
    return asprintf(&text, "%.*s%s%s%s", (int)n, url, joined ? "" : "/", cancel_path, query) < 0
               ? NULL
               : text;
}
