#include "daemon/http/http-error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/parse.h"
#include "common/text.h"
#include "daemon/http/http-url.h"

/* ---- words ---- */

typedef struct Words {
    const HttpFailure *f;
    const char *host; /* "name:port" */
    char *text;
} Words;

static int say(const Words *w, int error, const char *format, ...) _printf_(3, 4);
static int say(const Words *w, int error, const char *format, ...) {
    va_list args;

    va_start(args, format);
    vsnprintf(w->text, HTTP_ERROR_TEXT_MAX, format, args);
    va_end(args);
    return error;
}

/* "5s", not "5.0s": it is what somebody has set. */
static char *without_zero(char *number) {
    char *zero = strstr(number, ".0");

    if (zero && !(zero[2] >= '0' && zero[2] <= '9'))
        memmove(zero, zero + 2, strlen(zero + 2) + 1);
    return number;
}

/* libcurl's own words behind ours, made fit for one line. */
static int say_detail(const Words *w, int error, const char *what) {
    _cleanup_free_ char *detail = text_clean(w->f->detail, strlen(w->f->detail), 200);

    for (char *p = detail; p && *p; p++)
        if (*p == '\t')
            *p = ' ';
    return isempty(detail) ? say(w, error, "%s %s", what, w->host)
                           : say(w, error, "%s %s: %s", what, w->host, detail);
}

static int timed_out(const Words *w) {
    char span[FORMAT_MAX], within[FORMAT_MAX + 16] = " in time";

    if (w->f->timeout_usec > 0)
        snprintf(within, sizeof(within), " within %s",
                 without_zero(format_span(span, w->f->timeout_usec)));
    switch (w->f->phase) {
    case HTTP_PHASE_NAME:
        return say(w, -EAGAIN, "the name of %s was not resolved%s", w->host, within);
    case HTTP_PHASE_CONNECT:
        return say(w, -ETIMEDOUT, "no connection to %s%s", w->host, within);
    case HTTP_PHASE_TLS:
        return say(w, -ETIMEDOUT, "no TLS handshake with %s%s", w->host, within);
    case HTTP_PHASE_ANSWER:
        return say(w, -ETIMEDOUT, "no answer from %s%s", w->host, within);
    default:
        return say(w, -ETIMEDOUT, "no complete answer from %s%s", w->host, within);
    }
}

static int not_connected(const Words *w) {
    switch (w->f->os_errno) {
    case ECONNREFUSED:
        return say(w, -ECONNREFUSED, "connection refused by %s", w->host);
    case ENETUNREACH:
        return say(w, -ENETUNREACH, "no way to %s from here: network is unreachable", w->host);
    case EHOSTUNREACH:
        return say(w, -EHOSTUNREACH, "no route to host %s", w->host);
    case ETIMEDOUT:
        return timed_out(w);
    case 0:
        return say_detail(w, -EIO, "cannot connect to");
    default:
        return say(w, -EIO, "cannot connect to %s: %s", w->host, strerror(w->f->os_errno));
    }
}

static int too_large(const Words *w) {
    char size[FORMAT_MAX];

    if (w->f->response_max == 0)
        return say(w, -EMSGSIZE, "the answer of %s is too large", w->host);
    return say(w, -EMSGSIZE, "the answer of %s is larger than %s", w->host,
               without_zero(format_size(size, w->f->response_max)));
}

static int broken(const Words *w) {
    const char *why = w->f->os_errno == 0 || w->f->os_errno == ECONNRESET
                          ? "the connection was reset"
                          : strerror(w->f->os_errno);
    return say(w, -ECONNRESET, "the connection to %s broke: %s", w->host, why);
}

/* Also what is no HTTP 1 or 2 at all, libcurl says of it. */
static int unsupported(const Words *w) {
    if (isempty(w->host))
        return say(w, -EINVAL, "not an url of http or https");
    return say_detail(w, -EPROTO, "no HTTP from");
}

static int handshake(const Words *w) {
    if (w->f->os_errno == ECONNRESET || strstr(w->f->detail, "SSL_ERROR_SYSCALL"))
        return say(w, -ECONNRESET, "the connection to %s broke in the TLS handshake", w->host);
    return say_detail(w, -EKEYREJECTED, "no TLS with");
}

