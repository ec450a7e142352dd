#include "daemon/store/migrations.h"

#include <stdio.h>

/* Times are microseconds of CLOCK_REALTIME; a task that is active has finished_at = 0. What changes
 * in a task's life is in `task`, what never does in `request`, so that an update stays small. An
 * update that does not end the task touches no index and no trigger: mind that when you add some.
 */
#define STEP_1                                                                                                                                             \
    "CREATE TABLE task ("                                                                                                                                  \
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"                                                                                                               \
    " state TEXT NOT NULL,"                                                                                                                                \
    " kind TEXT NOT NULL,"                                                                                                                                 \
    " grp TEXT NOT NULL,"                                                                                                                                  \
    " label TEXT NOT NULL,"                                                                                                                                \
    " env_id INTEGER,"                                                                                                                                     \
    " created_at INTEGER NOT NULL,"                                                                                                                        \
    " started_at INTEGER NOT NULL,"                                                                                                                        \
    " finished_at INTEGER NOT NULL,"                                                                                                                       \
    " exit_code INTEGER NOT NULL,"                                                                                                                         \
    " exit_signal INTEGER NOT NULL,"                                                                                                                       \
    " message TEXT NOT NULL,"                                                                                                                              \
    " reason TEXT NOT NULL,"                                                                                                                               \
    " status TEXT NOT NULL,"                                                                                                                               \
    " phase TEXT NOT NULL,"                                                                                                                                \
    " progress REAL NOT NULL,"                                                                                                                             \
    " done INTEGER NOT NULL,"                                                                                                                              \
    " total INTEGER NOT NULL,"                                                                                                                             \
    " attempt INTEGER NOT NULL,"                                                                                                                           \
    " pid INTEGER NOT NULL,"                                                                                                                               \
    " log_size INTEGER NOT NULL,"                                                                                                                          \
    " log_kept INTEGER NOT NULL,"                                                                                                                          \
    " has_result INTEGER NOT NULL,"                                                                                                                        \
    " cancel_requested INTEGER NOT NULL,"                                                                                                                  \
    " usage_cpu_usec INTEGER NOT NULL,"                                                                                                                    \
    " usage_memory_peak INTEGER NOT NULL);"                                                                                                                \
    "CREATE TABLE request (task_id INTEGER PRIMARY KEY, json TEXT NOT NULL);"                                                                              \
    "CREATE TABLE result (task_id INTEGER PRIMARY KEY, json TEXT NOT NULL);"                                                                               \
    "CREATE TABLE env (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, block BLOB NOT NULL);"                                                           \
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"                                                                         \
    "CREATE INDEX task_env ON task (env_id) WHERE env_id IS NOT NULL;"                                                                                     \
    "CREATE INDEX task_finished ON task (finished_at);"                                                                                                    \
    "CREATE INDEX task_state ON task (state, id, created_at) WHERE finished_at > 0;"                                                                       \
    "CREATE INDEX task_ended ON task (grp, kind, state, id, created_at) WHERE finished_at > 0;" /* How many have ended, and what is kept of their logs. */ \
    "CREATE TABLE ended ("                                                                                                                                 \
    " grp TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,"                                                                                         \
    " tasks INTEGER NOT NULL, log_kept INTEGER NOT NULL,"                                                                                                  \
    " PRIMARY KEY (grp, kind, state)) WITHOUT ROWID;"                                                                                                      \
    "CREATE TABLE ended_all (id INTEGER PRIMARY KEY, tasks INTEGER NOT NULL,"                                                                              \
    " log_kept INTEGER NOT NULL);"                                                                                                                         \
    "INSERT INTO ended_all VALUES (1, 0, 0);"                                                                                                              \
    "CREATE TRIGGER ended_insert AFTER INSERT ON task WHEN new.finished_at > 0 BEGIN"                                                                      \
    " " COUNT_NEW " END;"                                                                                                                                  \
    "CREATE TRIGGER ended_update AFTER UPDATE OF finished_at ON task WHEN old.finished_at = 0"                                                             \
    " AND new.finished_at > 0 BEGIN " COUNT_NEW " END;"                                                                                                    \
    "CREATE TRIGGER ended_change AFTER UPDATE OF finished_at ON task WHEN old.finished_at > 0"                                                             \
    " BEGIN " COUNT_OLD " " COUNT_NEW " END;"                                                                                                              \
    "CREATE TRIGGER ended_delete AFTER DELETE ON task WHEN old.finished_at > 0 BEGIN"                                                                      \
    " " COUNT_OLD " END;"

#define COUNT_NEW                                                                                  \
    "INSERT INTO ended VALUES (new.grp, new.kind, new.state, 1, new.log_kept)"                     \
    " ON CONFLICT DO UPDATE SET tasks = tasks + 1, log_kept = log_kept + excluded.log_kept;"       \
    "UPDATE ended_all SET tasks = tasks + 1, log_kept = log_kept + new.log_kept WHERE id = 1;"

