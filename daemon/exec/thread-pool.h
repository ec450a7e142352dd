#pragma once

#include <pthread.h>
#include <sys/queue.h>

#include "common/macro.h"

/* A pool of threads that work on items. A thread takes an item under the pool's lock, works on it
 * without, and returns it under the lock; the owner, on the loop, gets it back through an eventfd.
 * Everything in an item that both sides use while it is at work is touched under the lock alone.
 * Threads are made when they are needed and end after some idle seconds. */

typedef struct ThreadPool ThreadPool;
typedef struct PoolItem PoolItem;

struct PoolItem {
    void (*begin)(PoolItem *item); /* the moment when a thread takes it, with the lock; or NULL */
    void (*work)(PoolItem *item);  /* on a thread of the pool, without the lock */
    bool begun, ready, done;       /* the pool's */
    TAILQ_ENTRY(PoolItem) link;    /* the pool's: waits for a thread */
    TAILQ_ENTRY(PoolItem) ready_link;
};

int thread_pool_new(ThreadPool **ret);
/* Waits for the items at work; those that were not begun are dropped. NULL-safe, gives NULL. */
ThreadPool *thread_pool_free(ThreadPool *p);

/* Readable when thread_pool_take() has something. Owned by the pool. */
int thread_pool_fd(const ThreadPool *p);

/* Hands an item over. The pool makes a thread for it when none is idle. 0 or -errno when there is
 * no thread at all to work on it. */
int thread_pool_submit(ThreadPool *p, PoolItem *item);

/* The same, but no thread is called for it: the next that is free takes it, or the next
 * thread_pool_set_limit() calls one. */
void thread_pool_submit_ahead(ThreadPool *p, PoolItem *item);

/* How many items may be at work at a time. Others wait, and are begun in the order in which they
 * were handed over, each the moment when another one is done. */
void thread_pool_set_limit(ThreadPool *p, unsigned limit);

/* Takes back an item that no thread has begun: true, and it is the caller's again, as if it had
 * never been handed over. With the lock held. */
bool thread_pool_take_back(ThreadPool *p, PoolItem *item);
/* The same, but thread_pool_take() gives it as done. With
 * the lock held. */
bool thread_pool_withdraw(ThreadPool *p, PoolItem *item);

/* The next item that has news; *ret_done tells that its work is over and it is the caller's again.
 * NULL when there is none; then the descriptor is not readable until there is. */
PoolItem *thread_pool_take(ThreadPool *p, bool *ret_done);

/* The lock of all items. A leaf: nothing else is taken under it. */
void thread_pool_lock(ThreadPool *p);
void thread_pool_unlock(ThreadPool *p);
/* A condition for thread_pool_wait_until(); destroyed by pthread_cond_destroy(). */
void thread_pool_condition_init(pthread_cond_t *c);
/* Waits, with the lock held, until the condition is signalled. False when the time
 * (CLOCK_MONOTONIC) is over. */
bool thread_pool_wait_until(ThreadPool *p, pthread_cond_t *condition, uint64_t deadline_usec);
/* An item at work has news for its owner. With the lock held. */
void thread_pool_notify(ThreadPool *p, PoolItem *item);
