#include "daemon/store/store.h"

#include <errno.h>
#include <gcrypt.h>

#include "common/log.h"
#include "daemon/store/store-batch.h"
#include "daemon/store/store-file.h"
#include "daemon/store/store-read.h"
#include "daemon/store/store-write.h"

/* ---- life ---- */

DEFINE_CLEANUP(Store *, store_free)

/* Before the first thread may want them. SQLite: each connection belongs to one thread, and nobody
 * asks for its count of memory, so there is no need for those locks; refused when it is in use
 * already, which does no harm. */
static void set_up_libraries(void) {
    (void)sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P))
        return;
    gcry_check_version(NULL);
    gcry_control(GCRYCTL_DISABLE_SECMEM);
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED);
}

static int start_threads(Store *s, sd_event *event) {
    int r = store_thread_new(&s->writer, event, "longrun-write", store_write, s);

    return r < 0 ? r : store_thread_new(&s->reader, event, "longrun-read", store_read, s);
}

int store_open(Store **ret, sd_event *event, const char *dir, char **ret_damaged, Error *error) {
    _cleanup_(store_freep) Store *s = calloc(1, sizeof(Store));
    _cleanup_free_ char *damaged = NULL;
    uint64_t id_max = 0;
    int r;

    if (!s || asprintf(&s->path, "%s/" STORE_FILE, dir) < 0)
        return error_set(error, ERROR_STORAGE, "Out of memory");
    set_up_libraries();
    r = store_file_open(&s->write_db, s->path, &damaged, error);
    if (r < 0)
        return r;
    r = store_file_id_max(&s->write_db, &id_max);
    atomic_init(&s->id_max, id_max);
    if (r >= 0)
        r = start_threads(s, event);
    if (r < 0)
        return error_set(error, ERROR_STORAGE, "Cannot use %s: %s", s->path, strerror(-r));
    *ret_damaged = TAKE_PTR(damaged);
    *ret = TAKE_PTR(s);
    return 0;
}

Store *store_free(Store *s) {
    if (!s)
        return NULL;
    s->reader = store_thread_free(s->reader);
    s->writer = store_thread_free(s->writer);
    store_db_close(&s->read_db, false);
    store_db_close(&s->write_db, true);
    free(s->damaged_path);
    free(s->session);
    free(s->path);
    free(s);
    return NULL;
}

/* ---- at the start ---- */

uint64_t store_next_id(const Store *s) {
    return atomic_load(&s->id_max) + 1;
}

char *store_session(Store *s) {
    _cleanup_statement_ sqlite3_stmt *statement = NULL;
    int r =
        store_db_prepare(&s->write_db, "SELECT value FROM meta WHERE key = 'session'", &statement);

    if (r >= 0)
        r = store_db_step(&s->write_db, statement);
    return strdup(r > 0 ? store_column_text(statement, 0) : "");
}

int store_set_session(Store *s, const char *session) {
    char *copy = strdup(session);

    if (!copy)
        return -ENOMEM;
    free(s->session);
    s->session = copy;
    s->meta_written = false;
    return 0;
}

/* ---- commits ---- */

static void commit_free(StoreJob *job) {
    StoreCommit *c = CONTAINER_OF(job, StoreCommit, job);

    free(c->session);
    free(c->damaged_path);
    free(c);
}

static void commit_finish(StoreJob *job) {
    StoreCommit *c = CONTAINER_OF(job, StoreCommit, job);
    Store *s = c->store;

    if (c->replaced) {
        s->epoch = c->new_epoch;
        s->meta_written = false;
        free(s->damaged_path);
        s->damaged_path = TAKE_PTR(c->damaged_path);
    }
    if (c->error == 0 && c->has_meta && streq(strempty(c->session), strempty(s->session)))
        s->meta_written = true;
    c->func(c->userdata, c->error);
}

int store_commit(Store *s, StoreBatch *b, StoreCommitFunc func, void *userdata) {
    StoreCommit *c = calloc(1, sizeof(StoreCommit));

    if (!c)
        return -ENOMEM;
    if (b->id_max > atomic_load(&s->id_max))
        atomic_store(&s->id_max, b->id_max);
    *c = (StoreCommit){
        .job = {.finish = commit_finish, .free = commit_free},
        .store = s,
        .batch = b,
        .epoch = s->epoch,
        .func = func,
        .userdata = userdata,
    };
    c->has_meta = !s->meta_written;
    c->id_max = s->id_max;
    if (c->has_meta && s->session) {
        c->session = strdup(s->session);
        if (!c->session) {
            free(c);
            return -ENOMEM;
        }
    }
    store_thread_submit(s->writer, &c->job);
    return 0;
}

const char *store_damaged_path(const Store *s) {
    return s->damaged_path;
}

size_t store_reads(const Store *s) {
    return s->reads;
}
