#pragma once

#include "daemon/store/store-batch.h"
#include "daemon/store/store-env.h"

/* A task as rows of the tables task and request, and back. */

/* Writes the row: what a life changes, or all of it when it is new. A row with the id of a new one
 * is replaced. */
int store_row_put(StoreDb *d, const StoreBatch *b, const StoreOp *op, StoreEnvCache *envs);
/* Deletes the task with all that belongs to it. */
int store_row_remove(StoreDb *d, uint64_t id);

/* What a SELECT must name for store_row_read(), from `task` and `request`. */
#define STORE_ROW_COLUMNS                                                                          \
    "task.id, state, kind, grp, label, created_at, started_at, finished_at, exit_code,"            \
    " exit_signal, message, reason, status, phase, progress, done, total, attempt, pid, log_size," \
    " log_kept, has_result, cancel_requested, usage_cpu_usec, usage_memory_peak, priority,"        \
    " parent, retry_of, ready_at, due_at, end_state, n_attempts, log_begin, bytes,"                \
    " progress_source, env_id, json"
#define STORE_ROW_TABLES "task LEFT JOIN request ON request.task_id = task.id"

/* The task of the row that the statement is at, with its attempts, but without its environment,
 * whose id, or 0, is given.
 * *ret_whole: its request could be read as well; without, it has its kind, group and label. 0,
 * -EBADMSG or -ENOMEM. */
int store_row_read(StoreDb *d, sqlite3_stmt *s, Task **ret, int64_t *ret_env, bool *ret_whole);
