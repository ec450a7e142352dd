#include "daemon/store/store-thread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "common/cleanup.h"

#define STACK_SIZE (512 * KIB)

TAILQ_HEAD(StoreJobs, StoreJob);

struct StoreThread {
    StoreWork work;
    void *userdata;
    const char *name;
    sd_event_source *source;
    int event_fd;
    bool started;
    pthread_t thread;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    bool closing;
    struct StoreJobs waiting, done;
};

/* ---- in the thread ---- */

static StoreJob *pop(struct StoreJobs *jobs) {
    StoreJob *job = TAILQ_FIRST(jobs);

    if (job)
        TAILQ_REMOVE(jobs, job, link);
    return job;
}

static StoreJob *take(StoreThread *t, bool wait) {
    pthread_mutex_lock(&t->lock);
    while (wait && !t->closing && TAILQ_EMPTY(&t->waiting))
        pthread_cond_wait(&t->wake, &t->lock);
    StoreJob *job = t->closing ? NULL : pop(&t->waiting);
    pthread_mutex_unlock(&t->lock);
    return job;
}

StoreJob *store_thread_take(StoreThread *t) {
    return take(t, false);
}

void store_thread_done(StoreThread *t, StoreJob *job) {
    pthread_mutex_lock(&t->lock);
    /* The descriptor is readable for as long as the list is not empty. */
    if (TAILQ_EMPTY(&t->done))
        (void)eventfd_write(t->event_fd, 1);
    TAILQ_INSERT_TAIL(&t->done, job, link);
    pthread_mutex_unlock(&t->lock);
}

static void *thread_main(void *userdata) {
    StoreThread *t = userdata;

    pthread_setname_np(pthread_self(), t->name);
    for (StoreJob *job; (job = take(t, true));)
        t->work(t->userdata, t, job);
    return NULL;
}

/* Signals are the loop's. */
static int start(StoreThread *t) {
    pthread_attr_t attr;
    sigset_t all, before;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = -pthread_create(&t->thread, &attr, thread_main, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    t->started = r == 0;
    return r;
}

/* ---- on the loop ---- */

static StoreJob *take_done(StoreThread *t) {
    eventfd_t count;

    pthread_mutex_lock(&t->lock);
    StoreJob *job = pop(&t->done);
    if (TAILQ_EMPTY(&t->done))
        (void)eventfd_read(t->event_fd, &count);
    pthread_mutex_unlock(&t->lock);
    return job;
}

/* One a turn, so that many at once do not hold up the loop. */
static int on_done(sd_event_source *s, int fd, uint32_t events, void *userdata) {
    StoreJob *job = take_done(userdata);

    if (job) {
        job->finish(job);
        job->free(job);
    }
    return 0;
}

int store_thread_new(StoreThread **ret, sd_event *event, const char *name, StoreWork work,
                     void *userdata) {
    _cleanup_(store_thread_freep) StoreThread *t = malloc(sizeof(StoreThread));

    if (!t)
        return -ENOMEM;
    *t = (StoreThread){.work = work, .userdata = userdata, .name = name, .event_fd = -EBADF};
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->wake, NULL);
    TAILQ_INIT(&t->waiting);
    TAILQ_INIT(&t->done);
    t->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (t->event_fd < 0)
        return -errno;
    int r = sd_event_add_io(event, &t->source, t->event_fd, EPOLLIN, on_done, t);
    if (r < 0)
        return r;
    (void)sd_event_source_set_description(t->source, name);
    r = start(t);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(t);
    return 0;
}

StoreThread *store_thread_free(StoreThread *t) {
    if (!t)
        return NULL;
    if (t->started) {
        pthread_mutex_lock(&t->lock);
        t->closing = true;
        pthread_cond_signal(&t->wake);
        pthread_mutex_unlock(&t->lock);
        pthread_join(t->thread, NULL);
    }
    for (StoreJob *job; (job = pop(&t->waiting)) || (job = pop(&t->done));)
        job->free(job);
    sd_event_source_disable_unref(t->source);
    close_fd(t->event_fd);
    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->wake);
    free(t);
    return NULL;
}

void store_thread_submit(StoreThread *t, StoreJob *job) {
    pthread_mutex_lock(&t->lock);
    TAILQ_INSERT_TAIL(&t->waiting, job, link);
    pthread_cond_signal(&t->wake);
    pthread_mutex_unlock(&t->lock);
}
