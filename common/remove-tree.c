#include "common/remove-tree.h"

#include <fts.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/macro.h"

static void remove_entry(FTS *tree, FTSENT *e, const char *keep) {
    if (keep && e->fts_level == 1 && streq(e->fts_name, keep)) {
        (void)fts_set(tree, e, FTS_SKIP);
        return;
    }
    switch (e->fts_info) {
    case FTS_D: /* before what is in it */
        (void)chmod(e->fts_accpath, 0700);
        break;
    case FTS_DP:
    case FTS_DNR:
        (void)rmdir(e->fts_accpath);
        break;
    default:
        (void)unlink(e->fts_accpath);
        break;
    }
}

void remove_tree(const char *path, const char *keep) {
    char *paths[] = {(char *)path, NULL};
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);

    if (!tree)
        return;
    for (FTSENT *e; (e = fts_read(tree));)
        remove_entry(tree, e, keep);
    (void)fts_close(tree);
}
