#pragma once

#include "tests/backend/document.h"
#include "tests/backend/fault.h"
#include "tests/backend/file.h"
#include "tests/backend/messenger.h"
#include "tests/backend/operation.h"
#include "tests/backend/record.h"

/* All of it in one thread: libmicrohttpd with epoll(7), under an event loop of ours, which has the
 * times of what waits. */

#define CONNECTIONS_MAX 20000

struct Server {
    sd_event *event;
    struct MHD_Daemon *daemon;
    sd_event_source *io, *again;
    Exchange *waiting; /* those that are suspended */
    bool resumed;      /* some are to go on */
    bool stopping;     /* nothing waits any more: the connections are closed */
    bool https;
    char *cert, *key;    /* PEM, NULL = http */
    char *authorization; /* the header that is asked for; NULL or "" = none */
    uint64_t connections, connections_peak, connections_total;

    Faults faults;
    Records records;
    Messenger messenger;
    Documents documents;
    Files files;
    Operations operations;
};

/* Begins to serve: takes the listening socket. 0 or -errno. */
int server_start(Server *s, int listen_fd);
void server_stop(Server *s);
/* What tests say of what there is, see control.h. */
void server_set(Server *s, const cJSON *state);
