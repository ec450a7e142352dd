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
    unsigned woken;            /* idle threads that have been called, but are not there yet */
    unsigned limit, working;   /* items at work */
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

/* It is held for moments only: who finds it taken tries again before going to sleep. */
static void lock_init(pthread_mutex_t *lock) {
    pthread_mutexattr_t attr;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ADAPTIVE_NP);
    pthread_mutex_init(lock, &attr);
    pthread_mutexattr_destroy(&attr);
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
    p->limit = THREADS_MAX;
    lock_init(&p->lock);
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

/* Items that may be begun now. */
static unsigned startable(const ThreadPool *p) {
    return p->limit > p->working ? MIN(p->limit - p->working, p->waiting) : 0;
}

/* Calls an idle thread, if there is work for it; those that are at work look for themselves. With
 * the lock held. */
static void wake(ThreadPool *p) {
    if (p->woken >= MIN(p->idle, startable(p)))
        return;
    p->woken++;
    pthread_cond_signal(&p->wake);
}

/* Waits for work a while. With the lock held. False: the thread is to end. */
static bool wait_for_work(ThreadPool *p) {
    uint64_t deadline = 0;
    bool in_time = true;

    while (startable(p) == 0 && !p->closing && in_time) {
        if (deadline == 0)
            deadline = clock_usec(CLOCK_MONOTONIC) + IDLE_USEC;
        p->idle++;
        in_time = thread_pool_wait_until(p, &p->wake, deadline);
        p->idle--;
        if (p->woken > 0)
            p->woken--;
    }
    return startable(p) > 0 && !p->closing;
}

static void enqueue(ThreadPool *p, PoolItem *item) {
    item->begun = item->ready = item->done = false;
    TAILQ_INSERT_TAIL(&p->queue, item, link);
    p->waiting++;
}

static void dequeue(ThreadPool *p, PoolItem *item) {
    TAILQ_REMOVE(&p->queue, item, link);
    p->waiting--;
}

/* With the lock held. NULL: the thread is to end. */
static PoolItem *next_item(ThreadPool *p) {
    if (!wait_for_work(p))
        return NULL;
    PoolItem *item = TAILQ_FIRST(&p->queue);
    dequeue(p, item);
    p->working++;
    item->begun = true;
    if (item->begin)
        item->begin(item);
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
        p->working--;
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

/* Makes a thread when there are too few. With the lock held. A failure is none as long as another
 * thread can do the work. */
static int need_thread(ThreadPool *p) {
    if (p->idle >= startable(p) || p->threads >= THREADS_MAX)
        return 0;
    int r = add_thread(p);
    return r < 0 && p->threads > 0 ? 0 : r;
}

int thread_pool_submit(ThreadPool *p, PoolItem *item) {
    thread_pool_lock(p);
    enqueue(p, item);
    int r = need_thread(p);
    if (r < 0)
        dequeue(p, item);
    wake(p);
    thread_pool_unlock(p);
    return r;
}

void thread_pool_submit_ahead(ThreadPool *p, PoolItem *item) {
    thread_pool_lock(p);
    enqueue(p, item);
    thread_pool_unlock(p);
}

void thread_pool_set_limit(ThreadPool *p, unsigned limit) {
    thread_pool_lock(p);
    p->limit = limit;
    for (unsigned n = startable(p); n > 0; n--) {
        (void)need_thread(p);
        wake(p);
    }
    thread_pool_unlock(p);
}

bool thread_pool_take_back(ThreadPool *p, PoolItem *item) {
    if (item->begun)
        return false;
    dequeue(p, item);
    return true;
}

bool thread_pool_withdraw(ThreadPool *p, PoolItem *item) {
    if (!thread_pool_take_back(p, item))
        return false;
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
