#include "daemon/store/store-statements.h"

#include "daemon/store/store-rows.h"

/* The numbers are those of bind_life() and what follows it in store-rows.c. */
#define LIFE                                                                                       \
    "state = ?2, label = ?3, started_at = ?4, exit_code = ?5, exit_signal = ?6, message = ?7,"     \
    " reason = ?8, status = ?9, phase = ?10, progress = ?11, done = ?12, total = ?13,"             \
    " attempt = ?14, pid = ?15, log_size = ?16, has_result = ?17, cancel_requested = ?18,"         \
    " usage_cpu_usec = ?19, usage_memory_peak = ?20, log_kept = ?21, priority = ?22,"              \
    " ready_at = ?23, due_at = ?24, end_state = ?25, n_attempts = ?26, log_begin = ?27,"           \
    " bytes = ?28, progress_source = ?29"

static const char *const statements[_STATEMENT_MAX] = {
    [STATEMENT_INSERT_TASK] =
        "INSERT INTO task (id, state, label, started_at, exit_code, exit_signal, message, "
        "reason,"
        " status, phase, progress, done, total, attempt, pid, log_size, has_result,"
        " cancel_requested, usage_cpu_usec, usage_memory_peak, log_kept, priority, ready_at, "
        "due_at,"
        " end_state, n_attempts, log_begin, bytes, progress_source, finished_at, kind, grp, "
        "env_id, created_at, parent, "
        "retry_of)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, "
        "?18,"
        " ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33,"
        " ?34, ?35, ?36)",
    [STATEMENT_UPDATE_TASK] = "UPDATE task SET " LIFE " WHERE id = ?1",
    [STATEMENT_END_TASK] = "UPDATE task SET " LIFE ", finished_at = ?30 WHERE id = ?1",
    [STATEMENT_INSERT_REQUEST] = "INSERT OR REPLACE INTO request VALUES (?1, ?2)",
    [STATEMENT_FIND_ENV] = "SELECT id FROM env WHERE hash = ?1",
    [STATEMENT_INSERT_ENV] = "INSERT INTO env (hash, block) VALUES (?1, ?2)",
    [STATEMENT_FIND_TASK_ENV] = "SELECT env_id FROM task WHERE id = ?1",
    [STATEMENT_DELETE_TASK] = "DELETE FROM task WHERE id = ?1",
    [STATEMENT_DELETE_REQUEST] = "DELETE FROM request WHERE task_id = ?1",
    [STATEMENT_DELETE_RESULT] = "DELETE FROM result WHERE task_id = ?1",
    [STATEMENT_DELETE_ENV] = "DELETE FROM env WHERE id = ?1"
                             " AND NOT EXISTS (SELECT 1 FROM task WHERE env_id = ?1)",
    [STATEMENT_PUT_RESULT] = "INSERT OR REPLACE INTO result VALUES (?1, ?2)",
    [STATEMENT_PUT_ATTEMPT] =
        "INSERT OR REPLACE INTO attempt VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [STATEMENT_DELETE_ATTEMPTS] = "DELETE FROM attempt WHERE task_id = ?1",
    [STATEMENT_PUT_GROUP] =
        "INSERT OR REPLACE INTO grp VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [STATEMENT_DELETE_GROUP] = "DELETE FROM grp WHERE name = ?1",
    [STATEMENT_PUT_RESOURCE] = "INSERT OR REPLACE INTO resource VALUES (?1, ?2)",
    [STATEMENT_DELETE_RESOURCE] = "DELETE FROM resource WHERE name = ?1",
    [STATEMENT_PUT_BACKEND] = "INSERT OR REPLACE INTO backend VALUES (?1, ?2, ?3)",
    [STATEMENT_DELETE_BACKEND] = "DELETE FROM backend WHERE name = ?1",
    [STATEMENT_PUT_OPERATION] = "INSERT OR REPLACE INTO operation VALUES (?1, ?2)",
    [STATEMENT_DELETE_OPERATION] = "DELETE FROM operation WHERE task_id = ?1",
    [STATEMENT_PUT_META] = "INSERT OR REPLACE INTO meta VALUES (?1, ?2)",
    [STATEMENT_RAISE_ID] = "UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'task' AND seq < ?1",
    [STATEMENT_READ_TASK] =
        "SELECT " STORE_ROW_COLUMNS " FROM " STORE_ROW_TABLES " WHERE task.id = ?1",
    [STATEMENT_READ_ATTEMPTS] = "SELECT number, state, exit_code, exit_signal, started_at, "
                                "finished_at, log_offset, message"
                                " FROM attempt WHERE task_id = ?1 ORDER BY number",
    [STATEMENT_READ_END] = "SELECT state FROM task WHERE id = ?1 AND finished_at > 0",
    [STATEMENT_READ_ENV] = "SELECT block FROM env WHERE id = ?1",
    [STATEMENT_READ_RESULT] = "SELECT json FROM result WHERE task_id = ?1",
};

_Static_assert(_STATEMENT_MAX <= STORE_STATEMENTS_MAX, "more statements than places");

int store_statement(StoreDb *d, StoreStatement statement, sqlite3_stmt **ret) {
    return store_db_statement(d, statement, statements[statement], ret);
}

int store_statement_run(StoreDb *d, StoreStatement statement, uint64_t id, const char *text) {
    sqlite3_stmt *s;
    int r = store_statement(d, statement, &s);

    if (r < 0)
        return r;
    (void)store_bind_u64(s, 1, id);
    if (text)
        (void)store_bind_text(s, 2, text);
    return store_db_run(d, s);
}
