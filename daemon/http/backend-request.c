#include <errno.h>
#include <stdlib.h>

#include "common/text.h"
#include "daemon/core/json-text.h"
#include "daemon/http/backend-answer.h"
#include "daemon/http/backend-watch-private.h"

/* Requests of clients, as they are. What they do wrong says nothing about the backend. */

static void request_free(BackendRequest *r) {
    TAILQ_REMOVE(&r->watch->requests, r, link);
    r->watch->n_requests--;
    http_call_free(r->call);
    free(r);
}

static void on_reply(void *userdata, const HttpReply *reply) {
    _cleanup_error_ Error error = {};
    BackendRequest *r = userdata;
    BackendRequestFunc func = r->func;
    void *arg = r->arg;

    r->call = NULL;
    request_free(r);
    if (reply->error < 0)
        answer_error(reply, &error);
    else if (strlen(reply->body) != reply->body_size || !utf8_is_valid(reply->body))
        error_set(&error, ERROR_BACKEND_FAILED, "HTTP %u, and the answer is no text of UTF-8",
                  reply->status);
    func(arg, reply->status, error.code == ERROR_NONE ? reply->body : "", &error);
}

static int check_body(const char *body, Error *error) {
    if (isempty(body) || json_text_check(body, strlen(body), NULL) >= 0)
        return 0;
    return error_set(error, ERROR_INVALID_OPTION, "the body is not JSON");
}

int backend_watch_request(Backend *b, const char *method, const char *path, const char *body,
                          BackendRequestFunc func, void *arg, Error *error) {
    BackendWatch *w = b->watch;
    HttpClientRequest request = {
        .method = method, .path = path, .json = isempty(body) ? NULL : body};
    BackendRequest *r;
    int result;

    if (w->n_requests >= BACKEND_ASKED_MAX)
        return -ENOBUFS;
    if (check_body(body, error) < 0)
        return -EREMOTE;
    r = malloc(sizeof(BackendRequest));
    if (!r)
        return -ENOMEM;
    *r = (BackendRequest){.watch = w, .func = func, .arg = arg};
    TAILQ_INSERT_TAIL(&w->requests, r, link);
    w->n_requests++;
    result = http_client_call(w->client, &request, on_reply, r, &r->call, error);
    if (result < 0)
        request_free(r);
    return result == -EINVAL
               ? error_set(error, ERROR_INVALID_OPTION, "\"%.100s\" is no method of HTTP", method)
               : result;
}

void backend_requests_drop(BackendWatch *w, const Error *error) {
    BackendRequest *r;

    while ((r = TAILQ_FIRST(&w->requests))) {
        BackendRequestFunc func = r->func;
        void *arg = r->arg;
        request_free(r);
        func(arg, 0, "", error);
    }
}
