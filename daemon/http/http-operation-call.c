#include <errno.h>

#include "common/clock.h"
#include "daemon/core/retry-after.h"
#include "daemon/http/http-operation-private.h"

/* The requests of an operation, and their answers. */

#define HEADERS_MAX (HTTP_OPERATION_HEADERS_MAX + 2)

typedef struct Headers {
    char *lines[HEADERS_MAX + 1];
    size_t n;
} Headers;

static void headers_done(Headers *h) {
    for (size_t i = 0; i < h->n; i++)
        free(h->lines[i]);
}

static int headers_add(Headers *h, const char *name, const char *value) {
    if (h->n == HEADERS_MAX)
        return -ENOBUFS;
    if (asprintf(&h->lines[h->n], "%s: %s", name, value) < 0) {
        h->lines[h->n] = NULL;
        return -ENOMEM;
    }
    h->n++;
    return 0;
}

static int make_headers(const HttpOperation *o, Headers *h) {
    const cJSON *header;
    int r = o->step == OPERATION_STEP_START ? headers_add(h, "Idempotency-Key", o->saved.key) : 0;

    if (r >= 0 && !cJSON_HasObjectItem(o->p.headers, "Accept"))
        r = headers_add(h, "Accept", "application/json, */*;q=0.5");
    cJSON_ArrayForEach (header, o->p.headers)
        if (r >= 0)
            r = headers_add(h, header->string, header->valuestring);
    return r;
}

static void take_answer(HttpOperation *o, const HttpReply *reply) {
    OperationAnswer a = {
        .status = reply->status,
        .url = reply->url,
        .body = reply->body,
        .body_size = reply->body_size,
        .operation_location = http_reply_header(reply, "Operation-Location")
                                  ?: http_reply_header(reply, "Azure-AsyncOperation"),
        .location = http_reply_header(reply, "Location"),
        .content_type = http_reply_header(reply, "Content-Type"),
        .retry_after = http_reply_header(reply, "Retry-After"),
        .date = http_reply_header(reply, "Date"),
    };

    operation_answer_parse(&a);
    /* o may be gone after this. */
    o->on_answer(o, &a);
    cJSON_Delete(a.root);
}

static void on_done(void *userdata, const HttpReply *reply) {
    HttpOperation *o = userdata;

    o->call = NULL; /* it is gone when this returns */
    if (reply->error < 0)
        o->on_failure(o, reply->error, reply->error_text);
    else
        take_answer(o, reply);
}

/* It fails at once: told as if it had been tried, but for the machine to go on. */
static void fail(HttpOperation *o, int r, const Error *error) {
    o->on_failure(o, r == -EREMOTE ? -EHOSTDOWN : r,
                  error->message ?: strerror(r == -ENOBUFS ? ENOBUFS : -r));
}

/* A backend of that name may be another server than the one where this was started: what is there
 * at the same path is none of ours, to be followed or cancelled. */
int operation_check_client(const HttpOperation *o, Error *error) {
    if (!o->spec.client)
        return error_set(error, ERROR_NO_SUCH_BACKEND,
                         "there is no backend \"%s\" any more: add it again, or cancel this",
                         o->p.backend);
    if (!o->saved.url || http_client_reaches(o->spec.client, o->saved.url))
        return 0;
    _cleanup_free_ char *shown = operation_url_shown(o->saved.url);
    return error_set(error, ERROR_NO_SUCH_BACKEND,
                     "it is at %s, and backend \"%s\" is another server now: let that have its old "
                     "url again, or cancel this",
                     strempty(shown), o->p.backend);
}

void operation_call(HttpOperation *o, const char *method, const char *url, const char *body,
                    void (*on_answer)(HttpOperation *o, const OperationAnswer *a),
                    void (*on_failure)(HttpOperation *o, int error, const char *text)) {
    _cleanup_(headers_done) Headers headers = {};
    _cleanup_error_ Error error = {};
    const HttpClientRequest request = {
        .method = method,
        .path = url,
        .headers = (const char *const *)headers.lines,
        .json = body,
        .keep_redirect = true,
    };

    o->on_answer = on_answer;
    o->on_failure = on_failure;
    int r = make_headers(o, &headers);
    if (r >= 0)
        r = operation_check_client(o, &error);
    if (r >= 0)
        r = http_client_call(o->spec.client, &request, on_done, o, &o->call, &error);
    if (r < 0)
        fail(o, r, &error);
}

void operation_drop_call(HttpOperation *o) {
    o->call = http_call_free(o->call);
}

bool operation_is_busy_status(unsigned status) {
    return status == 408 || status == 425 || status == 429 || status == 502 || status == 503 ||
           status == 504;
}

uint64_t operation_retry_after(const OperationAnswer *a) {
    return retry_after_usec(a->retry_after, a->date, clock_usec(CLOCK_REALTIME),
                            OPERATION_RETRY_AFTER_MAX_USEC);
}
