#pragma once

#include <curl/curl.h>

#include "common/macro.h"

/* Redirects, one at a time: the next request is made anew, and so nothing goes along that must not.
 */

typedef struct HttpRedirect {
    char *url;      /* where to; to be freed */
    bool to_get;    /* the method is GET now, without a body (RFC 9110, 15.4) */
    bool elsewhere; /* another origin: neither secret nor certificate, and few headers go there */
} HttpRedirect;

/* What to do after an answer. count: redirects so far, this one not counted. 1: follow; 0: it is no
 * redirect, but the answer. Else -errno and words in text: -ELOOP (too many), -EACCES (from https
 * to http), -EPROTO (to what is no url of http or https), -ENOMEM. */
#define HTTP_REDIRECT_TEXT_MAX 512
int http_redirect_next(CURL *easy, const char *url, const char *method, unsigned count,
                       HttpRedirect *ret, char text[HTTP_REDIRECT_TEXT_MAX]);

/* Whether a header of the caller may go to another origin. */
bool http_redirect_keeps_header(const char *line);