static int describe(const Words *w) {
    switch (w->f->code) {
    case CURLE_URL_MALFORMAT:
        return say(w, -EINVAL, "not an url that can be asked for");
    case CURLE_LOGIN_DENIED:
        return say(w, -EINVAL, "an url with a user or password in it is not taken");
    case CURLE_UNSUPPORTED_PROTOCOL:
        return unsupported(w);
    case CURLE_COULDNT_RESOLVE_HOST:
        return say(w, -ENOENT, "the name of %s cannot be resolved", w->host);
    case CURLE_COULDNT_RESOLVE_PROXY:
        return say_detail(w, -ENOENT, "the name of the proxy cannot be resolved, on the way to");
    case CURLE_PROXY:
        return say_detail(w, -EPROTO, "the proxy failed, on the way to");
    case CURLE_COULDNT_CONNECT:
        return not_connected(w);
    case CURLE_OPERATION_TIMEDOUT:
        return timed_out(w);
    case CURLE_GOT_NOTHING:
        return say(w, -ECONNRESET, "%s closed the connection without an answer", w->host);
    case CURLE_PARTIAL_FILE:
        return say(w, -ECONNRESET, "the connection to %s broke in the midst of the answer",
                   w->host);
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2_STREAM:
        return broken(w);
    case CURLE_FILESIZE_EXCEEDED:
    case CURLE_WRITE_ERROR: /* ours: what it writes to takes no more */
        return too_large(w);
    case CURLE_SSL_CONNECT_ERROR:
        return handshake(w);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return say_detail(w, -EKEYREJECTED, "cannot trust");
    case CURLE_SSL_CACERT_BADFILE:
        return say_detail(w, -EKEYREJECTED, "the file of certificates cannot be used, for");
    case CURLE_SSL_CERTPROBLEM:
        return say_detail(w, -EKEYREJECTED, "the client certificate cannot be used, for");
    case CURLE_SSL_CLIENTCERT:
    case CURLE_SSL_CIPHER:
        return say_detail(w, -EKEYREJECTED, "no TLS with");
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
    case CURLE_BAD_CONTENT_ENCODING:
        return say_detail(w, -EPROTO, "no HTTP from");
    case CURLE_OUT_OF_MEMORY:
        return say(w, -ENOMEM, "memory is short");
    default:
        return say_detail(w, -EIO, "the request failed, to");
    }
}

int http_failure_describe(const HttpFailure *f, char text[HTTP_ERROR_TEXT_MAX]) {
    char host[HTTP_URL_HOST_MAX];
    Words w = {.f = f, .host = http_url_host(f->url, host), .text = text};
    return describe(&w);
}

int http_failure_of_name(int error, const char *url, uint64_t timeout_usec,
                         char text[HTTP_ERROR_TEXT_MAX]) {
    char host[HTTP_URL_HOST_MAX];
    HttpFailure f = {.phase = HTTP_PHASE_NAME, .url = url, .timeout_usec = timeout_usec};
    Words w = {.f = &f, .host = http_url_host(url, host), .text = text};

    switch (error) {
    case -ETIMEDOUT:
        return timed_out(&w);
    case -ENOENT:
        return say(&w, error, "there is no host with the name of %s", host);
    case -EAGAIN:
        return say(&w, error, "the name of %s cannot be resolved now: no name server has answered",
                   host);
    default:
        return say(&w, error, "the name of %s cannot be resolved: %s", host, strerror(-error));
    }
}

int http_failure_of_stall(const char *url, uint64_t usec, char text[HTTP_ERROR_TEXT_MAX]) {
    char host[HTTP_URL_HOST_MAX], span[FORMAT_MAX];

    snprintf(text, HTTP_ERROR_TEXT_MAX, "nothing more from %s for %s", http_url_host(url, host),
             without_zero(format_span(span, usec)));
    return -ETIMEDOUT;
}

/* ---- from the handle ---- */

static bool has_passed(CURL *easy, CURLINFO when) {
    curl_off_t usec = 0;
    return curl_easy_getinfo(easy, when, &usec) == CURLE_OK && usec > 0;
}

static HttpPhase phase_of(CURL *easy) {
    if (has_passed(easy, CURLINFO_STARTTRANSFER_TIME_T))
        return HTTP_PHASE_BODY;
    if (has_passed(easy, CURLINFO_PRETRANSFER_TIME_T))
        return HTTP_PHASE_ANSWER;
    if (has_passed(easy, CURLINFO_CONNECT_TIME_T))
        return HTTP_PHASE_TLS;
    return has_passed(easy, CURLINFO_NAMELOOKUP_TIME_T) ? HTTP_PHASE_CONNECT : HTTP_PHASE_NAME;
}

void http_failure_read(HttpFailure *f, CURL *easy, CURLcode code) {
    long os_errno = 0;

    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
    f->code = code;
    f->os_errno = (int)os_errno;
    f->phase = phase_of(easy);
}
