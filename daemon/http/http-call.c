#include <errno.h>
#include <stdio.h>

#include "common/clock.h"
#include "daemon/http/http-policy.h"
#include "daemon/http/http-private.h"
#include "daemon/http/http-redirect.h"
#include "daemon/http/http-url.h"

#define CONNECT_TIMEOUT_DEFAULT (10 * USEC_PER_SEC)
#define HEADERS_MAX 64
#define BODY_FIRST 4096

/* How much later than libcurl we look at its timeouts. */
#define GRACE_USEC (200 * USEC_PER_MSEC)

/* Of what is sent; the least that libcurl takes. */
#define UPLOAD_BUFFER_SIZE (16 * KIB)

/* ---- the request ---- */

bool http_request_is_valid(const HttpRequest *r) {
    size_t n = 0;

    if (isempty(r->url) || isempty(r->method) || !http_method_is_valid(r->method))
        return false;
    for (const char *const *h = r->headers; h && *h; h++)
        if (++n > HEADERS_MAX || !http_header_is_valid(*h))
            return false;
    return r->auth == HTTP_AUTH_NONE || http_secret_is_valid(r->auth, r->secret);
}

static size_t size_of(const char *s) {
    return s ? strlen(s) + 1 : 0;
}

static size_t copied_size(const HttpRequest *r) {
    return r->body_size + size_of(r->method) + size_of(r->url) + size_of(r->ca_file) +
           size_of(r->client_cert) + size_of(r->client_key);
}

static const char *put(char **at, const void *data, size_t size) {
    char *begin = *at;

    if (!data)
        return NULL;
    memcpy(begin, data, size);
    *at += size;
    return begin;
}

static int copy_headers(HttpCall *c, const char *const *headers) {
    for (const char *const *h = headers; h && *h; h++) {
        struct curl_slist *list = curl_slist_append(c->headers, *h);
        if (!list)
            return -ENOMEM;
        c->headers = list;
    }
    return 0;
}

