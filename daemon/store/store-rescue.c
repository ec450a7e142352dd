#include "daemon/store/store-rescue.h"

#include <errno.h>
#include <gcrypt.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/log.h"
#include "daemon/store/migrations.h"

/* ---- rows ---- */

typedef struct Table {
    const char *name, *key;
    bool (*accepts)(sqlite3_stmt *row); /* NULL = all */
} Table;

#define HASH_SIZE 32

/* An environment that is not what it was when it was written is lost. */
static bool env_is_whole(sqlite3_stmt *row) {
    unsigned char hash[HASH_SIZE];
    const void *known = sqlite3_column_blob(row, 1), *block = sqlite3_column_blob(row, 2);

    if (sqlite3_column_bytes(row, 1) != HASH_SIZE || !block)
        return false;
    gcry_md_hash_buffer(GCRY_MD_SHA256, hash, block, (size_t)sqlite3_column_bytes(row, 2));
    return memcmp(hash, known, HASH_SIZE) == 0;
}

static const Table tables[] = {
    {"task", "id", NULL},           {"request", "task_id", NULL}, {"result", "task_id", NULL},
    {"env", "id", env_is_whole},    {"attempt", "task_id", NULL}, {"grp", "name", NULL},
    {"resource", "name", NULL},     {"meta", "key", NULL},        {"backend", "name", NULL},
    {"operation", "task_id", NULL},
};

/* INSERT with as many values as the table of the damaged one has columns. What the new schema does
 * not take, because the row is not what it was, is left out. */
static int prepare_insert(StoreDb *to, const Table *table, int columns, sqlite3_stmt **ret) {
    char sql[512];
    int n = snprintf(sql, sizeof(sql), "INSERT OR IGNORE INTO %s VALUES (?", table->name);

    for (int i = 1; i < columns && n < (int)sizeof(sql); i++)
        n += snprintf(sql + n, sizeof(sql) - (size_t)n, ", ?");
    if (n + 2 > (int)sizeof(sql))
        return -E2BIG;
    strcpy(sql + n, ")");
    return store_db_prepare(to, sql, ret);
}

static int copy_row(StoreDb *to, sqlite3_stmt *insert, sqlite3_stmt *row) {
    for (int i = 0; i < sqlite3_column_count(row); i++)
        (void)sqlite3_bind_value(insert, i + 1, sqlite3_column_value(row, i));
    return store_db_run(to, insert);
}

/* Copies the rows until the end or the first that cannot be read: all, or with low > 0 those from
 * that key on. *last: the key of the last one that could, 0 where it is a text. 1 when the end was
 * reached, 0 when not, -errno of the new one. */
static int copy_rows(StoreDb *to, StoreDb *from, const Table *table, bool down, int64_t low,
                     int64_t *last) {
    _cleanup_statement_ sqlite3_stmt *row = NULL, *insert = NULL;
    char above[64] = "", sql[256];
    int r;

    /* Not by an index: the table is what there is. */
    if (low > 0)
        snprintf(above, sizeof(above), "WHERE %s >= %" PRIi64, table->key, low);
    snprintf(sql, sizeof(sql), "SELECT * FROM %s NOT INDEXED %s ORDER BY %s %s", table->name, above,
             table->key, down ? "DESC" : "ASC");
    if (store_db_prepare(from, sql, &row) < 0)
        return 0;
    r = prepare_insert(to, table, sqlite3_column_count(row), &insert);
    int more = 0;
    while (r >= 0 && (more = store_db_step(from, row)) > 0) {
        *last = sqlite3_column_int64(row, 0);
        if (!table->accepts || table->accepts(row))
            r = copy_row(to, insert, row);
    }
    return r < 0 ? r : more == 0;
}

/* Keys between which rows may be lost. */
typedef struct Gap {
    int64_t low, high;
} Gap;

/* From below up to what is damaged, then from above down to it. */
static int copy_table(StoreDb *to, StoreDb *from, const Table *table, Gap *ret) {
    Gap gap = {0, INT64_MAX};
    int r = copy_rows(to, from, table, false, 0, &gap.low);

    if (r == 0)
        r = MIN(copy_rows(to, from, table, true, gap.low, &gap.high), 0);
    else
        gap.high = gap.low; /* nothing is */
    if (r >= 0)
        *ret = gap;
    return MIN(r, 0);
}

/* ---- what the rows say together ---- */

#define STATES_ACTIVE "'waiting', 'queued', 'starting', 'running', 'paused', 'cancelling'"
#define STATES_FINAL "'succeeded', 'failed', 'cancelled', 'timed-out', 'interrupted', 'skipped'"

static const char *const repairs[] = {
    "DELETE FROM task WHERE id <= 0 OR CASE WHEN finished_at > 0"
    " THEN state NOT IN (" STATES_FINAL ") ELSE state NOT IN (" STATES_ACTIVE ") END",
    "UPDATE task SET env_id = NULL"
    " WHERE finished_at > 0 AND env_id NOT IN (SELECT id FROM env)",
    "UPDATE task SET has_result = 0"
    " WHERE finished_at > 0 AND has_result AND id NOT IN (SELECT task_id FROM result)",
    "DELETE FROM request WHERE task_id NOT IN (SELECT id FROM task)",
    "DELETE FROM attempt WHERE task_id NOT IN (SELECT id FROM task)",
    "DELETE FROM operation WHERE task_id NOT IN (SELECT id FROM task WHERE finished_at = 0)",
    "DELETE FROM result WHERE task_id NOT IN (SELECT id FROM task)",
    "DELETE FROM env WHERE id NOT IN (SELECT env_id FROM task WHERE env_id IS NOT NULL)",
};

