#pragma once

#include <sys/types.h>

#include "common/macro.h"

/* The shims that there are, sorted by id. */

typedef struct KeeperShim {
    uint64_t id;
    pid_t pid; /* 0: it died without an exit record, and its processes are being ended */
    int pidfd; /* owned; of one that is no child, since an earlier keeper made it. Else negative */
} KeeperShim;

typedef struct KeeperTable {
    KeeperShim *shims;
    size_t count, allocated;
    size_t n_lost; /* of them have no pid */
} KeeperTable;

void keeper_table_done(KeeperTable *t);

/* Makes room for one more, so that keeper_table_add() cannot fail. 0 or -ENOMEM. */
int keeper_table_reserve(KeeperTable *t);
void keeper_table_add(KeeperTable *t, uint64_t id, pid_t pid, int pidfd);

/* Both give NULL for none. Valid until the table changes. */
KeeperShim *keeper_table_find(KeeperTable *t, uint64_t id);
KeeperShim *keeper_table_find_pid(KeeperTable *t, pid_t pid);

/* The first with an id above this, or NULL: for walks that last while the table changes. */
const KeeperShim *keeper_table_after(const KeeperTable *t, uint64_t id);

void keeper_table_remove(KeeperTable *t, KeeperShim *s);

/* Its process is gone. */
void keeper_table_set_lost(KeeperTable *t, KeeperShim *s);
