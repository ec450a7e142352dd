#include "daemon/http/download-sync.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#define STEP (32 * MIB)

static bool is_due(const DownloadSync *s) {
    return s->error == 0 && s->written >= s->asked + STEP;
}

/* Without the lock, for it takes long. What was written meanwhile may be on disk or not. */
static void sync_some(DownloadSync *s) {
    uint64_t size = s->written;

    s->asked = size;
    s->busy = true;
    pthread_mutex_unlock(&s->lock);
    int r = fdatasync(s->fd) < 0 ? -errno : 0;
    if (r >= 0)
        s->synced(s->userdata, size);
    pthread_mutex_lock(&s->lock);
    s->busy = false;
    s->error = r;
    pthread_cond_signal(&s->idle);
}

static void *run(void *userdata) {
    DownloadSync *s = userdata;

    pthread_mutex_lock(&s->lock);
    while (!s->stop)
        if (is_due(s))
            sync_some(s);
        else
            pthread_cond_wait(&s->wake, &s->lock);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

int download_sync_start(DownloadSync *s, int fd, void (*synced)(void *userdata, uint64_t size),
                        void *userdata) {
    sigset_t all, before;

    *s = (DownloadSync){.fd = fd, .synced = synced, .userdata = userdata};
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->wake, NULL);
    pthread_cond_init(&s->idle, NULL);
    /* Signals are for the thread that waits for them. */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int r = pthread_create(&s->thread, NULL, run, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    s->runs = r == 0;
    return -r;
}

void download_sync_stop(DownloadSync *s) {
    if (!s->runs)
        return;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->wake);
    pthread_cond_destroy(&s->idle);
    s->runs = false;
}

int download_sync_grown(DownloadSync *s, uint64_t size) {
    pthread_mutex_lock(&s->lock);
    s->written = size;
    int r = s->error;
    if (is_due(s))
        pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    return r;
}

void download_sync_lock(DownloadSync *s) {
    pthread_mutex_lock(&s->lock);
    while (s->busy)
        pthread_cond_wait(&s->idle, &s->lock);
}

void download_sync_unlock_anew(DownloadSync *s, uint64_t size) {
    s->written = s->asked = size;
    pthread_mutex_unlock(&s->lock);
}
