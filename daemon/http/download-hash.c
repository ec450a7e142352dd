#include "daemon/http/download-hash.h"

#include <errno.h>
#include <signal.h>

#define BLOCK_SIZE ((size_t)256 * KIB)

static void hash_some(DownloadHash *h) {
    size_t size = (size_t)MIN(h->there - h->done, (uint64_t)BLOCK_SIZE);

    h->busy = true;
    pthread_mutex_unlock(&h->lock);
    ssize_t n = pread(h->fd, h->block, size, (off_t)h->done);
    int r = n < 0 ? -errno : n == 0 ? -EIO : 0;
    if (n > 0)
        checksum_hasher_update(h->hasher, h->block, (size_t)n);
    pthread_mutex_lock(&h->lock);
    h->busy = false;
    pthread_cond_signal(&h->idle);
    if (n > 0)
        h->done += (uint64_t)n;
    else if (r != -EINTR)
        h->error = r;
}

static void *run(void *userdata) {
    DownloadHash *h = userdata;

    pthread_mutex_lock(&h->lock);
    while (!h->stop)
        if (h->done < h->there && h->error == 0)
            hash_some(h);
        else
            pthread_cond_wait(&h->wake, &h->lock);
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

int download_hash_start(DownloadHash *h, int fd) {
    sigset_t all, before;
    int r;

    *h = (DownloadHash){.fd = fd, .block = malloc(BLOCK_SIZE)};
    if (!h->block)
        return -ENOMEM;
    r = checksum_hasher_new(checksum_algorithm_from_name("sha256"), &h->hasher);
    if (r < 0)
        return r;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->wake, NULL);
    pthread_cond_init(&h->idle, NULL);
    /* Signals are for the thread that waits for them. */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    r = pthread_create(&h->thread, NULL, run, h);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    h->runs = r == 0;
    return -r;
}

void download_hash_stop(DownloadHash *h) {
    if (h->runs) {
        pthread_mutex_lock(&h->lock);
        h->stop = true;
        pthread_cond_signal(&h->wake);
        pthread_mutex_unlock(&h->lock);
        pthread_join(h->thread, NULL);
        pthread_mutex_destroy(&h->lock);
        pthread_cond_destroy(&h->wake);
        pthread_cond_destroy(&h->idle);
    }
    h->hasher = checksum_hasher_free(h->hasher);
    free(h->block);
    h->block = NULL;
    h->runs = false;
}

void download_hash_grown(DownloadHash *h, uint64_t size) {
    if (!h->runs)
        return;
    pthread_mutex_lock(&h->lock);
    /* A full block at a time; the rest when somebody waits for it. */
    bool wake = h->there - h->done < BLOCK_SIZE && size - h->done >= BLOCK_SIZE;
    h->there = size;
    if (wake)
        pthread_cond_signal(&h->wake);
    pthread_mutex_unlock(&h->lock);
}

void download_hash_anew(DownloadHash *h) {
    if (!h->runs)
        return;
    pthread_mutex_lock(&h->lock);
    h->there = MIN(h->there, h->done); /* nothing more to do behind this block */
    while (h->busy)
        pthread_cond_wait(&h->idle, &h->lock);
    h->there = h->done = 0;
    h->error = 0;
    checksum_hasher_reset(h->hasher);
    pthread_mutex_unlock(&h->lock);
}

int download_hash_take(DownloadHash *h, uint64_t size, uint64_t *ret_done,
                       char ret_hex[CHECKSUM_HEX_MAX]) {
    ret_hex[0] = '\0';
    *ret_done = size;
    if (!h->runs)
        return 1;
    pthread_mutex_lock(&h->lock);
    h->there = size;
    pthread_cond_signal(&h->wake);
    int r = h->error;
    *ret_done = h->done;
    if (r >= 0 && h->done == size) {
        checksum_hasher_hex(h->hasher, ret_hex);
        r = 1;
    }
    pthread_mutex_unlock(&h->lock);
    return r;
}
