#pragma once

#include <sqlite3.h>

#include "common/cleanup.h"
#include "common/macro.h"

/* A connection to the database, used by one thread at a time, with the statements that it keeps. */

#define STORE_STATEMENTS_MAX 32

typedef struct StoreDb {
    sqlite3 *db; /* NULL = closed */
    sqlite3_stmt *statements[STORE_STATEMENTS_MAX];
} StoreDb;

typedef enum StoreDbMode {
    STORE_DB_WRITE,  /* WAL, every commit is on disk when it is over */
    STORE_DB_READ,   /* of what others have committed */
    STORE_DB_BUILD,  /* a file that nobody else knows of yet: no WAL, so that it can be renamed */
    STORE_DB_RESCUE, /* a damaged one, which stays as it is */
} StoreDbMode;

/* Of a result code of SQLite and, where there is one, the error of the system behind it: 0 or
 * -errno, see store.h. db may be NULL. */
int store_db_error(sqlite3 *db, int rc);

/* 0 or -errno; on failure nothing is left open. */
int store_db_open(StoreDb *d, const char *path, StoreDbMode mode);
/* clean: the WAL may be written back and removed when nobody else has the file open. */
void store_db_close(StoreDb *d, bool clean);
#define _cleanup_store_db_ _cleanup_(store_db_closep)
static inline void store_db_closep(StoreDb *d) {
    store_db_close(d, false);
}

int store_db_exec(StoreDb *d, const char *sql);
/* The first column of the first row; untouched when there is no row. */
int store_db_number(StoreDb *d, const char *sql, int64_t *ret);

/* A statement for the moment, to be finalized. */
int store_db_prepare(StoreDb *d, const char *sql, sqlite3_stmt **ret);
static inline void store_statement_finalizep(sqlite3_stmt **s) {
    sqlite3_finalize(*s);
}
#define _cleanup_statement_ _cleanup_(store_statement_finalizep)

/* The statement that is kept at the place; sql must always be the same for it. It is reset and has
 * nothing bound. */
int store_db_statement(StoreDb *d, size_t place, const char *sql, sqlite3_stmt **ret);

/* 1 with a row, 0 at the end, or -errno. */
int store_db_step(StoreDb *d, sqlite3_stmt *s);
/* Runs a statement that gives no rows, to its end, and resets it. */
int store_db_run(StoreDb *d, sqlite3_stmt *s);

int store_db_begin(StoreDb *d); /* a transaction that writes */
int store_db_commit(StoreDb *d);
void store_db_rollback(StoreDb *d); /* does nothing outside a transaction */

/* Text and numbers. Unsigned ones use all 64 bits of SQLite's signed ones. */
static inline int store_bind_text(sqlite3_stmt *s, int at, const char *text) {
    return sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC);
}

static inline int store_bind_u64(sqlite3_stmt *s, int at, uint64_t value) {
    return sqlite3_bind_int64(s, at, (int64_t)value);
}

static inline uint64_t store_column_u64(sqlite3_stmt *s, int at) {
    return (uint64_t)sqlite3_column_int64(s, at);
}

static inline const char *store_column_text(sqlite3_stmt *s, int at) {
    return strempty((const char *)sqlite3_column_text(s, at));
}
