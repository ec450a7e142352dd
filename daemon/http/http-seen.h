#pragma once

#include "daemon/http/http-loop.h"

/* What was seen last at one url, so that only what is new is told: its validators, for conditional
 * requests (RFC 9110, section 13), and a digest of the body, for servers without. */

#define HTTP_VALIDATOR_MAX 256 /* bytes; longer ones are not sent back */

typedef struct HttpSeen {
    bool is_known;
    unsigned char digest[32]; /* SHA-256 */
    char *headers[3];         /* If-None-Match, If-Modified-Since; NULL at the end */
} HttpSeen;

void http_seen_forget(HttpSeen *s);

/* Headers of the next request, NULL at the end; none when nothing is known. */
const char *const *http_seen_headers(const HttpSeen *s);

typedef enum HttpNews {
    HTTP_SAME,
    HTTP_NEW,
    HTTP_NOTHING, /* 304, but it was not asked for */
} HttpNews;

/* Of an answer 304, or of one with a body. */
HttpNews http_seen_compare(const HttpSeen *s, const HttpReply *reply);

/* The same body has come once more: only its validators may be others. */
void http_seen_renew(HttpSeen *s, const HttpReply *reply);

/* This answer, with a body, is the last one now. */
void http_seen_keep(HttpSeen *s, const HttpReply *reply);
