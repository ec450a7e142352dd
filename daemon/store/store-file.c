#include "daemon/store/store-file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/fd-io.h"
#include "common/log.h"
#include "daemon/store/migrations.h"
#include "daemon/store/store-rescue.h"
#include "daemon/store/store-statements.h"

/* ---- names ---- */

/* What lies beside the database and belongs to it. */
static const char *const suffixes[] = {"-wal", "-shm", "-journal"};

static char *beside(const char *path, const char *suffix) {
    char *name;
    return asprintf(&name, "%s%s", path, suffix) < 0 ? NULL : name;
}

static bool exists(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0;
}

static bool exists_beside(const char *path, const char *suffix) {
    _cleanup_free_ char *name = beside(path, suffix);
    return name && exists(name);
}

static int remove_database(const char *path) {
    if (unlink(path) < 0 && errno != ENOENT)
        return -errno;
    for (size_t i = 0; i < ELEMENTSOF(suffixes); i++) {
        _cleanup_free_ char *name = beside(path, suffixes[i]);
        if (!name)
            return -ENOMEM;
        if (unlink(name) < 0 && errno != ENOENT)
            return -errno;
    }
    return 0;
}

/* The names in the folder are on disk after it. */
static int sync_folder(const char *path) {
    _cleanup_free_ char *copy = strdup(path);
    _cleanup_close_ int fd =
        copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -EBADF;

    return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* ---- moving aside ---- */

/* A name that nothing has yet. NULL when memory is short. */
static char *damaged_name(const char *path) {
    time_t now = time(NULL);
    char stamp[32];
    struct tm tm;

    strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
    for (unsigned i = 1;; i++) {
        char number[16] = "";
        char *name;
        if (i > 1)
            snprintf(number, sizeof(number), "-%u", i);
        if (asprintf(&name, "%s.damaged-%s%s", path, stamp, number) < 0)
            return NULL;
        if (!exists(name) && !exists_beside(name, "-wal"))
            return name;
        free(name);
    }
}

/* The database itself goes first: without it, what is left beside it belongs to nothing, while the
 * other way round a database would have lost what its WAL says. *ret_damaged is NULL when there was
 * nothing. */
static int move_aside(const char *path, char **ret_damaged) {
    _cleanup_free_ char *damaged = damaged_name(path);
    bool any = false;

    if (!damaged)
        return -ENOMEM;
    if (rename(path, damaged) >= 0)
        any = true;
    else if (errno != ENOENT)
        return -errno;
    for (size_t i = 0; i < ELEMENTSOF(suffixes); i++) {
        _cleanup_free_ char *from = beside(path, suffixes[i]), *to = beside(damaged, suffixes[i]);
        if (!from || !to)
            return -ENOMEM;
        if (rename(from, to) >= 0)
            any = true;
        else if (errno != ENOENT)
            return -errno;
    }
    *ret_damaged = any ? TAKE_PTR(damaged) : NULL;
    return 0;
}

/* ---- a new one ---- */

static int create_file(const char *path) {
    int r = remove_database(path);

    if (r < 0)
        return r;
    _cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : 0;
}

/* Everything in one transaction: the file is empty or whole. */
static int build(const char *path, const char *damaged, uint64_t id_above) {
    _cleanup_store_db_ StoreDb d = {};
    int r = create_file(path);

    if (r >= 0)
        r = store_db_open(&d, path, STORE_DB_BUILD);
    if (r >= 0)
        r = store_db_begin(&d);
    if (r >= 0)
        r = store_rescue(&d, damaged, id_above);
    return r < 0 ? r : store_db_commit(&d);
}

int store_file_replace(const char *path, uint64_t id_above, char **ret_damaged) {
    _cleanup_free_ char *fresh = beside(path, ".new"), *damaged = NULL;
    int r = fresh ? build(fresh, exists(path) ? path : NULL, id_above) : -ENOMEM;

    if (r >= 0)
        r = move_aside(path, &damaged);
    if (r < 0) {
        if (fresh && exists(path))
            (void)remove_database(fresh);
        return r;
    }
    /* Should this be cut short, the next start finds no database but this one, see resume(). */
    if (rename(fresh, path) < 0)
        return -errno;
    r = sync_folder(path);
    if (r < 0)
        return r;
    (void)malloc_trim(0); /* a large cache has come and gone */
    *ret_damaged = TAKE_PTR(damaged);
    return 0;
}

/* ---- the header ---- */

#define HEADER_SIZE 100
#define HEADER_VERSION 60 /* user_version, big-endian */

static int read_header(const char *path, int *ret_version) {
    unsigned char header[HEADER_SIZE];
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : pread(fd, header, sizeof(header), 0);

    if (n < 0)
        return -errno;
    if (n < HEADER_SIZE || memcmp(header, "SQLite format 3", 16) != 0)
        return -EBADMSG;
    const unsigned char *v = header + HEADER_VERSION;
    *ret_version = (int)((uint32_t)v[0] << 24 | (uint32_t)v[1] << 16 | (uint32_t)v[2] << 8 | v[3]);
    return 0;
}

/* A start that was cut short between moving a damaged database aside and putting the new one in its
 * place. */
static int resume(const char *path, char **ret_damaged) {
    _cleanup_free_ char *fresh = beside(path, ".new");
    int version = 0, r;

    if (!fresh)
        return -ENOMEM;
    if (exists(path) || exists_beside(fresh, "-journal") || read_header(fresh, &version) < 0 ||
        version == 0)
        return 0;
    r = move_aside(path, ret_damaged);
    if (r < 0)
        return r;
    return rename(fresh, path) < 0 ? -errno : sync_folder(path);
}

/* ---- checks ---- */

int store_file_id_max(StoreDb *d, uint64_t *ret) {
    int64_t id = 0;
    int r = store_db_number(
        d,
        "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'task'), 0),"
        " coalesce((SELECT max(id) FROM task), 0))",
        &id);

    if (r < 0)
        return r;
    *ret = (uint64_t)MAX(id, (int64_t)0);
    return 0;
}

/* What a start asks. Rows, requests and environments of active tasks are read to their ends. */
static const char *const start_queries[] = {
    "SELECT count(*) FROM meta",
    "SELECT sum(tasks) FROM ended_all",
    "SELECT count(*) FROM (SELECT max(finished_at) FROM task WHERE finished_at > 0)",
    "SELECT total(n_attempts + instr(json, char(1)))"
    " FROM task LEFT JOIN request ON request.task_id = task.id WHERE finished_at = 0",
    "SELECT sum(instr(block, x'01')) FROM env"
    " WHERE id IN (SELECT env_id FROM task WHERE finished_at = 0)",
};

/* 0, -EBADMSG, or another error of reading. No full check: that would take too long for a large
 * history. */
static int check_contents(StoreDb *d) {
    sqlite3_stmt *s;
    int64_t number;
    uint64_t id;
    int r = store_file_id_max(d, &id);

    for (size_t i = 0; r >= 0 && i < ELEMENTSOF(start_queries); i++)
        r = store_db_number(d, start_queries[i], &number);
    for (unsigned i = 0; r >= 0 && i < _STATEMENT_MAX; i++)
        r = store_statement(d, (StoreStatement)i, &s);
    return r == -EINVAL ? -EBADMSG : r; /* not our tables */
}

static int migrate(StoreDb *d, int version) {
    int r;

    if (version < 1)
        return -EBADMSG; /* a database of something else: ours are never without a version */
    if (version == migrations_version())
        return 0;
    r = store_db_begin(d);
    if (r >= 0)
        r = migrations_run(d, version, migrations_version());
    if (r >= 0)
        r = store_db_commit(d);
    if (r < 0)
        store_db_rollback(d);
    return r == -EINVAL || r == -EEXIST ? -EBADMSG : r;
}

static int refuse_newer(const char *path, int version, Error *error) {
    return error_set(error, ERROR_STORAGE,
                     "%s was written by a newer longrund (its schema has version %d, this program "
                     "knows %d): install that one, or give this one a folder of its own "
                     "(--state-dir). Nothing in it was changed",
                     path, version, migrations_version());
}

/* ---- opening ---- */

static int open_checked(StoreDb *d, const char *path, Error *error) {
    _cleanup_store_db_ StoreDb opened = {};
    int64_t version = 0;
    int header_version, r = read_header(path, &header_version);

    if (r < 0)
        return r;
    /* Before SQLite looks at it, since that may write the WAL back. */
    if (header_version > migrations_version())
        return refuse_newer(path, header_version, error);
    r = store_db_open(&opened, path, STORE_DB_WRITE);
    if (r >= 0)
        r = store_db_number(&opened, "PRAGMA user_version", &version);
    if (r < 0)
        return r;
    if (version > migrations_version())
        return refuse_newer(path, (int)version, error);
    r = migrate(&opened, (int)version);
    if (r >= 0)
        r = check_contents(&opened);
    if (r < 0)
        return r;
    *d = opened;
    opened = (StoreDb){};
    return 0;
}

static int explain(const char *path, int r, Error *error) {
    switch (r) {
    case -ENOSPC:
        return error_set(error, ERROR_STORAGE,
                         "Cannot open %s: its disk is full. Make room there, then start again",
                         path);
    case -EROFS:
    case -EACCES:
    case -EPERM:
        return error_set(error, ERROR_STORAGE,
                         "Cannot write to %s: %s. Make it and its folder writable, or give a "
                         "folder that is (--state-dir)",
                         path, strerror(-r));
    case -EBUSY:
        return error_set(error, ERROR_STORAGE,
                         "%s is held by another program: end that one, then start again", path);
    default:
        return error_set(error, ERROR_STORAGE, "Cannot open %s: %s", path, strerror(-r));
    }
}

int store_file_open(StoreDb *d, const char *path, char **ret_damaged, Error *error) {
    _cleanup_free_ char *damaged = NULL;
    int r = resume(path, &damaged);

    if (r >= 0 && !exists(path))
        r = store_file_replace(path, 0, &damaged);
    if (r >= 0)
        r = open_checked(d, path, error);
    if (r == -EBADMSG) {
        free(TAKE_PTR(damaged));
        r = store_file_replace(path, 0, &damaged);
        if (r >= 0)
            r = open_checked(d, path, error);
    }
    if (r < 0)
        return r == -EREMOTE ? r : explain(path, r, error);
    *ret_damaged = TAKE_PTR(damaged);
    return 0;
}