static void wipe_free(char *secret) {
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

static int set_secret(HttpCall *c, const char *secret) {
    wipe_free(c->secret);
    c->secret = secret ? strdup(secret) : NULL;
    c->request.secret = c->secret;
    return secret && !c->secret ? -ENOMEM : 0;
}

HttpCall *http_call_new(const HttpRequest *r) {
    HttpCall *c = malloc(sizeof(HttpCall) + copied_size(r));

    if (!c)
        return NULL;
    char *at = (char *)(c + 1);
    memset(c, 0, sizeof(HttpCall));
    c->request = *r;
    c->request.headers = NULL;
    c->request.secret = NULL;
    c->request.body = put(&at, r->body, r->body_size);
    c->request.method = put(&at, r->method, size_of(r->method));
    c->request.url = put(&at, r->url, size_of(r->url));
    c->request.ca_file = put(&at, r->ca_file, size_of(r->ca_file));
    c->request.client_cert = put(&at, r->client_cert, size_of(r->client_cert));
    c->request.client_key = put(&at, r->client_key, size_of(r->client_key));
    if (c->request.response_max == 0)
        c->request.response_max = HTTP_RESPONSE_MAX_DEFAULT;
    c->begun = c->moved = clock_usec(CLOCK_MONOTONIC);
    if (copy_headers(c, r->headers) < 0 ||
        set_secret(c, r->auth == HTTP_AUTH_NONE ? NULL : r->secret) < 0) {
        http_call_destroy(c);
        return NULL;
    }
    return c;
}

void http_call_destroy(HttpCall *c) {
    curl_slist_free_all(c->headers);
    curl_slist_free_all(c->resolved);
    wipe_free(c->secret);
    free(c->url);
    free(c->body);
    free(c);
}

/* ---- the name of the host ---- */

/* A plus: for a while only, as if libcurl had found it by itself. */
static int set_resolved(HttpCall *c, const char *name, unsigned port, const char *addresses) {
    _cleanup_free_ char *line = NULL;

    curl_slist_free_all(TAKE_PTR(c->resolved));
    if (asprintf(&line, "+%s:%u:%s", name, port, addresses) < 0)
        return -ENOMEM;
    c->resolved = curl_slist_append(NULL, line);
    return c->resolved ? 0 : -ENOMEM;
}

int http_call_find_name(HttpCall *c, HttpNames *names) {
    char name[HTTP_URL_HOST_MAX];
    const char *addresses;
    unsigned port;
    int r;

    c->has_names = true;
    curl_slist_free_all(TAKE_PTR(c->resolved));
    if (!http_url_name(c->request.url, name, &port))
        return 1;
    r = http_names_find(names, name, &addresses);
    if (r == 0)
        strcpy(c->name, name);
    else if (r > 0)
        r = set_resolved(c, name, port, addresses) < 0 ? -ENOMEM : 1;
    if (r < 0)
        c->error = http_failure_of_name(r, c->request.url, 0, c->text);
    return r;
}

static uint64_t connect_timeout(const HttpCall *c) {
    return c->request.connect_timeout_usec ?: c->request.timeout_usec ?: CONNECT_TIMEOUT_DEFAULT;
}

bool http_call_name_is_late(HttpCall *c, uint64_t now) {
    uint64_t timeout = connect_timeout(c);

    if (c->request.timeout_usec > 0)
        timeout = MIN(timeout, c->request.timeout_usec);
    if (now - c->begun < timeout)
        return false;
    c->error = http_failure_of_name(-ETIMEDOUT, c->request.url, timeout, c->text);
    return true;
}

static void failed(HttpCall *c, CURLcode code) {
    HttpFailure f = {
        .url = c->request.url,
        .detail = c->detail,
        .timeout_usec = c->request.timeout_usec,
        .response_max = c->request.response_max,
    };

    http_failure_read(&f, c->easy, code);
    if (c->has_names && f.phase == HTTP_PHASE_NAME)
        f.phase = HTTP_PHASE_CONNECT;
    if (code == CURLE_WRITE_ERROR && !c->too_large)
        f.code = CURLE_OUT_OF_MEMORY;
    if (f.phase < HTTP_PHASE_ANSWER && c->request.connect_timeout_usec > 0)
        f.timeout_usec = c->request.connect_timeout_usec;
    c->error = http_failure_describe(&f, c->text);
}

/* ---- whether it moves ---- */

static uint64_t bytes_so_far(CURL *easy) {
    curl_off_t up = 0, down = 0;
    long sent = 0, headers = 0;

    curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &up);
    curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &sent);
    curl_easy_getinfo(easy, CURLINFO_HEADER_SIZE, &headers);
    return (uint64_t)up + (uint64_t)down + (uint64_t)sent + (uint64_t)headers;
}

/* Until the request is sent, the timeout of the connection counts. */
static bool is_stalled(HttpCall *c, uint64_t now) {
    uint64_t bytes, stall = c->request.stall_timeout_usec;

    if (stall == 0)
        return false;
    bytes = bytes_so_far(c->easy);
    if (bytes != c->bytes || bytes == 0) {
        c->bytes = bytes;
        c->moved = now;
    }
    if (now - c->moved < stall)
        return false;
    c->error = http_failure_of_stall(c->request.url, stall, c->text);
    return true;
}

/* libcurl looks at its timeouts first. But 7.88 forgets one that is less than a millisecond ahead,
 * where the request has something else to do then: nobody would wake up for it any more. */
