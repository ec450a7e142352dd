#pragma once

#include <systemd/sd-event.h>

#include "daemon/commit.h"

/* What is to be called when a commit is over, in the order in which it came. */

typedef struct CommitCall {
    CommitFunc func;
    void *userdata, *arg;
    bool must; /* kept until it is safe */
} CommitCall;

typedef struct CommitCalls {
    CommitCall *calls;
    size_t count, allocated;
} CommitCalls;

int commit_calls_add(CommitCalls *l, CommitCall call); /* 0 or -ENOMEM */
void commit_calls_clear(CommitCalls *l);

/* Calls those whose commit has succeeded. After a commit with 100,000 ends they have so many
 * signals to send that answers to others would wait behind these for seconds: so they are called in
 * slices, with turns of the loop between them, and none while the bus has not taken what was sent.
 */
typedef struct CommitTeller CommitTeller;

/* is_busy: whether those that are left are to wait a moment; NULL = they never are. */
int commit_teller_new(CommitTeller **ret, sd_event *event, bool (*is_busy)(void *userdata),
                      void *userdata);
CommitTeller *commit_teller_free(CommitTeller *t); /* NULL-safe, gives NULL; calls nothing */

/* Takes all of them. They come behind those that are still to be called. */
void commit_teller_tell(CommitTeller *t, CommitCalls *l);
/* But for the one that is being called. */
bool commit_teller_is_empty(const CommitTeller *t);
