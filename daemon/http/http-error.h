#pragma once

#include <curl/curl.h>

#include "common/macro.h"

/* What a request failed of, in words for people, and as an errno. */

#define HTTP_ERROR_TEXT_MAX 512

typedef enum HttpPhase {
    HTTP_PHASE_NAME,    /* the name is being resolved */
    HTTP_PHASE_CONNECT, /* of TCP, or to the proxy */
    HTTP_PHASE_TLS,
    HTTP_PHASE_ANSWER, /* the request is under way, nothing has come back */
    HTTP_PHASE_BODY,
} HttpPhase;

typedef struct HttpFailure {
    CURLcode code;
    int os_errno;          /* 0: not known */
    HttpPhase phase;       /* of a timeout */
    const char *url;       /* what was asked for */
    const char *detail;    /* libcurl's words, "" = none */
    uint64_t timeout_usec; /* that has passed, 0 = not known */
    uint64_t response_max; /* 0 = not known */
} HttpFailure;

/* As HttpReply.error says. */
int http_failure_describe(const HttpFailure *f, char text[HTTP_ERROR_TEXT_MAX]);

/* Of a name that was not resolved, see http_names_find(): the error again. -ETIMEDOUT: not within
 * the time, and -EAGAIN is given. */
int http_failure_of_name(int error, const char *url, uint64_t timeout_usec,
                         char text[HTTP_ERROR_TEXT_MAX]);

/* Of a transfer that stands still. -ETIMEDOUT. */
int http_failure_of_stall(const char *url, uint64_t usec, char text[HTTP_ERROR_TEXT_MAX]);

/* How far a transfer has come, and the errno of the system: from a handle that has failed. Sets
 * code, os_errno and phase alone. */
void http_failure_read(HttpFailure *f, CURL *easy, CURLcode code);
