#pragma once

#include <systemd/sd-event.h>

#include "common/macro.h"

/* HTTP requests on the event loop: the multi interface of libcurl on sd-event. Nothing here blocks:
 * names are resolved in threads of libcurl. Connections are kept and used again, over HTTP/2 where
 * the server speaks it; certificates are always verified; http and https only; at most 5 redirects,
 * and none from https to http; a proxy is taken from the environment, as curl(1) does, but for what
 * is on this machine. The sources come after those of the bus: calls of clients are answered first,
 * whatever the servers send. */

typedef struct HttpLoop HttpLoop;

int http_loop_new(HttpLoop **ret, sd_event *event);
/* Calls under way are dropped, and nobody is told. NULL-safe, gives NULL. */
HttpLoop *http_loop_free(HttpLoop *l);

#define HTTP_RESPONSE_MAX_DEFAULT (8 * MIB)
#define HTTP_REDIRECTS_MAX 5

typedef enum HttpAuthType {
    HTTP_AUTH_NONE,
    HTTP_AUTH_BEARER, /* RFC 6750 */
    HTTP_AUTH_BASIC,  /* RFC 7617; secret: user:password */
} HttpAuthType;

/* All of it is copied. */
typedef struct HttpRequest {
    const char *method;         /* "GET" */
    const char *url;            /* absolute */
    const char *const *headers; /* "Name: value", NULL at the end; NULL = none */
    const char *body;           /* NULL = none */
    size_t body_size;
    uint64_t timeout_usec;         /* of all of it; 0 = none */
    uint64_t connect_timeout_usec; /* 0 = that of all of it, 10 s where there is none */
    uint64_t stall_timeout_usec;   /* with not a byte in either direction; 0 = none */
    uint64_t response_max;         /* bytes of the body, unpacked; 0 = HTTP_RESPONSE_MAX_DEFAULT */
    const char *ca_file;           /* NULL = those of the system */
    const char *client_cert, *client_key; /* PEM files; NULL = none */
    HttpAuthType auth;
    const char *secret; /* never logged, never sent to another host than that of the url */
    bool keep_redirect; /* a redirect is the answer: it is not followed */
    /* Asked once when the server of this url refuses the secret (401): another one, or NULL to
     * leave it at that. It is copied. NULL = not asked. The userdata outlives the call. */
    const char *(*renew_secret)(void *userdata, const char *url);
    void *renew_userdata;
} HttpRequest;

typedef struct HttpReply {
    /* 0: an answer is there, whatever its status. Else -errno and why in words:
     * -ECONNREFUSED, -ECONNRESET (the connection broke, also in the midst of the body), -ETIMEDOUT,
     * -ENETUNREACH (no way to the host from here), -EHOSTUNREACH, -ENOENT (no such host name),
     * -EAGAIN (the name could not be resolved now), -EKEYREJECTED (TLS: the certificate, or no
     * common protocol), -EMSGSIZE (more than response_max), -ELOOP (redirects), -EACCES (a redirect
     * to where it must not go), -EINVAL (the url), -EPROTO (not HTTP), -ENOMEM, -EIO. */
    int error;
    const char *error_text; /* one line, for people; "" when error is 0 */
    unsigned status;        /* of HTTP, 0 when error is set */
    const char *body;       /* never NULL; a NUL follows it, and may be in it */
    size_t body_size;
    const char *url;       /* where it came from, after redirects */
    uint64_t latency_usec; /* from the start to the last byte */
    void *headers;         /* for http_reply_header() */
} HttpReply;

/* The value of a header of the last answer, of several the first; NULL = there is none. Names are
 * compared without regard to case. Valid until the call is over. */
const char *http_reply_header(const HttpReply *r, const char *name);

typedef struct HttpCall HttpCall;
typedef void (*HttpDoneFunc)(void *userdata, const HttpReply *reply);

/* Begins a request. func is called exactly once, from the loop, never from within this function;
 * the call is gone when it returns (*ret is the caller's to forget). func may begin and drop other
 * calls. 0, or -errno and func is not called: -ENOBUFS when HTTP_CALLS_MAX are under way, -EINVAL
 * when the request is none (a method that is no token, a header with a line break, ...). */
#define HTTP_CALLS_MAX 10000
int http_call_start(HttpLoop *l, const HttpRequest *request, HttpDoneFunc func, void *userdata,
                    HttpCall **ret);
/* Drops it: func is not called. NULL-safe, gives NULL. */
HttpCall *http_call_free(HttpCall *c);

/* For how long connections are kept while there are no calls at all; default: */
#define HTTP_IDLE_DEFAULT (60 * USEC_PER_SEC)
void http_loop_set_idle(HttpLoop *l, uint64_t usec);

/* Calls under way. */
size_t http_loop_calls(const HttpLoop *l);
