#pragma once

#include <sys/queue.h>
#include <systemd/sd-event.h>

#include "common/cleanup.h"
#include "common/macro.h"

/* A thread that works through jobs in their order and hands each back to the loop. The lock is a
 * leaf: nothing is called with it held. */

typedef struct StoreThread StoreThread;
typedef struct StoreJob StoreJob;

struct StoreJob {
    void (*finish)(StoreJob *job); /* on the loop, once it is done */
    void (*free)(StoreJob *job);   /* on the loop, also when it was never begun */
    TAILQ_ENTRY(StoreJob) link;
};

/* In the thread: works on the job and calls store_thread_done() for it. It may take more of those
 * that wait by store_thread_take(), and answers for them too. */
typedef void (*StoreWork)(void *userdata, StoreThread *t, StoreJob *job);

int store_thread_new(StoreThread **ret, sd_event *event, const char *name, StoreWork work,
                     void *userdata);
/* Waits for the jobs under way; the others, and those that are done and not handed back yet, are
 * freed without another word. NULL-safe, gives NULL. */
StoreThread *store_thread_free(StoreThread *t);
DEFINE_CLEANUP(StoreThread *, store_thread_free)

void store_thread_submit(StoreThread *t, StoreJob *job); /* takes it */

StoreJob *store_thread_take(StoreThread *t); /* NULL when none waits, or the thread is to end */
void store_thread_done(StoreThread *t, StoreJob *job);
