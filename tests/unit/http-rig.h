#pragma once

#include "daemon/http/http-loop.h"

/* A small HTTP/1.1 server on 127.0.0.1 and [::1], on the event loop of the test, and calls whose
 * answers are kept. What the server does is said by the path:
 *
 *   /ok                     200, "hello"
 *   /echo                   200, the request as it came
 *   /status/N               that status
 *   /to/N/URL               redirected there, with status N
 *   /loop/N                 redirected to /loop/N+1
 *   /size/N                 N bytes, announced
 *   /chunks/N               N bytes, in chunks
 *   /endless                chunks without an end
 *   /announce               10 GB are announced, and nothing of them comes
 *   /gzip                   20 MiB of zeros, packed
 *   /headers                headers without an end
 *   /reset                  the connection is reset in the midst of the body
 *   /cut                    it is closed there
 *   /close                  it is closed without an answer
 *   /hang, /hang-body       nothing comes, or nothing more
 *   /trickle                a byte every 20 ms, for ever
 *   /garbage                no HTTP
 *   /secret/S               200 for "Authorization: Bearer S", else 401
 *   /keep-alive-off         200, and the connection is closed */

typedef struct HttpRig HttpRig;

typedef struct RigCall {
    HttpCall *call; /* NULL when it is over */
    HttpRig *rig;
    unsigned told;
    int error;
    unsigned status;
    uint64_t latency_usec;
    size_t body_size;
    char body[4096]; /* as much as there is room for */
    char text[512];
    char url[1024];
    char type[64]; /* Content-Type */
    void (*hook)(struct RigCall *c);
} RigCall;

struct HttpRig {
    sd_event *event;
    HttpLoop *loop;
    unsigned port;                  /* of 127.0.0.1 */
    unsigned other;                 /* of [::1], another origin; 0 where there is no IPv6 */
    unsigned connections, requests; /* so far */
    unsigned open;                  /* connections now */
    struct RigServer *server;
};

void http_rig_setup(HttpRig *rig);
void http_rig_teardown(HttpRig *rig);

/* "http://127.0.0.1:PORT" and the path, for the moment: there are eight of them. */
const char *http_rig_url(const HttpRig *rig, const char *path);

/* Starts a GET with the other fields of request, which may be NULL. */
void http_rig_start(HttpRig *rig, RigCall *c, const char *path, const HttpRequest *request);
/* Runs the loop until it is over; fails the test after 20 s. */
void http_rig_wait(HttpRig *rig, const RigCall *c);
/* Both. */
void http_rig_get(HttpRig *rig, RigCall *c, const char *path, const HttpRequest *request);
/* Runs the loop until the condition holds. */
void http_rig_until(HttpRig *rig, bool (*condition)(HttpRig *rig));
/* The server closes all connections. */
void http_rig_close(HttpRig *rig);
/* One turn, or nothing after 100 ms. */
void http_rig_turn(HttpRig *rig);
