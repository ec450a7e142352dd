#pragma once

#include <curl/curl.h>
#include <sys/queue.h>

#include "common/cleanup.h"
#include "daemon/http/http-error.h"
#include "daemon/http/http-loop.h"
#include "daemon/http/http-names.h"

/* Between http-loop.c (the multi handle on the event loop) and http-call.c (one request). */

typedef enum HttpCallState {
    HTTP_CALL_QUEUED, /* not with libcurl yet, or between two requests of a redirect */
    HTTP_CALL_NAMING, /* waits for the addresses of the host */
    HTTP_CALL_ACTIVE, /* with libcurl */
    HTTP_CALL_FAILED, /* without libcurl: error and text are set */
    HTTP_CALL_TOLD,   /* func is at work */
} HttpCallState;

struct HttpCall {
    TAILQ_ENTRY(HttpCall) link; /* of the list of its state */
    HttpLoop *loop;
    HttpCallState state;
    HttpDoneFunc func;
    void *userdata;

    HttpRequest request; /* its strings lie behind the struct; but for those below */
    char *secret;        /* owned, wiped; request.secret is it */
    char *url;           /* owned, after a redirect; request.url is it then */
    struct curl_slist *headers;
    struct curl_slist *resolved;  /* what is known of the name of the host */
    char name[HTTP_NAME_MAX + 1]; /* while it is waited for */
    bool has_names;               /* the addresses of hosts are found by us */
    bool elsewhere;               /* redirected to another origin: no secret, and few headers */
    bool renewed;                 /* the secret was asked for again */
    unsigned redirects;

    CURL *easy; /* NULL while it is queued */
    char detail[CURL_ERROR_SIZE];
    char *body;
    size_t body_size, body_allocated;
    bool too_large;

    uint64_t begun;        /* CLOCK_MONOTONIC, as moved */
    uint64_t handed;       /* when libcurl got it */
    uint64_t moved, bytes; /* when there was last a byte in either direction, and how many */
    uint64_t latency_usec; /* of the requests so far */
    int error;
    char text[HTTP_ERROR_TEXT_MAX];
};

TAILQ_HEAD(HttpCallList, HttpCall);

/* ---- http-call.c ---- */

bool http_request_is_valid(const HttpRequest *r);
/* A copy of all of it; NULL when memory is short. */
HttpCall *http_call_new(const HttpRequest *r);
/* What it owns, and itself. It is in no list, and has no handle. */
void http_call_destroy(HttpCall *c);

/* Looks for the addresses of the host. 1: go on; 0: c->name is waited for; -errno, with error and
 * text set. */
int http_call_find_name(HttpCall *c, HttpNames *names);
/* Whether it has waited for the name for too long; error and text are set then. */
bool http_call_name_is_late(HttpCall *c, uint64_t now);
/* Whether nothing has moved for too long, or libcurl has missed a timeout; error and text are set
 * then. */
bool http_call_is_stuck(HttpCall *c, uint64_t now);

/* Makes c->easy, which is fresh, ready for the next request. 0 or -errno. */
int http_call_prepare(HttpCall *c);
/* The transfer has ended. True: it goes on with another request, and the handle is not needed;
 * false: it is over, with error and text set where it failed. */
bool http_call_goes_on(HttpCall *c, CURLcode code);
void http_call_fail(HttpCall *c, int error, const char *text);
/* Calls func. */
void http_call_tell(HttpCall *c);