static bool is_overdue(HttpCall *c, uint64_t now) {
    const HttpRequest *r = &c->request;
    curl_off_t connected = 0;

    if (r->timeout_usec > 0)
        return now - c->begun > r->timeout_usec + GRACE_USEC;
    curl_easy_getinfo(c->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
    return connected == 0 && now - c->handed > connect_timeout(c) + GRACE_USEC;
}

bool http_call_is_stuck(HttpCall *c, uint64_t now) {
    if (is_stalled(c, now))
        return true;
    if (!is_overdue(c, now))
        return false;
    failed(c, CURLE_OPERATION_TIMEDOUT);
    return true;
}

/* ---- the handle ---- */

static int grow(HttpCall *c, size_t need) {
    size_t size = MAX(c->body_allocated * 2, (size_t)BODY_FIRST);

    if (need <= c->body_allocated)
        return 0;
    size = MAX(size, need);
    char *body = realloc(c->body, size);
    if (!body)
        return -ENOMEM;
    c->body = body;
    c->body_allocated = size;
    return 0;
}

/* What is counted here is unpacked. */
static size_t on_body(char *data, size_t size, size_t count, void *userdata) {
    HttpCall *c = userdata;

    size *= count;
    c->too_large = size > c->request.response_max - c->body_size;
    if (c->too_large || grow(c, c->body_size + size + 1) < 0)
        return CURL_WRITEFUNC_ERROR;
    memcpy(c->body + c->body_size, data, size);
    c->body_size += size;
    return size;
}

static long msec(uint64_t usec) {
    uint64_t ms = (usec + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
    return (long)MIN(ms, (uint64_t)INT32_MAX);
}

/* Of redirects all together take the time of one. */
static int set_times(HttpCall *c) {
    uint64_t total = c->request.timeout_usec;
    uint64_t passed = clock_usec(CLOCK_MONOTONIC) - c->begun;

    if (total > 0 && passed >= total)
        return -ETIMEDOUT;
    if (total > 0)
        curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, msec(total - passed));
    curl_easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT_MS, msec(connect_timeout(c)));
    return 0;
}

/* A header without a value is one that libcurl is not to add by itself. */
static int set_headers(HttpCall *c) {
    bool has_type = false;

    for (struct curl_slist *h = c->headers; h; h = h->next)
        has_type = has_type || http_header_is(h->data, "Content-Type");
    if (c->request.body && !has_type) {
        struct curl_slist *list = curl_slist_append(c->headers, "Content-Type:");
        if (!list)
            return -ENOMEM;
        c->headers = list;
    }
    curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers);
    return 0;
}

/* RFC 9110, section 9.2.1: it may be done twice, and nobody would know. */
static bool is_safe(const char *method) {
    return streq(method, "GET") || streq(method, "HEAD") || streq(method, "OPTIONS");
}

/* Names are kept by http-names.c. All that libcurl keeps it goes through with each request, so that
 * is to be little. */
static void set_known(HttpCall *c) {
    curl_easy_setopt(c->easy, CURLOPT_RESOLVE, c->resolved);
    if (c->has_names)
        curl_easy_setopt(c->easy, CURLOPT_DNS_CACHE_TIMEOUT, 1L);
}

/* Where we find the names there is none in the environment, and libcurl need not look again. */
static void set_proxy(HttpCall *c) {
    if (c->has_names)
        curl_easy_setopt(c->easy, CURLOPT_PROXY, "");
}

/* Better another stream of a connection that is being made than one of its own. Over http libcurl
 * would find out only from the first answer, and where that one hangs all others would wait. */
static int set_sharing(HttpCall *c) {
    long wait = http_url_is_https(c->request.url);

    return curl_easy_setopt(c->easy, CURLOPT_PIPEWAIT, wait) == CURLE_OK ? 0 : -ENOMEM;
}

static int set_request(HttpCall *c) {
    const HttpRequest *r = &c->request;
    HttpPolicy policy = {.url = r->url, .ca_file = r->ca_file};
    int error;

    if (!c->elsewhere) {
        policy.client_cert = r->client_cert;
        policy.client_key = r->client_key;
        policy.auth = r->auth;
        policy.secret = r->secret;
    }
    error = http_policy_apply(c->easy, &policy);
    if (error == 0)
        error = set_sharing(c);
    if (error == 0)
        error = http_policy_set_method(c->easy, r->method, r->body, r->body_size);
    if (error == 0)
        error = set_headers(c);
    if (error == 0) {
        set_known(c);
        set_proxy(c);
    }
    /* When a connection that was kept breaks without an answer, libcurl sends the request again, by
     * itself, and whatever it is: by then, the server may have done what it was asked to do. */
    if (error == 0)
        curl_easy_setopt(c->easy, CURLOPT_FRESH_CONNECT, (long)!is_safe(r->method));
    if (error == 0 && curl_easy_setopt(c->easy, CURLOPT_URL, r->url) != CURLE_OK)
        error = -ENOMEM;
    return error;
}

