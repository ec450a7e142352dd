#include "daemon/http/http-url.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "common/cleanup.h"
#include "common/loopback.h"

static inline CURLU *url_free(CURLU *u) {
    curl_url_cleanup(u);
    return NULL;
}
DEFINE_CLEANUP(CURLU *, url_free)

static inline void curl_freep(char **p) {
    curl_free(*p);
}
#define _cleanup_part_ _cleanup_(curl_freep)

static bool get(CURLU *u, CURLUPart part, char **ret) {
    return curl_url_get(u, part, ret, part == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0) == CURLUE_OK;
}

static bool is_ours(CURLU *u) {
    _cleanup_part_ char *scheme = NULL, *user = NULL, *password = NULL;

    if (!get(u, CURLUPART_SCHEME, &scheme) ||
        (strcasecmp(scheme, "http") != 0 && strcasecmp(scheme, "https") != 0))
        return false;
    return !get(u, CURLUPART_USER, &user) && !get(u, CURLUPART_PASSWORD, &password);
}

static CURLU *parse(const char *url) {
    _cleanup_(url_freep) CURLU *u = curl_url();

    if (!u || curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
        !is_ours(u))
        return NULL;
    return TAKE_PTR(u);
}

static char *format(CURLU *u) {
    _cleanup_part_ char *url = NULL;

    if (curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0) != CURLUE_OK || !get(u, CURLUPART_URL, &url))
        return NULL;
    return strdup(url);
}

/* libcurl takes a blank in a reference for %20 where it comes from a server, and so do we; other
 * control characters it refuses. */
char *http_url_join(const char *base, const char *reference) {
    _cleanup_(url_freep) CURLU *u = parse(base);

    if (!u ||
        curl_url_set(u, CURLUPART_URL, reference, CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE) !=
            CURLUE_OK ||
        !is_ours(u))
        return NULL;
    return format(u);
}

static bool is_absolute(const char *s) {
    return strncasecmp(s, "http://", 7) == 0 || strncasecmp(s, "https://", 8) == 0;
}

char *http_url_below(const char *base, const char *path) {
    _cleanup_free_ char *joined = NULL;
    size_t size = strlen(base);

    while (size > 0 && base[size - 1] == '/')
        size--;
    const char *slash = path[0] == '/' || path[0] == '?' || path[0] == '\0' ? "" : "/";
    if (!is_absolute(path) && asprintf(&joined, "%.*s%s%s", (int)size, base, slash, path) < 0)
        return NULL;
    _cleanup_(url_freep) CURLU *u = parse(joined ?: path);
    return u ? format(u) : NULL;
}

static bool same(CURLU *a, CURLU *b, CURLUPart part) {
    _cleanup_part_ char *x = NULL, *y = NULL;
    return get(a, part, &x) && get(b, part, &y) && strcasecmp(x, y) == 0;
}

bool http_url_same_origin(const char *a, const char *b) {
    _cleanup_(url_freep) CURLU *x = parse(a), *y = parse(b);
    return x && y && same(x, y, CURLUPART_SCHEME) && same(x, y, CURLUPART_HOST) &&
           same(x, y, CURLUPART_PORT);
}

bool http_url_is_https(const char *url) {
    return strncasecmp(url, "https://", 8) == 0;
}

char *http_url_host(const char *url, char buf[HTTP_URL_HOST_MAX]) {
    _cleanup_(url_freep) CURLU *u = parse(url);
    _cleanup_part_ char *host = NULL, *port = NULL;

    buf[0] = '\0';
    if (u && get(u, CURLUPART_HOST, &host) && get(u, CURLUPART_PORT, &port))
        snprintf(buf, HTTP_URL_HOST_MAX, "%.255s:%.5s", host, port);
    return buf;
}

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

static bool is_address(const char *s, size_t size) {
    return strspn(s, "0123456789.") >= size;
}

/* By hand, for it is asked for each request. What it takes for no name is only slower. */
bool http_url_name(const char *url, char name[HTTP_URL_HOST_MAX], unsigned *ret_port) {
    bool https = http_url_is_https(url);
    const char *host = strstr(url, "://");
    unsigned port = https ? 443 : 80;

    if (!host || (!https && strncasecmp(url, "http://", 7) != 0))
        return false;
    host += 3;
    size_t size = strspn(host, NAME_CHARS);
    const char *rest = host + size;
    if (size == 0 || size > 253 || host[size - 1] == '.' || is_address(host, size))
        return false;
    if (*rest == ':') {
        char *end;
        port = (unsigned)strtoul(rest + 1, &end, 10);
        if (end == rest + 1 || port == 0 || port > UINT16_MAX)
            return false;
        rest = end;
    }
    if (*rest != '\0' && !strchr("/?#", *rest))
        return false;
    snprintf(name, HTTP_URL_HOST_MAX, "%.*s", (int)size, host);
    *ret_port = port;
    return !loopback_is_name(name);
}