#define COUNT_OLD                                                                                  \
    "UPDATE ended SET tasks = tasks - 1, log_kept = log_kept - old.log_kept"                       \
    " WHERE grp = old.grp AND kind = old.kind AND state = old.state;"                              \
    "DELETE FROM ended"                                                                            \
    " WHERE grp = old.grp AND kind = old.kind AND state = old.state AND tasks = 0;"                \
    "UPDATE ended_all SET tasks = tasks - 1, log_kept = log_kept - old.log_kept WHERE id = 1;"

/* Groups, resources, attempts; what a task waits for and what it comes from. An own index for the
 * children of a task: without it, a filter by parent would walk all that have ended. */
#define STEP_2                                                                                     \
    "ALTER TABLE task ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;"                             \
    "ALTER TABLE task ADD COLUMN parent INTEGER NOT NULL DEFAULT 0;"                               \
    "ALTER TABLE task ADD COLUMN retry_of INTEGER NOT NULL DEFAULT 0;"                             \
    "ALTER TABLE task ADD COLUMN ready_at INTEGER NOT NULL DEFAULT 0;"                             \
    "ALTER TABLE task ADD COLUMN due_at INTEGER NOT NULL DEFAULT 0;"                               \
    "ALTER TABLE task ADD COLUMN end_state TEXT NOT NULL DEFAULT '';"                              \
    "ALTER TABLE task ADD COLUMN n_attempts INTEGER NOT NULL DEFAULT 0;"                           \
    "ALTER TABLE task ADD COLUMN log_begin INTEGER NOT NULL DEFAULT 0;"                            \
    "CREATE INDEX task_parent ON task (parent, state, id, created_at)"                             \
    " WHERE finished_at > 0 AND parent > 0;"                                                       \
    "CREATE INDEX task_retry ON task (retry_of) WHERE retry_of > 0;"                               \
    "CREATE TABLE grp ("                                                                           \
    " name TEXT PRIMARY KEY,"                                                                      \
    " max_parallel INTEGER NOT NULL,"                                                              \
    " max_queued INTEGER NOT NULL,"                                                                \
    " paused INTEGER NOT NULL,"                                                                    \
    " draining INTEGER NOT NULL,"                                                                  \
    " turn INTEGER NOT NULL,"                                                                      \
    " succeeded INTEGER NOT NULL,"                                                                 \
    " failed INTEGER NOT NULL,"                                                                    \
    " defaults TEXT NOT NULL) WITHOUT ROWID;"                                                      \
    "CREATE TABLE resource (name TEXT PRIMARY KEY, capacity INTEGER NOT NULL) WITHOUT ROWID;"      \
    "CREATE TABLE attempt ("                                                                       \
    " task_id INTEGER NOT NULL,"                                                                   \
    " number INTEGER NOT NULL,"                                                                    \
    " state TEXT NOT NULL,"                                                                        \
    " exit_code INTEGER NOT NULL,"                                                                 \
    " exit_signal INTEGER NOT NULL,"                                                               \
    " started_at INTEGER NOT NULL,"                                                                \
    " finished_at INTEGER NOT NULL,"                                                               \
    " log_offset INTEGER NOT NULL,"                                                                \
    " message TEXT NOT NULL,"                                                                      \
    " PRIMARY KEY (task_id, number)) WITHOUT ROWID;"

/* What progress counts, and where it comes from. */
#define STEP_3                                                                                     \
    "ALTER TABLE task ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;"                                \
    "ALTER TABLE task ADD COLUMN progress_source TEXT NOT NULL DEFAULT '';"

/* Backends of AddBackend, and for those of files only whether they are polled (settings = '').
 * What the task of a long operation on one needs to go on. */
#define STEP_4                                                                                     \
    "CREATE TABLE backend ("                                                                       \
    " name TEXT PRIMARY KEY,"                                                                      \
    " settings TEXT NOT NULL,"                                                                     \
    " polling INTEGER NOT NULL) WITHOUT ROWID;"                                                    \
    "CREATE TABLE operation (task_id INTEGER PRIMARY KEY, json TEXT NOT NULL);"

/* Append only. Every version that was ever released is opened in a test: tests/unit/schemas. */
static const char *const steps[] = {
    STEP_1,
    STEP_2,
    STEP_3,
    STEP_4,
};

int migrations_version(void) {
    return ELEMENTSOF(steps);
}

int migrations_run(StoreDb *d, int from, int to) {
    char pragma[64];

    for (int i = from; i < to; i++) {
        int r = store_db_exec(d, steps[i]);
        if (r < 0)
            return r;
    }
    snprintf(pragma, sizeof(pragma), "PRAGMA user_version=%d", to);
    return store_db_exec(d, pragma);
}
