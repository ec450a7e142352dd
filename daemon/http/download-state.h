#pragma once

#include "common/cleanup.h"
#include "common/macro.h"
#include "daemon/kinds/download-params.h"

/* What is known of a file that is there in part: a small file beside it, JSON. It decides what may
 * be gone on with, so it is replaced as a whole, and on disk before anything that rests on it. */

typedef struct DownloadState {
    char *url;       /* where it came from; owned, never NULL once loaded or set */
    char *validator; /* of that, see download_answer_validator(); "" = none; owned */
    uint64_t total;  /* bytes of the whole, or DOWNLOAD_UNKNOWN */
    uint64_t synced; /* so much is on disk for sure: what a power cut leaves */
    char boot[40];   /* id of the boot in which the rest was written; "" = unknown */
    bool pieced;     /* parts came in more than one answer, or from several places */
    uint64_t inode;  /* of a file that is whole, and about to be renamed; 0 = it is not */
    char sha256[DOWNLOAD_SHA256_SIZE]; /* of that, where it was checked; "" = it was not */
} DownloadState;

void download_state_done(DownloadState *s);

/* Replaces url and validator, which are copied, and forgets all else. 0 or -ENOMEM. */
int download_state_set(DownloadState *s, const char *url, const char *validator, uint64_t total);

/* 0; -ENOENT when there is none; or another -errno: what is there is not ours, or is no state. */
int download_state_load(int dir_fd, const char *name, DownloadState *ret);

/* Puts it on disk, in the place of what was there. name + ".new" is used meanwhile. 0 or -errno,
 * then the one before is still there. */
int download_state_save(int dir_fd, const char *name, const DownloadState *s);

/* The id of this boot, "" when it cannot be told. */
void download_boot_id(char ret[40]);
