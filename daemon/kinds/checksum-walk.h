#pragma once

#include "common/cleanup.h"
#include "common/macro.h"

/* Goes over files and the trees below folders, sorted by name. Symlinks inside a tree are not
 * followed, a path that was asked for and is one is; mount points are crossed. Memory is bounded by
 * the depth and by the largest folder. */

typedef enum ChecksumEntryType {
    CHECKSUM_PASSED,  /* a folder or a symlink: nothing to do, but a moment to look at a cancel */
    CHECKSUM_FILE,    /* a regular file */
    CHECKSUM_SPECIAL, /* FIFO, socket or device: not to be opened */
    CHECKSUM_ERROR,   /* cannot be reached, or is a folder that cannot be read */
} ChecksumEntryType;

typedef struct ChecksumEntry {
    ChecksumEntryType type;
    const char *path; /* not owned; until the next step */
    bool named;       /* it was asked for by this path, not found in a folder */
    uint64_t size;    /* bytes, of CHECKSUM_FILE */
    int error;        /* -errno, of CHECKSUM_ERROR */
} ChecksumEntry;

typedef struct ChecksumWalk ChecksumWalk;

/* The paths are absolute, sorted with strcmp() and without doubles, and outlive the walk. What lies
 * in one and is another is visited once, as the other. */
int checksum_walk_new(char *const *paths, size_t n_paths, ChecksumWalk **ret);
ChecksumWalk *checksum_walk_free(ChecksumWalk *w);
DEFINE_CLEANUP(ChecksumWalk *, checksum_walk_free)

/* One step: 1 and an entry, 0 at the end, -errno when the walk itself breaks. */
int checksum_walk_next(ChecksumWalk *w, ChecksumEntry *ret);
