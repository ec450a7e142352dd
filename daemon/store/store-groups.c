#include "daemon/store/store-groups.h"

#include <errno.h>

#include "common/log.h"
#include "daemon/store/request-json.h"
#include "daemon/store/store-private.h"
#include "daemon/store/store-statements.h"

DEFINE_CLEANUP(Group *, group_free)

/* ---- writing ---- */

int store_group_put(StoreDb *d, const StoreBatch *b, const StoreOp *op) {
    const StoreGroup *g = &op->group;
    sqlite3_stmt *s;
    int r = store_statement(d, STATEMENT_PUT_GROUP, &s);

    if (r < 0)
        return r;
    (void)store_bind_text(s, 1, store_batch_text(b, g->name));
    (void)sqlite3_bind_int64(s, 2, g->max_parallel);
    (void)sqlite3_bind_int64(s, 3, g->max_queued);
    (void)sqlite3_bind_int(s, 4, g->paused);
    (void)sqlite3_bind_int(s, 5, g->draining);
    (void)store_bind_u64(s, 6, g->turn);
    (void)sqlite3_bind_int64(s, 7, g->succeeded);
    (void)sqlite3_bind_int64(s, 8, g->failed);
    (void)store_bind_text(s, 9, store_batch_text(b, g->defaults));
    return store_db_run(d, s);
}

static int remove_named(StoreDb *d, StoreStatement statement, const char *name) {
    sqlite3_stmt *s;
    int r = store_statement(d, statement, &s);

    if (r < 0)
        return r;
    (void)store_bind_text(s, 1, name);
    return store_db_run(d, s);
}

int store_group_remove(StoreDb *d, const StoreBatch *b, const StoreOp *op) {
    return remove_named(d, STATEMENT_DELETE_GROUP, store_batch_text(b, op->group.name));
}

int store_resource_put(StoreDb *d, const StoreBatch *b, const StoreOp *op) {
    const char *name = store_batch_text(b, op->resource.name);
    sqlite3_stmt *s;

    if (op->resource.capacity == 0)
        return remove_named(d, STATEMENT_DELETE_RESOURCE, name);
    int r = store_statement(d, STATEMENT_PUT_RESOURCE, &s);
    if (r < 0)
        return r;
    (void)store_bind_text(s, 1, name);
    (void)sqlite3_bind_int64(s, 2, op->resource.capacity);
    return store_db_run(d, s);
}

/* ---- reading, on the loop ---- */

/* A group is of use without its defaults: what is started in it has those of all. */
static int read_defaults(const char *json, Group *g) {
    if (isempty(json))
        return 0;
    int r = request_defaults_from_json(&g->defaults, json);
    if (r != -EBADMSG)
        return r;
    log_error("The defaults of group \"%s\" cannot be read from the database: it has none now",
              g->name);
    return 0;
}

static int read_group(sqlite3_stmt *s, Group **ret) {
    _cleanup_(group_freep) Group *g = group_new(store_column_text(s, 0));

    if (!g)
        return -ENOMEM;
    g->max_parallel = (unsigned)sqlite3_column_int64(s, 1);
    g->max_queued = (unsigned)sqlite3_column_int64(s, 2);
    g->paused = sqlite3_column_int(s, 3);
    g->draining = sqlite3_column_int(s, 4);
    g->turn = store_column_u64(s, 5);
    g->succeeded = (unsigned)sqlite3_column_int64(s, 6);
    g->failed = (unsigned)sqlite3_column_int64(s, 7);
    int r = read_defaults(store_column_text(s, 8), g);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(g);
    return 0;
}

int store_load_groups(Store *s, int (*func)(void *userdata, Group *group), void *userdata) {
    _cleanup_statement_ sqlite3_stmt *row = NULL;
    Group *g;
    int r = store_db_prepare(&s->write_db,
                             "SELECT name, max_parallel, max_queued, paused, draining, turn,"
                             " succeeded, failed, defaults FROM grp",
                             &row);

    while (r >= 0 && (r = store_db_step(&s->write_db, row)) > 0) {
        r = read_group(row, &g);
        if (r >= 0)
            r = func(userdata, g);
    }
    return MIN(r, 0);
}

int store_load_resources(Store *s, int (*func)(void *userdata, const char *name, uint32_t capacity),
                         void *userdata) {
    _cleanup_statement_ sqlite3_stmt *row = NULL;
    int r = store_db_prepare(&s->write_db, "SELECT name, capacity FROM resource", &row);

    while (r >= 0 && (r = store_db_step(&s->write_db, row)) > 0)
        r = func(userdata, store_column_text(row, 0), (uint32_t)sqlite3_column_int64(row, 1));
    return MIN(r, 0);
}
