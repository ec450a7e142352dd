#pragma once

#include <curl/curl.h>

#include "daemon/http/http-loop.h"

/* What every request keeps to, whoever makes it: for the loop, and for programs that have an easy
 * handle alone. http and https only, certificates verified, TLS 1.2 or later, HTTP/2 where the
 * server speaks it, no name or password within an url, a proxy from the environment, no signals.
 * Redirects are not followed by libcurl: see http-redirect.h. */

typedef struct HttpPolicy {
    const char *url; /* that is asked; what is on this machine, is asked through no proxy: it could
                      * not know what is here, and would read what is not to leave */
    const char *ca_file;                  /* NULL or "" = those of the system */
    const char *client_cert, *client_key; /* NULL or "" = none */
    HttpAuthType auth;
    const char *secret;
} HttpPolicy;

/* Sets the options of a handle that is new, or was reset. 0 or -ENOMEM. */
int http_policy_apply(CURL *easy, const HttpPolicy *policy);

/* Sets method and body; the body is not copied. 0 or -ENOMEM. */
int http_policy_set_method(CURL *easy, const char *method, const void *body, size_t body_size);

bool http_method_is_valid(const char *method); /* a token of RFC 9110, 32 bytes at most */
/* "Name: value" without a control character, HTTP_HEADER_MAX at most. */
#define HTTP_HEADER_MAX (16 * KIB)
bool http_header_is_valid(const char *line);
/* Whether the line has the name, without regard to case. */
bool http_header_is(const char *line, const char *name);
/* No control characters, for it goes into a header; for basic it has a colon. */
bool http_secret_is_valid(HttpAuthType auth, const char *secret);
