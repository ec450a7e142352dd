#pragma once

#include "daemon/store/store.h"

/* Order of things: a state is changed, the change is committed, and only then is it told: replies
 * and signals go out, processes start. Changes are put here; whatever is to happen once they are on
 * disk is added here, and called in the order in which it came. One commit is under way at a time:
 * what comes meanwhile, from however many turns of the loop, shares the next one. Where there is
 * much to be called it takes several turns of the loop, so the next commit may be over by then.
 *
 * When a commit fails, those who asked (commit_queue_add) up to then are told, and all else is kept
 * and tried again, with growing pauses, until it is on disk. */

typedef struct CommitQueue CommitQueue;

/* error: 0, or -errno when it is not on disk. */
typedef void (*CommitFunc)(void *userdata, void *arg, int error);

typedef struct CommitEvents {
    /* The last moment to put something into the commit that is about to begin. */
    void (*prepare)(void *userdata);
    /* A commit is over, before those that wait for it are called. tasks: those that were in it.
     * error: 0 or -errno. */
    void (*committed)(void *userdata, Task *const *tasks, size_t n, int error);
    /* Whether most of those that wait are to be called later: see commit-teller.h. NULL = never. */
    bool (*is_busy)(void *userdata);
} CommitEvents;

int commit_queue_new(CommitQueue **ret, sd_event *event, Store *store, const CommitEvents *events,
                     void *userdata);
/* NULL-safe, gives NULL; what waits is not called. */
CommitQueue *commit_queue_free(CommitQueue *q);

/* ---- changes ---- */

/* The task's row is to be written, as the task is when the commit begins. It must not be freed
 * before that is over: is_changed tells. */
void commit_queue_put(CommitQueue *q, Task *t);
/* The same, in no hurry: it goes with the next commit, or alone after a moment. */
void commit_queue_put_later(CommitQueue *q, Task *t);
/* What was put of a task, and is in no commit yet, is not to be written after all. */
void commit_queue_withdraw(CommitQueue *q, Task *t);
/* Removes the rows of a task. 0 or -ENOMEM. */
int commit_queue_remove(CommitQueue *q, uint64_t id);
/* An attempt that is over and was not the last; copied. 0 or -ENOMEM. */
int commit_queue_put_attempt(CommitQueue *q, uint64_t id, const TaskAttempt *attempt);
/* All of a group is to be written, as it is when the commit begins; until then it must not be
 * freed, unless it is removed here. later: in no hurry, as commit_queue_put_later(). */
void commit_queue_put_group(CommitQueue *q, Group *g, bool later);
int commit_queue_remove_group(CommitQueue *q, Group *g);
/* capacity 0 removes it. 0 or -ENOMEM. */
int commit_queue_put_resource(CommitQueue *q, const char *name, uint32_t capacity);
/* settings: JSON; "" = only whether it is polled. Copied. 0 or -ENOMEM. */
int commit_queue_put_backend(CommitQueue *q, const char *name, const char *settings, bool polling);
int commit_queue_remove_backend(CommitQueue *q, const char *name);
/* What a next daemon needs to go on with the operation of a task: JSON, copied; NULL deletes it. 0
 * or -ENOMEM. */
int commit_queue_put_operation(CommitQueue *q, uint64_t id, const char *json);
/* Keeps a result, a JSON text that it takes, also when it gives -ENOMEM; NULL deletes the one that
 * is there. */
int commit_queue_put_result(CommitQueue *q, uint64_t id, char *json);

/* ---- what waits for them ---- */

/* The answer to a request. 0 or -ENOMEM; then func is not called. */
int commit_queue_add(CommitQueue *q, CommitFunc func, void *userdata, void *arg);

/* What must not be lost: called with error 0 when everything before it is on disk, however long
 * that takes. Where memory is short, it is called at once. */
void commit_queue_call(CommitQueue *q, CommitFunc func, void *userdata, void *arg);

/* The same, for what was put in no hurry. */
void commit_queue_call_later(CommitQueue *q, CommitFunc func, void *userdata, void *arg);

/* Nothing waits and nothing is under way, but for the one that is being called. */
bool commit_queue_is_empty(const CommitQueue *q);

/* Calls now what is still to be called of the commits that are over; may be called from there. */
void commit_queue_flush(CommitQueue *q);

/* Begins a commit, if only to ask prepare(). */
void commit_queue_begin(CommitQueue *q);

/* What failed is tried again now, not after the pause. */
void commit_queue_hurry(CommitQueue *q);

/* Why the last commit failed, -errno; 0 when it did not. */
int commit_queue_error(const CommitQueue *q);
