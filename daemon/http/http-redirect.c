#include "daemon/http/http-redirect.h"

#include <errno.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "daemon/http/http-loop.h"
#include "daemon/http/http-policy.h"
#include "daemon/http/http-url.h"

static bool is_redirect(long status) {
    return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

/* Not CURLINFO_REDIRECT_URL: libcurl puts user and password in there that were given as options. */
static const char *location_of(CURL *easy) {
    struct curl_header *h;
    return curl_easy_header(easy, "Location", 0, CURLH_HEADER, -1, &h) == CURLHE_OK ? h->value
                                                                                    : NULL;
}

static int check(const char *from, const char *to, unsigned count,
                 char text[HTTP_REDIRECT_TEXT_MAX]) {
    char host[HTTP_URL_HOST_MAX];

    if (count >= HTTP_REDIRECTS_MAX) {
        snprintf(text, HTTP_REDIRECT_TEXT_MAX, "more than %u redirects, the last one from %s",
                 HTTP_REDIRECTS_MAX, http_url_host(from, host));
        return -ELOOP;
    }
    if (http_url_is_https(from) && !http_url_is_https(to)) {
        snprintf(text, HTTP_REDIRECT_TEXT_MAX, "refused to be redirected from https to http by %s",
                 http_url_host(from, host));
        return -EACCES;
    }
    return 0;
}

int http_redirect_next(CURL *easy, const char *url, const char *method, unsigned count,
                       HttpRedirect *ret, char text[HTTP_REDIRECT_TEXT_MAX]) {
    _cleanup_free_ char *to = NULL;
    const char *location = location_of(easy);
    long status = 0;
    int r;

    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (!is_redirect(status) || isempty(location))
        return 0;
    to = http_url_join(url, location);
    if (!to) {
        snprintf(text, HTTP_REDIRECT_TEXT_MAX, "redirected to what is no url of http or https");
        return -EPROTO;
    }
    r = check(url, to, count, text);
    if (r < 0)
        return r;
    bool is_read = streq(method, "GET") || streq(method, "HEAD");
    ret->to_get = (status == 303 && !is_read) || (status < 303 && streq(method, "POST"));
    ret->elsewhere = !http_url_same_origin(url, to);
    ret->url = TAKE_PTR(to);
    return 1;
}

bool http_redirect_keeps_header(const char *line) {
    static const char *const names[] = {"Accept",     "Accept-Language", "Content-Type",
                                        "User-Agent", "Range",           "If-Range"};

    for (size_t i = 0; i < ELEMENTSOF(names); i++)
        if (http_header_is(line, names[i]))
            return true;
    return false;
}
