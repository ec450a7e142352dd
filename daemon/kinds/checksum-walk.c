#include "daemon/kinds/checksum-walk.h"

#include <errno.h>
#include <fts.h>
#include <sys/stat.h>

struct ChecksumWalk {
    FTS *fts;
    char *const *paths; /* not owned */
    size_t n_paths;
};

static int compare_entries(const FTSENT **a, const FTSENT **b) {
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int compare_paths(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int checksum_walk_new(char *const *paths, size_t n_paths, ChecksumWalk **ret) {
    _cleanup_(checksum_walk_freep) ChecksumWalk *w = malloc(sizeof(*w));

    if (!w)
        return -ENOMEM;
    *w = (ChecksumWalk){.paths = paths, .n_paths = n_paths};
    /* FTS_NOCHDIR: the working directory belongs to all threads of the process. */
    w->fts = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, compare_entries);
    if (!w->fts)
        return -errno;
    *ret = TAKE_PTR(w);
    return 0;
}

ChecksumWalk *checksum_walk_free(ChecksumWalk *w) {
    if (!w)
        return NULL;
    if (w->fts)
        fts_close(w->fts);
    free(w);
    return NULL;
}

static bool is_asked_for(const ChecksumWalk *w, const char *path) {
    return bsearch(&path, w->paths, w->n_paths, sizeof(*w->paths), compare_paths);
}

static ChecksumEntry describe(const FTSENT *e) {
    ChecksumEntry entry = {
        .type = CHECKSUM_PASSED, .path = e->fts_path, .named = e->fts_level == FTS_ROOTLEVEL};

    switch (e->fts_info) {
    case FTS_F:
        entry.type = CHECKSUM_FILE;
        entry.size = (uint64_t)MAX(e->fts_statp->st_size, (off_t)0);
        break;
    case FTS_DEFAULT:
        entry.type = CHECKSUM_SPECIAL;
        break;
    case FTS_NS:
    case FTS_ERR:
    case FTS_DNR:
        entry.type = CHECKSUM_ERROR;
        entry.error = -e->fts_errno;
        break;
    case FTS_DC:
        entry.type = CHECKSUM_ERROR;
        entry.error = -ELOOP;
        break;
    case FTS_SLNONE:
        /* In a tree just a symlink like others; asked for by name, it leads nowhere. */
        if (entry.named) {
            entry.type = CHECKSUM_ERROR;
            entry.error = -ENOENT;
        }
        break;
    }
    return entry;
}

int checksum_walk_next(ChecksumWalk *w, ChecksumEntry *ret) {
    errno = 0;
    FTSENT *e = fts_read(w->fts);

    if (!e)
        return -errno;
    *ret = describe(e);
    if (!ret->named && w->n_paths > 1 && is_asked_for(w, e->fts_path)) {
        fts_set(w->fts, e, FTS_SKIP);
        ret->type = CHECKSUM_PASSED;
    }
    return 1;
}