static int set_receiver(HttpCall *c) {
    CURLcode r = curl_easy_setopt(c->easy, CURLOPT_PRIVATE, c);

    r = r ?: curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->detail);
    r = r ?: curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_body);
    r = r ?: curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
    r = r ?: curl_easy_setopt(c->easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER_SIZE);
    r = r ?: curl_easy_setopt(c->easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    /* The length that is announced; of HEAD there is no body, however long. */
    if (!streq(c->request.method, "HEAD"))
        r = r
                ?: curl_easy_setopt(c->easy, CURLOPT_MAXFILESIZE_LARGE,
                                    (curl_off_t)MIN(c->request.response_max, (uint64_t)INT64_MAX));
    return r == CURLE_OK ? 0 : -ENOMEM;
}

int http_call_prepare(HttpCall *c) {
    int r;

    c->detail[0] = '\0';
    c->body_size = 0;
    c->handed = clock_usec(CLOCK_MONOTONIC);
    r = set_times(c);
    if (r == 0)
        r = set_request(c);
    return r == 0 ? set_receiver(c) : r;
}

/* ---- what has come ---- */

void http_call_fail(HttpCall *c, int error, const char *text) {
    c->error = error;
    snprintf(c->text, sizeof(c->text), "%s", text);
}

static void drop_headers(HttpCall *c) {
    struct curl_slist **at = &c->headers;

    while (*at) {
        struct curl_slist *h = *at;
        if (http_redirect_keeps_header(h->data)) {
            at = &h->next;
            continue;
        }
        *at = h->next;
        h->next = NULL;
        curl_slist_free_all(h);
    }
}

static bool redirected(HttpCall *c) {
    HttpRedirect to = {};
    int r;

    if (c->request.keep_redirect)
        return false;
    r = http_redirect_next(c->easy, c->request.url, c->request.method, c->redirects, &to, c->text);
    if (r <= 0) {
        c->error = r;
        return false;
    }
    c->redirects++;
    free(c->url);
    c->request.url = c->url = to.url;
    if (to.to_get) {
        c->request.method = "GET";
        c->request.body = NULL;
        c->request.body_size = 0;
    }
    /* Once it has been elsewhere it stays so, also on the way back: what sent it there is not what
     * we trust. */
    if (to.elsewhere && !c->elsewhere) {
        c->elsewhere = true;
        drop_headers(c);
    }
    return true;
}

static bool refused(HttpCall *c) {
    const HttpRequest *r = &c->request;
    long status = 0;

    curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 401 || c->renewed || c->elsewhere || !r->renew_secret)
        return false;
    c->renewed = true;
    const char *secret = r->renew_secret(r->renew_userdata, r->url);
    return secret && http_secret_is_valid(r->auth, secret) && set_secret(c, secret) == 0;
}

static void add_latency(HttpCall *c) {
    curl_off_t usec = 0;

    curl_easy_getinfo(c->easy, CURLINFO_TOTAL_TIME_T, &usec);
    c->latency_usec += usec > 0 ? (uint64_t)usec : 0;
}

bool http_call_goes_on(HttpCall *c, CURLcode code) {
    add_latency(c);
    if (code != CURLE_OK) {
        failed(c, code);
        return false;
    }
    return redirected(c) || (c->error == 0 && refused(c));
}

static const char *reply_body(HttpCall *c) {
    if (c->error < 0 || c->body_size == 0)
        return "";
    c->body[c->body_size] = '\0';
    return c->body;
}

void http_call_tell(HttpCall *c) {
    HttpReply reply = {
        .error = c->error,
        .error_text = c->error < 0 ? c->text : "",
        .body = reply_body(c),
        .body_size = c->error < 0 ? 0 : c->body_size,
        .url = c->request.url,
        .latency_usec = c->latency_usec,
        .headers = c->error < 0 ? NULL : c->easy,
    };
    long status = 0;

    if (c->error == 0)
        curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    reply.status = (unsigned)status;
    c->func(c->userdata, &reply);
}

const char *http_reply_header(const HttpReply *r, const char *name) {
    struct curl_header *h;

    if (!r->headers || curl_easy_header(r->headers, name, 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
        return NULL;
    return h->value;
}
