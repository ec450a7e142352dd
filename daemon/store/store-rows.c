#include "daemon/store/store-rows.h"

#include <errno.h>

#include "daemon/store/request-json.h"
#include "daemon/store/store-attempts.h"
#include "daemon/store/store-statements.h"

/* ---- writing ---- */

static void bind_life(sqlite3_stmt *s, const StoreBatch *b, const StoreOp *op) {
    const StoreRow *row = &op->row;

    (void)store_bind_u64(s, 1, op->id);
    (void)store_bind_text(s, 2, task_state_to_string(row->state));
    (void)store_bind_text(s, 3, store_batch_text(b, row->label));
    (void)store_bind_u64(s, 4, row->started_at);
    (void)sqlite3_bind_int(s, 5, row->exit_code);
    (void)sqlite3_bind_int(s, 6, row->exit_signal);
    (void)store_bind_text(s, 7, store_batch_text(b, row->message));
    (void)store_bind_text(s, 8, store_batch_text(b, row->reason));
    (void)store_bind_text(s, 9, store_batch_text(b, row->status));
    (void)store_bind_text(s, 10, store_batch_text(b, row->phase));
    (void)sqlite3_bind_double(s, 11, row->progress);
    (void)store_bind_u64(s, 12, row->done);
    (void)store_bind_u64(s, 13, row->total);
    (void)sqlite3_bind_int64(s, 14, row->attempt);
    (void)sqlite3_bind_int64(s, 15, row->pid);
    (void)store_bind_u64(s, 16, row->log_size);
    (void)sqlite3_bind_int(s, 17, row->has_result);
    (void)sqlite3_bind_int(s, 18, row->cancel_requested);
    (void)store_bind_u64(s, 19, row->usage.cpu_usec);
    (void)store_bind_u64(s, 20, row->usage.memory_peak);
    (void)store_bind_u64(s, 21, row->log_kept);
    (void)sqlite3_bind_int(s, 22, row->priority);
    (void)store_bind_u64(s, 23, row->ready_at);
    (void)store_bind_u64(s, 24, row->due_at);
    (void)store_bind_text(s, 25, strempty(task_state_to_string(row->end_state)));
    (void)sqlite3_bind_int64(s, 26, row->n_attempts);
    (void)store_bind_u64(s, 27, row->log_begin);
    (void)sqlite3_bind_int(s, 28, row->bytes);
    (void)store_bind_text(s, 29, progress_source_to_string(row->progress_source));
}

/* What is bound here the update of an active task does not have. */
static void bind_end(sqlite3_stmt *s, const StoreRow *row) {
    (void)store_bind_u64(s, 30, row->finished_at);
}

static void bind_request(sqlite3_stmt *s, const StoreRow *row, int64_t env) {
    (void)store_bind_text(s, 31, row->spec->kind);
    (void)store_bind_text(s, 32, row->spec->group);
    if (env > 0)
        (void)sqlite3_bind_int64(s, 33, env);
    (void)store_bind_u64(s, 34, row->created_at);
    (void)store_bind_u64(s, 35, row->spec->parent);
    (void)store_bind_u64(s, 36, row->retry_of);
}

static int insert_task(StoreDb *d, const StoreBatch *b, const StoreOp *op, int64_t env) {
    sqlite3_stmt *s;
    int r = store_statement(d, STATEMENT_INSERT_TASK, &s);

    if (r < 0)
        return r;
    bind_life(s, b, op);
    bind_end(s, &op->row);
    bind_request(s, &op->row, env);
    return store_db_run(d, s);
}

static int insert_request(StoreDb *d, uint64_t id, const TaskSpec *spec) {
    _cleanup_free_ char *json = request_to_json(spec);

    return json ? store_statement_run(d, STATEMENT_INSERT_REQUEST, id, json) : -ENOMEM;
}

static int insert_row(StoreDb *d, const StoreBatch *b, const StoreOp *op, StoreEnvCache *envs) {
    int64_t env;
    int r = store_env_put(d, op->row.spec->env, envs, &env);

    if (r < 0)
        return r;
    r = insert_task(d, b, op, env);
    if (r == -EEXIST) {
        /* Saved from a damaged database, and put in anew by who has it in memory. Its environment
         * may go with it. */
        *envs = (StoreEnvCache){};
        r = store_row_remove(d, op->id);
        if (r >= 0)
            r = store_env_put(d, op->row.spec->env, envs, &env);
        if (r >= 0)
            r = insert_task(d, b, op, env);
    }
    return r < 0 ? r : insert_request(d, op->id, op->row.spec);
}

