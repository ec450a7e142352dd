#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/proc-tree.h"
#include "common/shim-protocol.h"
#include "daemon/shim/keeper.h"
#include "daemon/shim/shim-record.h"

/* A process that does not die of SIGKILL hangs in the kernel, so the pause grows. */
#define INTERVAL_MAX_USEC (320 * USEC_PER_MSEC)

static int write_record(const Keeper *k, uint64_t id) {
    char from[PATH_MAX], to[PATH_MAX];
    Fields fields;

    int r = keeper_task_path(k, id, SHIM_EXIT_NEW_NAME, from, sizeof(from));
    if (r >= 0)
        r = keeper_task_path(k, id, SHIM_EXIT_NAME, to, sizeof(to));
    if (r < 0)
        return r;
    /* The shim may have died in the middle of its own. */
    _cleanup_close_ int fd = open(from, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || ftruncate(fd, 0) < 0)
        return -errno;
    fields.size = 0;
    fields_add(&fields, SHIM_LOST, "1");
    return shim_record_write(fd, from, to, &fields);
}

static bool has_file(const Keeper *k, uint64_t id, const char *name) {
    char path[PATH_MAX];

    return keeper_task_path(k, id, name, path, sizeof(path)) >= 0 && access(path, F_OK) >= 0;
}

/* A shim is born with what becomes its record. Of one that was another keeper's the daemon may have
 * the end already, and have removed the folder with the record. Looked for in this order: the one
 * becomes the other. */
static bool has_ended(const Keeper *k, uint64_t id) {
    return !has_file(k, id, SHIM_EXIT_NEW_NAME) || has_file(k, id, SHIM_EXIT_NAME);
}

void keeper_shim_died(Keeper *k, KeeperShim *s, bool told) {
    if (told || has_ended(k, s->id)) {
        keeper_table_remove(&k->table, s);
        return;
    }
    log_full(LOG_WARNING, s->id, "The supervisor (pid %d) was killed: ending its processes",
             s->pid);
    keeper_table_set_lost(&k->table, s);
    k->lost_interval_usec = KEEPER_LOST_INTERVAL_USEC;
    k->lost_due_usec = 0;
}

/* What a shim left behind are children of ours now, unless it has a cgroup and was another
 * keeper's. Gives whether there are none. */
static bool end_strays(Keeper *k) {
    _cleanup_free_ pid_t *keep = calloc(k->table.count + 1, sizeof(pid_t));

    if (!keep)
        return false;
    for (size_t i = 0; i < k->table.count; i++)
        keep[i] = k->table.shims[i].pid;
    return proc_tree_end_strays(keep, k->table.count) == 0;
}

static void bury(Keeper *k, uint64_t id) {
    int r = write_record(k, id);

    if (r < 0)
        log_full(LOG_ERR, id, "Cannot write the exit record: %s", strerror(-r));
    keeper_table_remove(&k->table, keeper_table_find(&k->table, id));
    keeper_connection_add_lost(&k->daemon, id);
}

void keeper_lost_tick(Keeper *k, uint64_t now) {
    if (k->table.n_lost == 0) {
        k->lost_due_usec = USEC_INFINITY;
        return;
    }
    /* First the cgroups, whose processes cannot make others unseen. */
    bool gone = end_strays(k);
    for (uint64_t id = 0;;) {
        const KeeperShim *s = keeper_table_after(&k->table, id);
        if (!s)
            break;
        id = s->id;
        if (s->pid == 0 && keeper_cgroup_end_task(&k->cgroup, id) && gone)
            bury(k, id);
    }
    k->lost_due_usec = k->table.n_lost > 0 ? now + k->lost_interval_usec : USEC_INFINITY;
    k->lost_interval_usec = MIN(k->lost_interval_usec * 2, INTERVAL_MAX_USEC);
}
