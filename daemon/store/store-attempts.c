#include "daemon/store/store-attempts.h"

#include "daemon/store/store-statements.h"

int store_attempt_put(StoreDb *d, const StoreBatch *b, const StoreOp *op) {
    const StoreAttempt *a = &op->attempt;
    sqlite3_stmt *s;
    int r = store_statement(d, STATEMENT_PUT_ATTEMPT, &s);

    if (r < 0)
        return r;
    (void)store_bind_u64(s, 1, op->id);
    (void)sqlite3_bind_int64(s, 2, a->number);
    (void)store_bind_text(s, 3, task_state_to_string(a->state));
    (void)sqlite3_bind_int(s, 4, a->exit_code);
    (void)sqlite3_bind_int(s, 5, a->exit_signal);
    (void)store_bind_u64(s, 6, a->started_at);
    (void)store_bind_u64(s, 7, a->finished_at);
    (void)store_bind_u64(s, 8, a->log_offset);
    (void)store_bind_text(s, 9, store_batch_text(b, a->message));
    return store_db_run(d, s);
}

int store_attempts_remove(StoreDb *d, uint64_t task_id) {
    return store_statement_run(d, STATEMENT_DELETE_ATTEMPTS, task_id, NULL);
}

static int read_attempt(sqlite3_stmt *s, Task *t) {
    const TaskAttempt a = {
        .number = (unsigned)sqlite3_column_int64(s, 0),
        .state = task_state_from_string(store_column_text(s, 1)),
        .exit_code = sqlite3_column_int(s, 2),
        .exit_signal = sqlite3_column_int(s, 3),
        .started_at = store_column_u64(s, 4),
        .finished_at = store_column_u64(s, 5),
        .log_offset = store_column_u64(s, 6),
        .message = (char *)store_column_text(s, 7), /* copied */
    };

    return task_state_is_final(a.state) ? task_add_attempt(t, &a) : 0;
}

int store_attempts_read(StoreDb *d, Task *t) {
    sqlite3_stmt *s;
    int r = store_statement(d, STATEMENT_READ_ATTEMPTS, &s);

    if (r < 0)
        return r;
    (void)store_bind_u64(s, 1, t->id);
    while ((r = store_db_step(d, s)) > 0) {
        r = read_attempt(s, t);
        if (r < 0)
            break;
    }
    (void)sqlite3_reset(s);
    return r;
}