int store_row_put(StoreDb *d, const StoreBatch *b, const StoreOp *op, StoreEnvCache *envs) {
    bool ended = op->row.finished_at > 0;
    sqlite3_stmt *s;
    int r;

    if (op->row.is_new)
        return insert_row(d, b, op, envs);
    r = store_statement(d, ended ? STATEMENT_END_TASK : STATEMENT_UPDATE_TASK, &s);
    if (r < 0)
        return r;
    bind_life(s, b, op);
    if (ended)
        bind_end(s, &op->row);
    r = store_db_run(d, s);
    if (r >= 0 && sqlite3_changes(d->db) == 0) /* lost with a damaged database: all is at hand */
        return insert_row(d, b, op, envs);
    return r;
}

static int read_env_id(StoreDb *d, uint64_t id, int64_t *ret) {
    sqlite3_stmt *s;
    int r = store_statement(d, STATEMENT_FIND_TASK_ENV, &s);

    if (r < 0)
        return r;
    (void)store_bind_u64(s, 1, id);
    r = store_db_step(d, s);
    *ret = r > 0 ? sqlite3_column_int64(s, 0) : 0;
    (void)sqlite3_reset(s);
    return MIN(r, 0);
}

int store_row_remove(StoreDb *d, uint64_t id) {
    int64_t env;
    int r = read_env_id(d, id, &env);

    if (r >= 0)
        r = store_statement_run(d, STATEMENT_DELETE_TASK, id, NULL);
    if (r >= 0)
        r = store_statement_run(d, STATEMENT_DELETE_REQUEST, id, NULL);
    if (r >= 0)
        r = store_statement_run(d, STATEMENT_DELETE_RESULT, id, NULL);
    if (r >= 0)
        r = store_statement_run(d, STATEMENT_DELETE_OPERATION, id, NULL);
    if (r >= 0)
        r = store_attempts_remove(d, id);
    if (r >= 0 && env > 0)
        r = store_statement_run(d, STATEMENT_DELETE_ENV, (uint64_t)env, NULL);
    return r;
}

/* ---- reading ---- */

enum { /* of STORE_ROW_COLUMNS */
    COLUMN_ID,
    COLUMN_STATE,
    COLUMN_KIND,
    COLUMN_GROUP,
    COLUMN_LABEL,
    COLUMN_CREATED_AT,
    COLUMN_STARTED_AT,
    COLUMN_FINISHED_AT,
    COLUMN_EXIT_CODE,
    COLUMN_EXIT_SIGNAL,
    COLUMN_MESSAGE,
    COLUMN_REASON,
    COLUMN_STATUS,
    COLUMN_PHASE,
    COLUMN_PROGRESS,
    COLUMN_DONE,
    COLUMN_TOTAL,
    COLUMN_ATTEMPT,
    COLUMN_PID,
    COLUMN_LOG_SIZE,
    COLUMN_LOG_KEPT,
    COLUMN_HAS_RESULT,
    COLUMN_CANCEL_REQUESTED,
    COLUMN_CPU_USEC,
    COLUMN_MEMORY_PEAK,
    COLUMN_PRIORITY,
    COLUMN_PARENT,
    COLUMN_RETRY_OF,
    COLUMN_READY_AT,
    COLUMN_DUE_AT,
    COLUMN_END_STATE,
    COLUMN_N_ATTEMPTS,
    COLUMN_LOG_BEGIN,
    COLUMN_BYTES,
    COLUMN_PROGRESS_SOURCE,
    COLUMN_ENV,
    COLUMN_JSON,
};

/* NULL stands for the empty text. */
static int read_text(sqlite3_stmt *s, int column, char **field) {
    const char *text = store_column_text(s, column);

    if (isempty(text))
        return 0;
    *field = strdup(text);
    return *field ? 0 : -ENOMEM;
}

static int read_spec(sqlite3_stmt *s, TaskSpec **ret, bool *ret_whole) {
    const RequestColumns columns = {
        .kind = store_column_text(s, COLUMN_KIND),
        .label = store_column_text(s, COLUMN_LABEL),
        .group = store_column_text(s, COLUMN_GROUP),
        .priority = sqlite3_column_int(s, COLUMN_PRIORITY),
        .parent = store_column_u64(s, COLUMN_PARENT),
    };
    int r = request_from_json(ret, &columns, store_column_text(s, COLUMN_JSON));

    *ret_whole = r >= 0;
    return r == -EBADMSG ? 0 : r;
}

static int read_texts(sqlite3_stmt *s, Task *t) {
    int r = read_text(s, COLUMN_MESSAGE, &t->message);

    return r;
}

