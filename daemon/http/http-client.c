#include "daemon/http/http-client.h"

#include <errno.h>

#include "common/cleanup.h"
#include "daemon/http/http-policy.h"
#include "daemon/http/http-secret.h"

struct HttpClient {
    HttpLoop *loop;
    BackendSettings *settings; /* a copy */
    HttpAuthType auth;
    char *secret; /* wiped; NULL: not read yet */
};

static HttpAuthType auth_of(const BackendSettings *s) {
    if (isempty(s->auth))
        return HTTP_AUTH_NONE;
    return streq(s->auth, "basic") ? HTTP_AUTH_BASIC : HTTP_AUTH_BEARER;
}

int http_client_change(HttpClient *c, const BackendSettings *settings) {
    BackendSettings *copy = backend_settings_copy(settings);

    if (!copy)
        return -ENOMEM;
    backend_settings_free(c->settings);
    c->settings = copy;
    c->auth = auth_of(settings);
    c->secret = http_secret_free(c->secret);
    return 0;
}

int http_client_new(HttpClient **ret, HttpLoop *loop, const BackendSettings *settings) {
    HttpClient *c = calloc(1, sizeof(HttpClient));
    int r;

    if (!c)
        return -ENOMEM;
    c->loop = loop;
    r = http_client_change(c, settings);
    if (r < 0) {
        http_client_free(c);
        return r;
    }
    *ret = c;
    return 0;
}

HttpClient *http_client_free(HttpClient *c) {
    if (!c)
        return NULL;
    backend_settings_free(c->settings);
    c->secret = http_secret_free(c->secret);
    free(c);
    return NULL;
}

/* ---- the secret ---- */

static int need_secret(HttpClient *c, Error *error) {
    if (c->auth == HTTP_AUTH_NONE || c->secret)
        return 0;
    return http_secret_read(c->settings->credential, c->auth, &c->secret, error);
}

/* The server has refused the one that we have. Whoever renews it writes the file anew. A call from
 * before a change of the settings may be at another server: that one gets nothing. */
static const char *renew_secret(void *userdata, const char *url) {
    _cleanup_error_ Error error = {};
    HttpClient *c = userdata;
    char *secret = NULL;

    if (c->auth == HTTP_AUTH_NONE || !http_url_same_origin(url, c->settings->url))
        return NULL;
    if (http_secret_read(c->settings->credential, c->auth, &secret, &error) < 0)
        return NULL;
    bool same = c->secret && streq(c->secret, secret);
    http_secret_free(c->secret);
    c->secret = secret;
    return same ? NULL : secret;
}

/* ---- requests ---- */

char *http_client_url(const HttpClient *c, const char *path) {
    return http_url_below(c->settings->url, path);
}

bool http_client_reaches(const HttpClient *c, const char *path) {
    _cleanup_free_ char *url = http_client_url(c, path);

    return !url || http_url_same_origin(url, c->settings->url);
}

static int find_url(const HttpClient *c, const char *path, char **ret, Error *error) {
    _cleanup_free_ char *url = http_client_url(c, path);

    if (!url)
        return error_set(error, ERROR_INVALID_OPTION,
                         "\"%s\" is no path below %s; what is no letter, digit or one of -._~/?&= "
                         "is written %%XX",
                         path, c->settings->url);
    if (!http_url_same_origin(url, c->settings->url))
        return error_set(error, ERROR_INVALID_OPTION,
                         "%s is on another host than %s; only the backend itself is asked", url,
                         c->settings->url);
    *ret = TAKE_PTR(url);
    return 0;
}

static bool has_header(const char *const *headers, const char *name) {
    for (const char *const *h = headers; h && *h; h++)
        if (http_header_is(*h, name))
            return true;
    return false;
}

#define HEADERS_MAX 64

/* Those of the request, and what goes with JSON. */
static int collect_headers(const HttpClientRequest *r, const char *list[HEADERS_MAX + 3]) {
    size_t n = 0;

    for (const char *const *h = r->headers; h && *h; h++) {
        if (n == HEADERS_MAX)
            return -EINVAL;
        list[n++] = *h;
    }
    if (!has_header(r->headers, "Accept"))
        list[n++] = "Accept: application/json";
    if (r->json && !has_header(r->headers, "Content-Type"))
        list[n++] = "Content-Type: application/json";
    list[n] = NULL;
    return 0;
}

int http_client_call(HttpClient *c, const HttpClientRequest *request, HttpDoneFunc func,
                     void *userdata, HttpCall **ret, Error *error) {
    const BackendSettings *s = c->settings;
    const char *headers[HEADERS_MAX + 3];
    _cleanup_free_ char *url = NULL;
    int r = find_url(c, strempty(request->path), &url, error);

    if (r == 0)
        r = need_secret(c, error);
    if (r == 0)
        r = collect_headers(request, headers);
    if (r < 0)
        return r;
    HttpRequest http = {
        .method = request->method,
        .url = url,
        .headers = headers,
        .body = request->json,
        .body_size = strlen(strempty(request->json)),
        .timeout_usec = request->timeout_usec ?: s->timeout_usec,
        .connect_timeout_usec = s->connect_timeout_usec,
        .response_max = request->response_max ?: s->response_max,
        .ca_file = s->ca_file,
        .client_cert = s->client_cert,
        .client_key = s->client_key,
        .auth = c->auth,
        .secret = c->secret,
        .keep_redirect = request->keep_redirect,
        .renew_secret = c->auth == HTTP_AUTH_NONE ? NULL : renew_secret,
        .renew_userdata = c,
    };
    return http_call_start(c->loop, &http, func, userdata, ret);
}
