#include "daemon/store/store-write.h"

#include <errno.h>

#include "common/log.h"
#include "daemon/store/store-attempts.h"
#include "daemon/store/store-backends.h"
#include "daemon/store/store-file.h"
#include "daemon/store/store-groups.h"
#include "daemon/store/store-rows.h"
#include "daemon/store/store-statements.h"

/* Commits that are merged into one transaction, at most. */
#define GROUP_MAX 256

/* ---- one batch ---- */

static int put_session(StoreDb *d, const char *session) {
    sqlite3_stmt *s;
    int r = store_statement(d, STATEMENT_PUT_META, &s);

    if (r < 0)
        return r;
    (void)store_bind_text(s, 1, "session");
    (void)store_bind_text(s, 2, session);
    return store_db_run(d, s);
}

/* A new database in the place of a damaged one may not have heard of all ids. */
static int put_meta(StoreDb *d, const StoreCommit *c) {
    int r = c->session ? put_session(d, c->session) : 0;

    return r < 0 ? r : store_statement_run(d, STATEMENT_RAISE_ID, c->id_max, NULL);
}

static int write_op(StoreDb *d, const StoreBatch *b, const StoreOp *op, StoreEnvCache *envs) {
    switch (op->type) {
    case STORE_OP_PUT_TASK:
        return store_row_put(d, b, op, envs);
    case STORE_OP_PUT_RESULT:
        return store_statement_run(d, STATEMENT_PUT_RESULT, op->id, op->result);
    case STORE_OP_REMOVE_RESULT:
        return store_statement_run(d, STATEMENT_DELETE_RESULT, op->id, NULL);
    case STORE_OP_REMOVE_TASK:
        *envs = (StoreEnvCache){}; /* it may go with the task */
        return store_row_remove(d, op->id);
    case STORE_OP_PUT_ATTEMPT:
        return store_attempt_put(d, b, op);
    case STORE_OP_PUT_GROUP:
        return store_group_put(d, b, op);
    case STORE_OP_REMOVE_GROUP:
        return store_group_remove(d, b, op);
    case STORE_OP_PUT_RESOURCE:
        return store_resource_put(d, b, op);
    case STORE_OP_PUT_BACKEND:
        return store_backend_put(d, b, op);
    case STORE_OP_REMOVE_BACKEND:
        return store_backend_remove(d, b, op);
    case STORE_OP_PUT_OPERATION:
        return store_operation_put(d, b, op);
    }
    return -EINVAL;
}

static int write_commit(StoreDb *d, const StoreCommit *c, StoreEnvCache *envs) {
    int r = c->has_meta ? put_meta(d, c) : 0;

    for (size_t i = 0; r >= 0 && i < c->batch->n_ops; i++)
        r = write_op(d, c->batch, &c->batch->ops[i], envs);
    return r;
}

/* ---- transactions ---- */

/* Somebody has deleted or replaced the file, and whatever would be written is lost. */
static bool is_gone(StoreDb *d) {
    int moved = 0;

    return sqlite3_file_control(d->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
           moved;
}

static int reopen(Store *s) {
    if (s->write_db.db)
        return is_gone(&s->write_db) ? -EBADMSG : 0;
    int r = store_db_open(&s->write_db, s->path, STORE_DB_WRITE);
    return r == -ENOENT ? -EBADMSG : r; /* deleted as well */
}

/* Rows, from which on most pages that are in memory are of what was just written: few of them are
 * needed again. */
#define LARGE_COMMIT 1000

/* All or none. */
static int write_group(Store *s, StoreCommit *const *commits, size_t n) {
    StoreEnvCache envs = {};
    int r = atomic_load(&s->damage_seen) ? -EBADMSG : reopen(s);
    size_t n_ops = 0;

    if (r >= 0)
        r = store_db_begin(&s->write_db);
    for (size_t i = 0; r >= 0 && i < n; i++) {
        r = write_commit(&s->write_db, commits[i], &envs);
        n_ops += commits[i]->batch->n_ops;
    }
    if (r >= 0)
        r = store_db_commit(&s->write_db);
    if (r >= 0) {
        if (n_ops >= LARGE_COMMIT)
            (void)sqlite3_db_release_memory(s->write_db.db);
        return 0;
    }
    /* The next one begins with a fresh connection, whatever state this error has left. */
    store_db_rollback(&s->write_db);
    store_db_close(&s->write_db, false);
    return r;
}

/* ---- damage ---- */

/* Puts a new database in the place of the damaged one. What was handed in before the loop knows of
 * it rests on rows that may be lost, and is refused. */
static void replace(Store *s, StoreCommit *c) {
    int r = store_file_replace(s->path, atomic_load(&s->id_max), &c->damaged_path);

    if (r < 0) {
        c->error =
            log_error_errno(r, "Cannot put a new database in the place of the damaged %s", s->path);
        return;
    }
    atomic_store(&s->damage_seen, false);
    atomic_fetch_add(&s->generation, 1);
    c->replaced = true;
    c->new_epoch = ++s->write_epoch;
}

static void write_alone(Store *s, StoreCommit *c) {
    c->error = c->epoch == s->write_epoch ? write_group(s, &c, 1) : -EBADMSG;
    if (c->error == -EBADMSG && c->epoch == s->write_epoch)
        replace(s, c);
}

/* ---- in the thread ---- */

void store_write(void *userdata, StoreThread *t, StoreJob *job) {
    StoreCommit *commits[GROUP_MAX];
    Store *s = userdata;
    bool fresh = true;
    size_t n = 0;

    do {
        commits[n] = CONTAINER_OF(job, StoreCommit, job);
        fresh = fresh && commits[n]->epoch == s->write_epoch;
    } while (++n < GROUP_MAX && (job = store_thread_take(t)));
    /* When one of them fails, each has to stand for itself. */
    if (n == 1 || !fresh || write_group(s, commits, n) < 0)
        for (size_t i = 0; i < n; i++)
            write_alone(s, commits[i]);
    for (size_t i = 0; i < n; i++)
        store_thread_done(t, &commits[i]->job);
}
