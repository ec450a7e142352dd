#pragma once

#include <pthread.h>

#include "daemon/kinds/checksum-hash.h"

/* A thread that makes the digest (SHA-256) of a file while it grows: it reads from the file what is
 * there, so what an earlier download has left counts as well, and it costs the download no time
 * where there is a second CPU. */

typedef struct DownloadHash {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake, idle;
    ChecksumHasher *hasher;
    unsigned char *block;
    int fd; /* not owned */
    bool runs, busy;
    /* Under the lock. */
    uint64_t there, done; /* bytes of the file, and of the digest */
    bool stop;
    int error; /* -errno of read(2) */
} DownloadHash;

/* 0 or -errno. */
int download_hash_start(DownloadHash *h, int fd);
void download_hash_stop(DownloadHash *h); /* also of one that was never started */

void download_hash_grown(DownloadHash *h, uint64_t size);
void download_hash_anew(DownloadHash *h); /* the file is about to be emptied */

/* 1 and the digest, when it is that of so many bytes; 0 and how many there are when it is not yet;
 * or -errno. Of one that is not started, 1 and "". */
int download_hash_take(DownloadHash *h, uint64_t size, uint64_t *ret_done,
                       char ret_hex[CHECKSUM_HEX_MAX]);
