#include <errno.h>
#include <uthash.h>

#include "common/clock.h"
#include "common/log.h"
#include "daemon/store/store-private.h"
#include "daemon/store/store-rows.h"
#include "daemon/store/store-statements.h"

/* What a daemon finds when it starts: on the loop, with the writer's connection. There may be a
 * hundred thousand tasks, and everybody waits for them. */

/* ---- environments, each looked up once ---- */

typedef struct LoadedEnv {
    int64_t id;
    EnvBlock *block;
    UT_hash_handle hh;
} LoadedEnv;

static void loaded_envs_done(LoadedEnv **envs) {
    LoadedEnv *e, *next;

    HASH_ITER (hh, *envs, e, next) {
        HASH_DEL(*envs, e);
        env_block_unref(e->block);
        free(e);
    }
}

static int read_env(Store *s, EnvTable *envs, int64_t id, EnvBlock **ret) {
    sqlite3_stmt *row;
    int r = store_statement(&s->write_db, STATEMENT_READ_ENV, &row);

    if (r < 0)
        return r;
    (void)sqlite3_bind_int64(row, 1, id);
    r = store_db_step(&s->write_db, row);
    if (r > 0)
        *ret = store_env_intern(envs, sqlite3_column_blob(row, 0),
                                (size_t)sqlite3_column_bytes(row, 0));
    (void)sqlite3_reset(row);
    return r <= 0 ? (r < 0 ? r : -EBADMSG) : *ret ? 0 : -ENOMEM;
}

static int load_env(Store *s, EnvTable *envs, int64_t id, LoadedEnv **loaded, EnvBlock **ret) {
    LoadedEnv *e;

    HASH_FIND(hh, *loaded, &id, sizeof(id), e);
    if (!e) {
        EnvBlock *block = NULL;
        int r = read_env(s, envs, id, &block);
        if (r < 0)
            return r;
        e = malloc(sizeof(LoadedEnv));
        if (!e) {
            env_block_unref(block);
            return -ENOMEM;
        }
        *e = (LoadedEnv){.id = id, .block = block};
        HASH_ADD(hh, *loaded, id, sizeof(id), e);
    }
    *ret = env_block_ref(e->block);
    return 0;
}

/* ---- tasks ---- */

/* What is to be run needs all of its request. */
static int end_unreadable(Store *s, uint64_t id) {
    _cleanup_statement_ sqlite3_stmt *statement = NULL;
    int r = store_db_prepare(
        &s->write_db,
        "UPDATE task SET state = 'interrupted', reason = '', pid = 0,"
        " finished_at = max(created_at, started_at, ?2),"
        " message = 'Its request could not be read from the database' WHERE id = ?1",
        &statement);

    if (r < 0)
        return r;
    log_full(LOG_ERR, id, "The request of the task cannot be read from %s: it is interrupted",
             s->path);
    (void)store_bind_u64(statement, 1, id);
    (void)store_bind_u64(statement, 2, clock_usec(CLOCK_REALTIME));
    return store_db_run(&s->write_db, statement);
}

static int load_task(Store *s, EnvTable *envs, sqlite3_stmt *row, LoadedEnv **loaded, Task **ret) {
    _cleanup_(task_freep) Task *t = NULL;
    bool whole;
    int64_t env;
    int r = store_row_read(&s->write_db, row, &t, &env, &whole);

    if (r < 0)
        return r;
    if (whole && env > 0)
        r = load_env(s, envs, env, loaded, &t->spec->env);
    if (!whole || r == -EBADMSG)
        return end_unreadable(s, t->id);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(t);
    return 0;
}

int store_load_active(Store *s, EnvTable *envs, int (*func)(void *userdata, Task *task),
                      void *userdata) {
    _cleanup_statement_ sqlite3_stmt *row = NULL;
    _cleanup_(loaded_envs_done) LoadedEnv *loaded = NULL;
    int r = store_db_prepare(&s->write_db,
                             "SELECT " STORE_ROW_COLUMNS " FROM " STORE_ROW_TABLES
                             " WHERE finished_at = 0 ORDER BY task.id",
                             &row);

    while (r >= 0 && (r = store_db_step(&s->write_db, row)) > 0) {
        Task *t = NULL;
        r = load_task(s, envs, row, &loaded, &t);
        if (r >= 0 && t)
            r = func(userdata, t);
    }
    /* Tasks that wait may be all that the database has: most of these pages nobody reads again. */
    (void)sqlite3_db_release_memory(s->write_db.db);
    return MIN(r, 0);
}

int store_final_state(Store *s, uint64_t id, TaskState *ret) {
    sqlite3_stmt *row;
    int r = store_statement(&s->write_db, STATEMENT_READ_END, &row);

    if (r < 0)
        return r;
    (void)store_bind_u64(row, 1, id);
    r = store_db_step(&s->write_db, row);
    TaskState state =
        r > 0 ? task_state_from_string(store_column_text(row, 0)) : _TASK_STATE_INVALID;
    (void)sqlite3_reset(row);
    if (r <= 0)
        return r < 0 ? r : -ENOENT;
    if (!task_state_is_final(state))
        return -EBADMSG;
    *ret = state;
    return 0;
}
