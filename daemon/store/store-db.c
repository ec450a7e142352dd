#include "daemon/store/store-db.h"

#include <errno.h>

/* Nobody else has business in the file; a backup or somebody's sqlite3 may hold it for a moment. */
#define BUSY_MSEC 2000

/* ---- errors ---- */

static int last_errno_of(sqlite3_file *file) {
    int error = 0;

    if (file && file->pMethods)
        (void)file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &error);
    return error;
}

/* What the system said where SQLite says no more than that it failed. Of a commit that failed it
 * knows no errno, but its files do. */
static int system_errno(sqlite3 *db) {
    sqlite3_file *wal = NULL, *file = NULL;
    int error = db ? sqlite3_system_errno(db) : 0;

    if (db && error == 0) {
        (void)sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
        (void)sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
        error = last_errno_of(wal) ?: last_errno_of(file);
    }
    return error;
}

static int error_of_system(sqlite3 *db) {
    int error = system_errno(db);

    switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return -ENOSPC;
    case EROFS:
    case EACCES:
    case EPERM:
    case ENOENT:
    case EMFILE:
    case ENFILE:
        return -error;
    default:
        return -EIO;
    }
}

int store_db_error(sqlite3 *db, int rc) {
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_IOERR:
        return rc == SQLITE_IOERR_NOMEM        ? -ENOMEM
               : rc == SQLITE_IOERR_CORRUPTFS  ? -EBADMSG
               : rc == SQLITE_IOERR_SHORT_READ ? -EBADMSG
                                               : error_of_system(db);
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
        return error_of_system(db);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EBADMSG;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_INTERRUPT:
        return -ECANCELED;
    case SQLITE_TOOBIG:
        return -E2BIG;
    case SQLITE_CONSTRAINT:
        return -EEXIST;
    default: /* a statement that the schema does not fit, or a mistake of ours */
        return -EINVAL;
    }
}

/* ---- life ---- */

/* Some of the WAL stays for reuse after a large commit. Sorts are small, and a full disk must not
 * stop them. */
#define PRAGMAS                                                                                    \
    "PRAGMA synchronous=FULL; PRAGMA secure_delete=FAST; PRAGMA mmap_size=0; PRAGMA "              \
    "temp_store=MEMORY;"                                                                           \
    "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"

static const char *const pragmas[] = {
    [STORE_DB_WRITE] = PRAGMAS "PRAGMA cache_size=-2048; PRAGMA journal_size_limit=16777216;"
                               "PRAGMA journal_mode=WAL;",
    [STORE_DB_READ] = PRAGMAS "PRAGMA cache_size=-1024;",
    [STORE_DB_BUILD] = PRAGMAS "PRAGMA cache_size=-32768; PRAGMA journal_mode=DELETE;",
    [STORE_DB_RESCUE] = PRAGMAS "PRAGMA cache_size=-1024;",
};

static int set_up(StoreDb *d, StoreDbMode mode) {
    bool writes = mode == STORE_DB_WRITE || mode == STORE_DB_BUILD;

    (void)sqlite3_extended_result_codes(d->db, 1);
    (void)sqlite3_busy_timeout(d->db, BUSY_MSEC);
    /* Where rights are missing SQLite opens the file for reading and complains later. */
    if (writes && sqlite3_db_readonly(d->db, "main") == 1)
        return -EROFS;
    return store_db_exec(d, pragmas[mode]);
}

int store_db_open(StoreDb *d, const char *path, StoreDbMode mode) {
    bool writes = mode == STORE_DB_WRITE || mode == STORE_DB_BUILD;
    StoreDb opened = {};
    int r = sqlite3_open_v2(
        path, &opened.db,
        SQLITE_OPEN_NOMUTEX | (writes ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY), NULL);

    r = r == SQLITE_OK ? set_up(&opened, mode) : store_db_error(opened.db, r);
    if (r < 0) {
        store_db_close(&opened, false);
        return r;
    }
    *d = opened;
    return 0;
}

void store_db_close(StoreDb *d, bool clean) {
    for (size_t i = 0; i < STORE_STATEMENTS_MAX; i++)
        sqlite3_finalize(d->statements[i]);
    if (d->db && !clean)
        (void)sqlite3_db_config(d->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    (void)sqlite3_close(d->db);
    *d = (StoreDb){};
}

/* ---- statements ---- */

int store_db_exec(StoreDb *d, const char *sql) {
    return store_db_error(d->db, sqlite3_exec(d->db, sql, NULL, NULL, NULL));
}

int store_db_prepare(StoreDb *d, const char *sql, sqlite3_stmt **ret) {
    return store_db_error(d->db, sqlite3_prepare_v2(d->db, sql, -1, ret, NULL));
}

int store_db_number(StoreDb *d, const char *sql, int64_t *ret) {
    _cleanup_statement_ sqlite3_stmt *s = NULL;
    int r = store_db_prepare(d, sql, &s);

    if (r >= 0)
        r = store_db_step(d, s);
    if (r > 0)
        *ret = sqlite3_column_int64(s, 0);
    return MIN(r, 0);
}

int store_db_statement(StoreDb *d, size_t place, const char *sql, sqlite3_stmt **ret) {
    sqlite3_stmt **kept = &d->statements[place];

    if (*kept) {
        (void)sqlite3_reset(*kept);
        (void)sqlite3_clear_bindings(*kept);
    } else {
        int rc = sqlite3_prepare_v3(d->db, sql, -1, SQLITE_PREPARE_PERSISTENT, kept, NULL);
        if (rc != SQLITE_OK)
            return store_db_error(d->db, rc);
    }
    *ret = *kept;
    return 0;
}

int store_db_step(StoreDb *d, sqlite3_stmt *s) {
    int rc = sqlite3_step(s);

    return rc == SQLITE_ROW ? 1 : store_db_error(d->db, rc);
}

int store_db_run(StoreDb *d, sqlite3_stmt *s) {
    int rc = sqlite3_step(s);
    int r = store_db_error(d->db, rc);

    (void)sqlite3_reset(s);
    return r;
}

/* ---- transactions ---- */

int store_db_begin(StoreDb *d) {
    return store_db_exec(d, "BEGIN IMMEDIATE");
}

int store_db_commit(StoreDb *d) {
    return store_db_exec(d, "COMMIT");
}

void store_db_rollback(StoreDb *d) {
    if (d->db && !sqlite3_get_autocommit(d->db))
        (void)store_db_exec(d, "ROLLBACK");
}
