#pragma once

#include <sys/queue.h>

#include "common/cleanup.h"
#include "daemon/http/http-loop.h"

/* The network of this machine: news of routes, and a probe that tells whether it leads anywhere. */

typedef struct NetworkState NetworkState;

/* A route or an address has come; not more often than NETWORK_NEWS_INTERVAL. */
#define NETWORK_NEWS_INTERVAL (1 * USEC_PER_SEC)
typedef void (*NetworkNewsFunc)(void *userdata);

int network_state_new(NetworkState **ret, sd_event *event, HttpLoop *loop, NetworkNewsFunc func,
                      void *userdata);
NetworkState *network_state_free(NetworkState *n); /* NULL-safe, gives NULL */
DEFINE_CLEANUP(NetworkState *, network_state_free)

/* What is asked: an url, copied. NULL or "": nothing. 0 or -ENOMEM. */
int network_state_set_probe(NetworkState *n, const char *url);

/* A question whether the network works, of somebody who keeps the memory for it. All that come
 * while the probe is under way get its answer; it is asked again when it is older than
 * NETWORK_PROBE_KEEP. */
#define NETWORK_PROBE_TIMEOUT (5 * USEC_PER_SEC)
#define NETWORK_PROBE_KEEP (2 * USEC_PER_SEC)
typedef struct NetworkQuestion {
    TAILQ_ENTRY(NetworkQuestion) link;
    void (*func)(void *arg, bool works); /* called once, from the loop */
    void *arg;
    NetworkState *state; /* while it waits */
} NetworkQuestion;

/* True: func will be called. False: it is known, or there is no probe; *ret_works is true then. */
bool network_state_ask(NetworkState *n, NetworkQuestion *q, bool *ret_works);
void network_question_drop(NetworkQuestion *q); /* also when it does not wait */
