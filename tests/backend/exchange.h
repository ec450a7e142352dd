#pragma once

#include <microhttpd.h>
#include <systemd/sd-event.h>

#include "tests/backend/json.h"

/* One request and its answer. */

typedef struct Server Server;
typedef struct Exchange Exchange;

#define BODY_MAX (4 * MIB)

/* Bytes of the body from pos on, at most max: how many were written. */
typedef size_t (*BodyFunc)(Exchange *e, uint64_t pos, char *buf, size_t max);

typedef struct Reply {
    unsigned status; /* 0 = none yet */
    char **headers;  /* "Name", "value", "Name", ... */
    size_t n_headers;
    char *body; /* owned; or, where it is NULL: */
    BodyFunc read;
    uint64_t size; /* of the body; UINT64_MAX = it never ends */
} Reply;

/* How the body goes out. All zero: as fast as the client takes it. */
typedef struct Delivery {
    enum {
        DELIVERY_ALL,
        DELIVERY_SHORT, /* the connection is closed in order, too early */
        DELIVERY_RESET, /* the same with RST */
        DELIVERY_HANG,  /* nothing more comes */
    } end;
    uint64_t after; /* bytes that come before that end */
    uint64_t piece; /* so many bytes at once, 0 = all; then a pause */
    uint64_t pause_usec;
    bool chunked; /* no Content-Length */
} Delivery;

/* Suspended: until a time, or for ever; but never longer than the client stays. */
typedef struct Wait {
    sd_event_source *timer, *hangup;
    Exchange *previous, *next; /* of those that wait */
    bool under_way, gone;
} Wait;

struct Exchange {
    Server *server;
    struct MHD_Connection *connection;
    int fd;              /* of the connection, not owned */
    uint64_t number;     /* of the connection */
    char *method, *path; /* unescaped */
    const char *route;   /* the path without /b/NAME in front of it */
    char *target;        /* as it came, with the query */
    char *body;
    size_t body_size;
    uint64_t time_usec; /* CLOCK_MONOTONIC */
    bool begun, received, too_large;

    cJSON *fault; /* what is to go wrong, NULL = nothing */
    Wait wait;
    bool delayed;

    Reply reply;
    Delivery delivery;
    uint64_t paused_at; /* where the last pause was */
    void *from;         /* of reply.read; not owned */
    uint64_t range_begin;
    unsigned version;
};

Exchange *exchange_new(Server *server, const char *target);
Exchange *exchange_free(Exchange *e); /* NULL-safe, gives NULL */

void exchange_begin(Exchange *e, struct MHD_Connection *connection, const char *method,
                    const char *path);
void exchange_body(Exchange *e, const char *data, size_t size);

bool exchange_is(const Exchange *e, const char *method);            /* HEAD counts as GET */
const char *exchange_header(const Exchange *e, const char *name);   /* NULL = none */
const char *exchange_argument(const Exchange *e, const char *name); /* of the query */
/* What follows in the route: "/files/" gives "x" of "/files/x". NULL = it is another route. */
const char *exchange_below(const Exchange *e, const char *prefix);

/* The answer. Whatever was there before is replaced, but for headers. */
void reply_json(Exchange *e, unsigned status, cJSON *take);
_printf_(3, 4) void reply_error(Exchange *e, unsigned status, const char *format, ...);
_printf_(3, 4) void reply_text(Exchange *e, unsigned status, const char *format, ...);
void reply_empty(Exchange *e, unsigned status);
_printf_(3, 4) void reply_header(Exchange *e, const char *name, const char *format, ...);
