#pragma once

#include "daemon/store/store-batch.h"
#include "daemon/store/store-db.h"

/* A task as rows of the tables task, request and env, and back. */

/* The environment that was put in last, since neighbours mostly share theirs. Good for one
 * transaction. */
typedef struct StoreEnvCache {
    const EnvBlock *block; /* not owned */
    int64_t id;
} StoreEnvCache;

/* Writes the row: what a life changes, or all of it when it is new. A row with the id of a new one
 * is replaced. */
int store_row_put(StoreDb *d, const StoreBatch *b, const StoreOp *op, StoreEnvCache *envs);
/* Deletes the task with all that belongs to it. */
int store_row_remove(StoreDb *d, uint64_t id);

/* What a SELECT must name for store_row_read(), from `task` and `request`. */
#define STORE_ROW_COLUMNS                                                                          \
    "task.id, state, kind, grp, label, created_at, started_at, finished_at, exit_code,"            \
    " exit_signal, message, reason, status, phase, progress, done, total, attempt, pid, log_size," \
    " log_kept, has_result, cancel_requested, usage_cpu_usec, usage_memory_peak, env_id, json"
#define STORE_ROW_TABLES "task LEFT JOIN request ON request.task_id = task.id"

/* The task of the row that the statement is at, without its environment, whose id, or 0, is given.
 * *ret_whole: its request could be read as well; without, it has its kind, group and label. 0,
 * -EBADMSG or -ENOMEM. */
int store_row_read(sqlite3_stmt *s, Task **ret, int64_t *ret_env, bool *ret_whole);

/* The block as it is on disk: each string with its NUL. NULL when memory is short. */
EnvBlock *store_env_intern(EnvTable *envs, const char *block, size_t size);
