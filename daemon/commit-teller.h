#pragma once

#include <systemd/sd-event.h>

#include "daemon/commit-calls.h"

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
void commit_teller_flush(CommitTeller *t); /* calls all that are left */
/* But for the one that is being called. */
bool commit_teller_is_empty(const CommitTeller *t);
