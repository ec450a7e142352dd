#pragma once

#include <sys/queue.h>

#include "common/cleanup.h"
#include "daemon/core/backend-plan.h"
#include "daemon/http/backend-watch.h"
#include "daemon/http/http-seen.h"
#include "daemon/http/network-state.h"

/* Between backend-watch.c (life, timers), backend-check.c, backend-poll.c, backend-request.c and
 * backend-news.c (what is told). Times are of CLOCK_MONOTONIC, microseconds. */

/* Somebody who waits for a check or a poll. */
typedef struct BackendAsked {
    TAILQ_ENTRY(BackendAsked) link;
    BackendCheckFunc check; /* one of both */
    BackendPollFunc poll;
    void *arg;
} BackendAsked;

TAILQ_HEAD(BackendAskedList, BackendAsked);

/* A request of a kind, of which there is one at a time. */
typedef struct BackendAsk {
    HttpCall *call;
    Error unstarted; /* it could not even begin: told from the loop */
    uint64_t begun;
    uint64_t due;  /* of the next; USEC_INFINITY: none is planned */
    uint64_t hold; /* not before: Retry-After */
    bool repeated; /* it was begun again, for the process had stood still */
    struct BackendAskedList asked;
    unsigned n_asked;
} BackendAsk;

/* A request of a client. */
typedef struct BackendRequest {
    TAILQ_ENTRY(BackendRequest) link;
    struct BackendWatch *watch;
    HttpCall *call;
    BackendRequestFunc func;
    void *arg;
} BackendRequest;

/* Where an error comes from: a good answer of the same takes it back. */
typedef enum BackendSource {
    BACKEND_FROM_CHECK,
    BACKEND_FROM_POLL,
    BACKEND_FROM_OTHERS,
    _BACKEND_SOURCE_MAX,
} BackendSource;

/* Texts of errors that were told since the last good answer; of more, the oldest is forgotten. */
#define BACKEND_TOLD_MAX 8
typedef struct BackendTold {
    uint64_t hashes[BACKEND_TOLD_MAX];
    unsigned n;
} BackendTold;

typedef struct BackendWatch {
    TAILQ_ENTRY(BackendWatch) link;
    BackendWatches *all; /* not owned */
    Backend *b;          /* not owned */
    const BackendType *type;
    HttpClient *client;
    sd_event_source *timer;
    bool is_new; /* no check has been over */

    BackendAsk check;
    bool planned; /* the check under way is the one that was due */
    BackendHealth health;
    uint32_t failures;      /* planned checks in a row, for the backoff */
    uint32_t poll_failures; /* the same of polls */
    uint64_t good;          /* when the last good one began */
    NetworkQuestion question;
    Error found; /* of a check that waits for the probe */

    BackendAsk poll;
    bool fresh; /* the next is the first since it is online: many may have come with it */
    bool whole; /* what was seen is not what was told: the next one asks for all of it */
    uint64_t failing_since; /* the first that has failed; 0: the last was good */
    char *poll_path;        /* of the one under way, or of what was seen last */
    HttpSeen seen;

    TAILQ_HEAD(, BackendRequest) requests;
    unsigned n_requests;

    BackendSource error_from; /* b->last_error */
    BackendTold told[_BACKEND_SOURCE_MAX];
} BackendWatch;

struct BackendWatches {
    sd_event *event; /* not owned */
    HttpLoop *loop;  /* not owned */
    const BackendEvents *events;
    void *userdata; /* not owned */
    NetworkState *network;
    TAILQ_HEAD(, BackendWatch) list;
    size_t n_new;        /* of which no check has been over */
    uint64_t random;     /* state of the generator */
    size_t status_bytes; /* of b->status, all together */
};

/* ---- backend-watch.c ---- */

uint64_t backend_watch_random(BackendWatches *all);
/* Another time for the next check or poll. Anything but that is done by the timer. */
void backend_watch_plan_check(BackendWatch *w, uint64_t due);
void backend_watch_plan_poll(BackendWatch *w, uint64_t due);
/* Sets the timer, after a change of w->check or w->poll. */
void backend_watch_arm(BackendWatch *w);

/* The process itself has stood still while it was under way, and so has timed out, whatever the
 * server did: such a call is made once more. */
bool backend_ask_stood_still(BackendAsk *a, const BackendWatch *w, const HttpReply *reply);
/* Of what has failed, or is about to begin: the end of what Retry-After asks for. */
void backend_ask_hold(BackendAsk *a, const BackendWatch *w, const HttpReply *reply);
int backend_ask_add(BackendAsk *a, BackendCheckFunc check, BackendPollFunc poll, void *arg);
/* Tells all of them, whose list is empty before the first is told. */
void backend_ask_tell(BackendAsk *a, bool online, const Error *error);
/* What is under way is dropped; those who wait stay. */
void backend_ask_drop(BackendAsk *a);

/* ---- backend-check.c ---- */

void backend_check_begin(BackendWatch *w, bool planned);
bool backend_check_is_under_way(const BackendWatch *w);
void backend_check_drop(BackendWatch *w);
/* The check that could not begin is over. */
void backend_check_unstarted(BackendWatch *w);
/* Nothing is known of it from now on, and nothing asked by itself. */
void backend_check_stop(BackendWatch *w);
/* Something tells that the state may be another one now. */
void backend_check_soon(BackendWatch *w);

/* ---- backend-poll.c ---- */

void backend_poll_begin(BackendWatch *w);
bool backend_poll_is_under_way(const BackendWatch *w);
void backend_poll_drop(BackendWatch *w);
void backend_poll_unstarted(BackendWatch *w);
/* The next one is now, or never: the state, or b->polling, is another. */
void backend_poll_follow(BackendWatch *w);
void backend_poll_forget(BackendWatch *w);

/* ---- backend-request.c ---- */

void backend_requests_drop(BackendWatch *w, const Error *error);

/* ---- backend-news.c ---- */

/* A good answer: LastUpdate, Latency, and LastError of the same source. */
void backend_news_good(BackendWatch *w, BackendSource from, uint64_t latency_usec);
/* A bad one, with its whole text. tell: the event error, too, unless it is an old story. */
void backend_news_bad(BackendWatch *w, BackendSource from, const char *text, bool tell);
/* Replaces a text, where memory allows. True: it is another one. */
bool backend_news_set(char **field, const char *text);
/* Keeps the JSON of the last good check, as far as there is room. */
void backend_news_keep_status(BackendWatch *w, const char *json);
