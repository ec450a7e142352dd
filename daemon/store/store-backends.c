#include "daemon/store/store-backends.h"

#include "daemon/store/store-private.h"
#include "daemon/store/store-statements.h"

/* ---- writing ---- */

int store_backend_put(StoreDb *d, const StoreBatch *b, const StoreOp *op) {
    sqlite3_stmt *s;
    int r = store_statement(d, STATEMENT_PUT_BACKEND, &s);

    if (r < 0)
        return r;
    (void)store_bind_text(s, 1, store_batch_text(b, op->backend.name));
    (void)store_bind_text(s, 2, store_batch_text(b, op->backend.settings));
    (void)sqlite3_bind_int(s, 3, op->backend.polling);
    return store_db_run(d, s);
}

int store_backend_remove(StoreDb *d, const StoreBatch *b, const StoreOp *op) {
    sqlite3_stmt *s;
    int r = store_statement(d, STATEMENT_DELETE_BACKEND, &s);

    if (r < 0)
        return r;
    (void)store_bind_text(s, 1, store_batch_text(b, op->backend.name));
    return store_db_run(d, s);
}

int store_operation_put(StoreDb *d, const StoreBatch *b, const StoreOp *op) {
    return op->operation > 0 ? store_statement_run(d, STATEMENT_PUT_OPERATION, op->id,
                                                   store_batch_text(b, op->operation))
                             : store_statement_run(d, STATEMENT_DELETE_OPERATION, op->id, NULL);
}

/* ---- reading, on the loop ---- */

int store_load_backends(Store *s,
                        int (*func)(void *userdata, const char *name, const char *settings,
                                    bool polling),
                        void *userdata) {
    _cleanup_statement_ sqlite3_stmt *row = NULL;
    int r = store_db_prepare(&s->write_db, "SELECT name, settings, polling FROM backend", &row);

    while (r >= 0 && (r = store_db_step(&s->write_db, row)) > 0)
        r = func(userdata, store_column_text(row, 0), store_column_text(row, 1),
                 sqlite3_column_int(row, 2) != 0);
    return MIN(r, 0);
}

int store_load_operations(Store *s, int (*func)(void *userdata, uint64_t id, const char *json),
                          void *userdata) {
    _cleanup_statement_ sqlite3_stmt *row = NULL;
    int r = store_db_prepare(&s->write_db,
                             "SELECT task_id, json FROM operation JOIN task ON task.id = task_id"
                             " WHERE finished_at = 0 ORDER BY task_id",
                             &row);

    while (r >= 0 && (r = store_db_step(&s->write_db, row)) > 0)
        r = func(userdata, store_column_u64(row, 0), store_column_text(row, 1));
    return MIN(r, 0);
}
