#pragma once

#include "daemon/core/backend-settings.h"
#include "daemon/http/http-loop.h"
#include "daemon/http/http-url.h"

/* Requests to one backend: its url, whom it trusts, and what it is told who we are. The secret is
 * read from its file when it is needed, and again when the server refuses it (401). */

typedef struct HttpClient HttpClient;

/* Copies what it needs. */
int http_client_new(HttpClient **ret, HttpLoop *loop, const BackendSettings *settings);
/* Goes on with other settings: calls under way keep to those before. 0 or -ENOMEM. */
int http_client_change(HttpClient *c, const BackendSettings *settings);
HttpClient *http_client_free(HttpClient *c); /* NULL-safe, gives NULL; no call may be under way */

/* The url of a path, see HttpClientRequest. To be freed; NULL when it is none, or memory is short.
 */
char *http_client_url(const HttpClient *c, const char *path);
/* False: it is an url of another server than the backend is now. */
bool http_client_reaches(const HttpClient *c, const char *path);

typedef struct HttpClientRequest {
    const char *method;
    /* Under the url of the backend: "/api/friends?limit=3". An absolute url is taken where it has
     * the origin of the backend's (RFC 6454: scheme, host, port), else refused: secrets stay where
     * they belong. */
    const char *path;
    const char *const *headers;
    const char *json;      /* body, sent as application/json; NULL = none */
    uint64_t timeout_usec; /* 0 = the backend's */
    uint64_t response_max; /* 0 = the backend's */
    bool keep_redirect;
} HttpClientRequest;

/* As http_call_start(); besides -EREMOTE with the error set: the path is none, or the secret cannot
 * be read. */
int http_client_call(HttpClient *c, const HttpClientRequest *request, HttpDoneFunc func,
                     void *userdata, HttpCall **ret, Error *error);
