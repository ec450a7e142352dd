#include "daemon/exec/thread-pool.h"

#include <errno.h>
#include <sys/eventfd.h>

#include "common/cleanup.h"
#include "common/clock.h"

#define IDLE_USEC (5 * USEC_PER_SEC)
#define STACK_SIZE (1 * MIB)

/* Threads at most; beyond, items wait for one. The scheduler's MaxParallel is the limit that people
 * set. */
#define THREADS_MAX 512

TAILQ_HEAD(PoolItemList, PoolItem);

struct ThreadPool {
    pthread_mutex_t lock;
    pthread_cond_t wake; /* an item waits, or the pool closes */
    pthread_cond_t gone; /* a thread has ended */
    int event_fd;
    bool closing;
    unsigned threads, idle;
    unsigned waiting;          /* items in the queue */
    struct PoolItemList queue; /* wait for a thread */
    struct PoolItemList ready; /* have news for the loop */
};

void thread_pool_condition_init(pthread_cond_t *c) {
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(c, &attr);
    pthread_condattr_destroy(&attr);
}

int thread_pool_new(ThreadPool **ret) {
    ThreadPool *p = calloc(1, sizeof(ThreadPool));

    if (!p)
        return -ENOMEM;
    p->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (p->event_fd < 0) {
        int r = -errno;
        free(p);
        return r;
    }
    pthread_mutex_init(&p->lock, NULL);
    thread_pool_condition_init(&p->wake);
    thread_pool_condition_init(&p->gone);
    TAILQ_INIT(&p->queue);
    TAILQ_INIT(&p->ready);
    *ret = p;
    return 0;
}

ThreadPool *thread_pool_free(ThreadPool *p) {
    if (!p)
        return NULL;
    thread_pool_lock(p);
    p->closing = true;
    pthread_cond_broadcast(&p->wake);
    while (p->threads > 0)
        pthread_cond_wait(&p->gone, &p->lock);
    thread_pool_unlock(p);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->wake);
    pthread_cond_destroy(&p->gone);
    close_fd(p->event_fd);
    free(p);
    return NULL;
}

int thread_pool_fd(const ThreadPool *p) {
    return p->event_fd;
}

void thread_pool_lock(ThreadPool *p) {
    pthread_mutex_lock(&p->lock);
}

void thread_pool_unlock(ThreadPool *p) {
    pthread_mutex_unlock(&p->lock);
}

bool thread_pool_wait_until(ThreadPool *p, pthread_cond_t *condition, uint64_t deadline_usec) {
    struct timespec ts = {.tv_sec = (time_t)(deadline_usec / USEC_PER_SEC),
                          .tv_nsec = (long)(deadline_usec % USEC_PER_SEC * NSEC_PER_USEC)};
    return pthread_cond_timedwait(condition, &p->lock, &ts) != ETIMEDOUT;
}

void thread_pool_notify(ThreadPool *p, PoolItem *item) {
    if (item->ready)
        return;
    item->ready = true;
    /* The descriptor is readable for as long as the list is not empty: one write for many items. */
    if (TAILQ_EMPTY(&p->ready))
        (void)eventfd_write(p->event_fd, 1);
    TAILQ_INSERT_TAIL(&p->ready, item, ready_link);
}

/* Takes the next item, waiting for one a while. With the lock held. NULL: the thread is to end. */
static PoolItem *next_item(ThreadPool *p) {
    uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + IDLE_USEC;
    bool in_time = true;

    p->idle++;
    while (TAILQ_EMPTY(&p->queue) && !p->closing && in_time)
        in_time = thread_pool_wait_until(p, &p->wake, deadline);
    p->idle--;
    if (p->closing || TAILQ_EMPTY(&p->queue))
        return NULL;

    PoolItem *item = TAILQ_FIRST(&p->queue);
    TAILQ_REMOVE(&p->queue, item, link);
    p->waiting--;
    item->begun = true;
    return item;
}

static void *thread_main(void *userdata) {
    ThreadPool *p = userdata;

    pthread_setname_np(pthread_self(), "longrun-pool");
    thread_pool_lock(p);
    for (PoolItem *item; (item = next_item(p));) {
        thread_pool_unlock(p);
        item->work(item);
        thread_pool_lock(p);
        item->done = true;
        thread_pool_notify(p, item);
    }
    p->threads--;
    pthread_cond_signal(&p->gone);
    thread_pool_unlock(p);
    return NULL;
}

/* With the lock held: the new thread cannot end before it is counted. */
static int add_thread(ThreadPool *p) {
    pthread_attr_t attr;
    pthread_t thread;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    int r = -pthread_create(&thread, &attr, thread_main, p);
    pthread_attr_destroy(&attr);
    if (r == 0)
        p->threads++;
    return r;
}

int thread_pool_submit(ThreadPool *p, PoolItem *item) {
    int r = 0;

    thread_pool_lock(p);
    item->begun = item->ready = item->done = false;
    if (p->idle <= p->waiting && p->threads < THREADS_MAX) {
        r = add_thread(p);
        if (r < 0 && p->threads > 0)
            r = 0; /* it waits for one of those that are there */
    }
    if (r >= 0) {
        TAILQ_INSERT_TAIL(&p->queue, item, link);
        p->waiting++;
        pthread_cond_signal(&p->wake);
    }
    thread_pool_unlock(p);
    return r;
}

bool thread_pool_withdraw(ThreadPool *p, PoolItem *item) {
    if (item->begun)
        return false;
    TAILQ_REMOVE(&p->queue, item, link);
    p->waiting--;
    item->begun = item->done = true;
    thread_pool_notify(p, item);
    return true;
}

PoolItem *thread_pool_take(ThreadPool *p, bool *ret_done) {
    eventfd_t count;

    thread_pool_lock(p);
    PoolItem *item = TAILQ_FIRST(&p->ready);
    if (item) {
        TAILQ_REMOVE(&p->ready, item, ready_link);
        item->ready = false;
        *ret_done = item->done;
    }
    if (TAILQ_EMPTY(&p->ready))
        (void)eventfd_read(p->event_fd, &count);
    thread_pool_unlock(p);
    return item;
}
