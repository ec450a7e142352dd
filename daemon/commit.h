#pragma once

#include <systemd/sd-event.h>

#include "common/macro.h"

/* Order of things: a state is changed, the change is committed, and only then is it told: replies
 * and signals go out, processes start. Whatever is to happen after the commit is put here and
 * called, in the order in which it came, once everything that was changed before is safe. All that
 * comes in one turn of the loop shares one commit. */

typedef struct CommitQueue CommitQueue;

/* error: 0, or -errno when the change could not be made safe. */
typedef void (*CommitFunc)(void *userdata, void *arg, int error);

int commit_queue_new(CommitQueue **ret, sd_event *event);
CommitQueue *
commit_queue_free(CommitQueue *q); /* NULL-safe, gives NULL; what waits is not called */

/* 0 or -ENOMEM; then func is not called. */
int commit_queue_add(CommitQueue *q, CommitFunc func, void *userdata, void *arg);

/* The same for what must not be lost: where memory is short, it is called at once. */
void commit_queue_call(CommitQueue *q, CommitFunc func, void *userdata, void *arg);

/* Nothing waits, but for what the commit under way still has to call. */
bool commit_queue_is_empty(const CommitQueue *q);