static bool has_work(sqlite3_stmt *s) {
    return sqlite3_column_double(s, COLUMN_PROGRESS) != PROGRESS_UNKNOWN ||
           !isempty(store_column_text(s, COLUMN_STATUS)) ||
           !isempty(store_column_text(s, COLUMN_REASON)) ||
           store_column_u64(s, COLUMN_LOG_KEPT) > 0 ||
           !isempty(store_column_text(s, COLUMN_PHASE)) || store_column_u64(s, COLUMN_DONE) > 0 ||
           store_column_u64(s, COLUMN_TOTAL) > 0 || store_column_u64(s, COLUMN_CPU_USEC) > 0 ||
           store_column_u64(s, COLUMN_MEMORY_PEAK) > 0;
}

static int read_work(sqlite3_stmt *s, Task *t) {
    TaskWork *w;

    if (!has_work(s))
        return 0;
    w = task_work_make(t);
    if (!w)
        return -ENOMEM;
    w->progress.fraction = sqlite3_column_double(s, COLUMN_PROGRESS);
    w->progress.done = store_column_u64(s, COLUMN_DONE);
    w->progress.total = store_column_u64(s, COLUMN_TOTAL);
    w->progress.bytes = sqlite3_column_int(s, COLUMN_BYTES);
    w->progress.source = progress_source_from_string(store_column_text(s, COLUMN_PROGRESS_SOURCE));
    w->usage.cpu_usec = store_column_u64(s, COLUMN_CPU_USEC);
    w->usage.memory_peak = store_column_u64(s, COLUMN_MEMORY_PEAK);
    w->log_kept = store_column_u64(s, COLUMN_LOG_KEPT);
    int r = read_text(s, COLUMN_STATUS, &w->status);
    if (r >= 0)
        r = read_text(s, COLUMN_REASON, &w->reason);
    return r < 0 ? r : read_text(s, COLUMN_PHASE, &w->progress.phase);
}

static TaskState read_end_state(sqlite3_stmt *s) {
    TaskState state = task_state_from_string(store_column_text(s, COLUMN_END_STATE));

    return task_state_is_final(state) ? state : _TASK_STATE_INVALID;
}

static void read_numbers(sqlite3_stmt *s, Task *t) {
    t->started_at = store_column_u64(s, COLUMN_STARTED_AT);
    t->finished_at = store_column_u64(s, COLUMN_FINISHED_AT);
    t->exit_code = sqlite3_column_int(s, COLUMN_EXIT_CODE);
    t->exit_signal = sqlite3_column_int(s, COLUMN_EXIT_SIGNAL);
    t->attempt = (unsigned)sqlite3_column_int64(s, COLUMN_ATTEMPT);
    t->pid = (pid_t)sqlite3_column_int64(s, COLUMN_PID);
    t->log_size = store_column_u64(s, COLUMN_LOG_SIZE);
    t->has_result = sqlite3_column_int(s, COLUMN_HAS_RESULT);
    t->cancel_requested = sqlite3_column_int(s, COLUMN_CANCEL_REQUESTED);
    t->retry_of = store_column_u64(s, COLUMN_RETRY_OF);
    t->ready_at = store_column_u64(s, COLUMN_READY_AT);
    t->due_at = store_column_u64(s, COLUMN_DUE_AT);
    t->log_begin = store_column_u64(s, COLUMN_LOG_BEGIN);
    t->end_state = read_end_state(s);
}

int store_row_read(StoreDb *d, sqlite3_stmt *s, Task **ret, int64_t *ret_env, bool *ret_whole) {
    TaskState state = task_state_from_string(store_column_text(s, COLUMN_STATE));
    _cleanup_(task_spec_freep) TaskSpec *spec = NULL;
    bool whole;
    int r;

    if ((int)state < 0 ||
        task_state_is_final(state) != (sqlite3_column_int64(s, COLUMN_FINISHED_AT) > 0))
        return -EBADMSG;
    r = read_spec(s, &spec, &whole);
    if (r < 0)
        return r;
    _cleanup_(task_freep) Task *t =
        task_new(store_column_u64(s, COLUMN_ID), spec, store_column_u64(s, COLUMN_CREATED_AT));
    if (!t)
        return -ENOMEM;
    TAKE_PTR(spec);
    t->state = state;
    t->stored = true;
    read_numbers(s, t);
    r = read_texts(s, t);
    if (r >= 0)
        r = read_work(s, t);
    if (r >= 0 && sqlite3_column_int64(s, COLUMN_N_ATTEMPTS) > 0)
        r = store_attempts_read(d, t);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(t);
    *ret_env = sqlite3_column_int64(s, COLUMN_ENV);
    *ret_whole = whole;
    return 0;
}
