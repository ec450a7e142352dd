#pragma once

#include <pthread.h>

#include "common/macro.h"

/* A thread that brings a growing file to the disk while it is written, so that nothing waits for
 * that but the end, and only for the rest. */

typedef struct DownloadSync {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake, idle;
    bool runs, stop, busy;
    int fd; /* not owned */
    /* Under the lock. */
    uint64_t written; /* so much there is */
    uint64_t asked;   /* so much is synced, or being synced */
    int error;        /* -errno of fdatasync(2); it stays */
    /* Called by the thread, never between _lock() and _unlock_anew(): so much of the file is on
     * disk. */
    void (*synced)(void *userdata, uint64_t size);
    void *userdata;
} DownloadSync;

/* 0 or -errno. */
int download_sync_start(DownloadSync *s, int fd, void (*synced)(void *userdata, uint64_t size),
                        void *userdata);
void download_sync_stop(DownloadSync *s); /* waits for it; also of one that was never started */

/* The file has that size now. 0, or -errno of a sync that failed. */
int download_sync_grown(DownloadSync *s, uint64_t size);

/* Between them nothing is synced, and nobody called: the file begins anew. */
void download_sync_lock(DownloadSync *s);
void download_sync_unlock_anew(DownloadSync *s, uint64_t size);