/* What is to be run needs all of its request. NULL is the environment of a task that has none, and
 * not in an empty table. */
static int interrupt_unreadable(StoreDb *to) {
    _cleanup_statement_ sqlite3_stmt *s = NULL;
    int r = store_db_prepare(
        to,
        "UPDATE task SET state = 'interrupted', reason = '', pid = 0, env_id = NULL,"
        " finished_at = max(created_at, started_at, ?1),"
        " message = 'Its request could not be read from the damaged database'"
        " WHERE finished_at = 0 AND (id NOT IN (SELECT task_id FROM request)"
        " OR (env_id IS NOT NULL AND env_id NOT IN (SELECT id FROM env)))",
        &s);

    if (r < 0)
        return r;
    (void)store_bind_u64(s, 1, clock_usec(CLOCK_REALTIME));
    return store_db_run(to, s);
}

#define MISSES(list)                                                                               \
    "EXISTS (SELECT 1 FROM json_each(request.json, '$.\"" list "\"') AS needed"                    \
    " WHERE CAST(value AS INTEGER) > ?1 AND CAST(value AS INTEGER) < ?2"                           \
    " AND CAST(value AS INTEGER) NOT IN (SELECT id FROM task))"

/* A task that is not there has ended as those that wait for it need it, and was removed since: but
 * nobody knows that of one that is lost. */
static int interrupt_dependents(StoreDb *to, const Gap *tasks) {
    _cleanup_statement_ sqlite3_stmt *s = NULL;
    int r = store_db_prepare(
        to,
        "UPDATE task SET state = 'interrupted', reason = '',"
        " finished_at = max(created_at, started_at, ?3),"
        " message = 'How a task that it was to come after has ended is lost with the damaged "
        "database'"
        " WHERE finished_at = 0 AND state = 'waiting' AND id IN"
        " (SELECT task_id FROM request WHERE CASE WHEN json_valid(json) THEN " MISSES(
            "after") " OR " MISSES("after-any") " OR " MISSES("after-failed") " END)",
        &s);

    if (r < 0)
        return r;
    (void)sqlite3_bind_int64(s, 1, tasks->low);
    (void)sqlite3_bind_int64(s, 2, tasks->high);
    (void)store_bind_u64(s, 3, clock_usec(CLOCK_REALTIME));
    return store_db_run(to, s);
}

/* sqlite_sequence cannot do with less than the highest id of the table. */
static int raise_sequence(StoreDb *to, uint64_t id_above) {
    char sql[256];

    snprintf(sql, sizeof(sql),
             "DELETE FROM sqlite_sequence WHERE name = 'task';"
             "INSERT INTO sqlite_sequence VALUES ('task',"
             " max(%" PRIu64 ", coalesce((SELECT max(id) FROM task), 0)))",
             id_above);
    return store_db_exec(to, sql);
}

/* ---- all of it ---- */

/* *ret: ids of tasks that may be lost. */
static int copy_all(StoreDb *to, StoreDb *from, Gap *ret) {
    Gap gaps[ELEMENTSOF(tables)] = {};
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ELEMENTSOF(tables); i++)
        r = copy_table(to, from, &tables[i], &gaps[i]);
    *ret = gaps[0];
    return r;
}

static int repair(StoreDb *to, const Gap *tasks) {
    int r = interrupt_unreadable(to);

    if (r >= 0)
        r = interrupt_dependents(to, tasks);
    for (size_t i = 0; r >= 0 && i < ELEMENTSOF(repairs); i++)
        r = store_db_exec(to, repairs[i]);
    return r;
}

/* The version by which it was written, if that can be told. */
static int version_of(StoreDb *from) {
    int64_t version = 0;

    if (store_db_number(from, "PRAGMA user_version", &version) < 0 || version < 1 ||
        version > migrations_version())
        return migrations_version();
    return (int)version;
}

int store_rescue(StoreDb *to, const char *damaged, uint64_t id_above) {
    _cleanup_store_db_ StoreDb from = {};
    int64_t sequence = 0;
    Gap tasks = {};
    int r, version;

    /* What cannot even be opened gives nothing. */
    bool readable = damaged && store_db_open(&from, damaged, STORE_DB_RESCUE) >= 0;
    version = readable ? version_of(&from) : migrations_version();
    r = migrations_run(to, 0, version);
    if (r >= 0 && readable)
        r = copy_all(to, &from, &tasks);
    if (r >= 0)
        r = migrations_run(to, version, migrations_version());
    if (r >= 0)
        r = repair(to, &tasks);
    if (readable)
        (void)store_db_number(&from, "SELECT seq FROM sqlite_sequence WHERE name = 'task'",
                              &sequence);
    if (sequence > 0)
        id_above = MAX(id_above, (uint64_t)sequence);
    return r < 0 ? r : raise_sequence(to, id_above);
}
