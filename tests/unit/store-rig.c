#include "tests/unit/store-rig.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "daemon/core/task-options.h"

sd_event *rig_event;
EnvTable *rig_envs;
Store *rig_store;
char *rig_damaged;

static RigAnswer answer;
static size_t answers;

/* ---- life ---- */

void rig_setup(void) {
    MUST(sd_event_new(&rig_event) >= 0);
    rig_envs = env_table_new();
    MUST(rig_envs);
}

static void forget_answer(void) {
    for (size_t i = 0; answer.tasks && i < answer.n; i++)
        task_free(answer.tasks[i]);
    free(answer.tasks);
    free(answer.ids);
    free(answer.json);
    answer = (RigAnswer){};
}

void rig_teardown(void) {
    forget_answer();
    rig_close();
    MUST(env_table_size(rig_envs) == 0); /* every block was given back */
    rig_envs = env_table_free(rig_envs);
    rig_event = sd_event_unref(rig_event);
    free(TAKE_PTR(rig_damaged));
}

void rig_open(void) {
    _cleanup_error_ Error error = {};

    free(TAKE_PTR(rig_damaged));
    int r = store_open(&rig_store, rig_event, unit_dir, &rig_damaged, &error);
    if (r < 0)
        ck_abort_msg("store_open: %s", error.message);
}

void rig_close(void) {
    rig_store = store_free(rig_store);
}

void rig_reopen(void) {
    rig_close();
    rig_open();
}

char *rig_open_refused(void) {
    Error error = {};
    char *damaged = NULL;

    ck_assert_int_eq(store_open(&rig_store, rig_event, unit_dir, &damaged, &error), -EREMOTE);
    ck_assert_int_eq(error.code, ERROR_STORAGE);
    ck_assert_ptr_null(rig_store);
    ck_assert_ptr_null(damaged);
    return error.message;
}

const char *rig_path(const char *suffix) {
    char name[128];

    snprintf(name, sizeof(name), STORE_FILE "%s", suffix);
    return unit_path(name);
}

Task *rig_ended(uint64_t id, TaskState state) {
    Task *t = unit_task_new(id);

    MUST(task_set_state(t, TASK_STARTING, 2000 + id) == 0);
    MUST(task_set_state(t, state, 5000 + id) == 0);
    return t;
}

/* ---- commits ---- */

static int commit_error;
static size_t commits;

void rig_wait(const size_t *number, size_t wanted) {
    while (*number < wanted)
        MUST(sd_event_run(rig_event, 20 * USEC_PER_SEC) > 0);
}

static void on_commit(void *userdata, int error) {
    commit_error = error;
    commits++;
}

int rig_commit(StoreBatch *b) {
    size_t before = commits;

    MUST(store_commit(rig_store, b, on_commit, NULL) == 0);
    rig_wait(&commits, before + 1);
    store_batch_free(b);
    return commit_error;
}

StoreBatch *rig_batch(Task *const *tasks, size_t n) {
    StoreBatch *b = store_batch_new();

    MUST(b);
    for (size_t i = 0; i < n; i++)
        MUST(store_batch_put_task(b, tasks[i], false) == 0);
    return b;
}

void rig_put_many(Task *const *tasks, size_t n) {
    ck_assert_int_eq(rig_commit(rig_batch(tasks, n)), 0);
    for (size_t i = 0; i < n; i++)
        tasks[i]->stored = true;
}

void rig_put(Task *t) {
    rig_put_many(&t, 1);
}

void rig_remove(uint64_t id) {
    StoreBatch *b = store_batch_new();

    MUST(b && store_batch_remove_task(b, id) == 0);
    ck_assert_int_eq(rig_commit(b), 0);
}

/* ---- answers ---- */

static void on_tasks(void *userdata, int error, Task **tasks, size_t n, uint64_t next) {
    answer.error = error;
    answer.n = n;
    answer.next = next;
    answer.tasks = calloc(n + 1, sizeof(Task *));
    for (size_t i = 0; i < n; i++)
        answer.tasks[i] = TAKE_PTR(tasks[i]);
    answers++;
}

static void on_ids(void *userdata, int error, const uint64_t *ids, size_t n) {
    answer.error = error;
    answer.n = n;
    answer.ids = calloc(n + 1, sizeof(uint64_t));
    for (size_t i = 0; i < n; i++)
        answer.ids[i] = ids[i];
    answers++;
}

static void on_counts(void *userdata, int error, const uint32_t counts[_TASK_STATE_MAX]) {
    answer.error = error;
    memcpy(answer.counts, counts, sizeof(answer.counts));
    answers++;
}

static void on_result(void *userdata, int error, const char *json) {
    answer.error = error;
    answer.json = json ? strdup(json) : NULL;
    answers++;
}

static const RigAnswer *wait_answer(int r) {
    size_t before = answers;

    ck_assert_int_eq(r, 0);
    MUST(store_reads(rig_store) > 0);
    rig_wait(&answers, before + 1);
    MUST(store_reads(rig_store) == 0);
    return &answer;
}

const RigAnswer *rig_read(const uint64_t *ids, size_t n) {
    forget_answer();
    return wait_answer(store_read_tasks(rig_store, rig_envs, ids, n, on_tasks, NULL));
}

Task *rig_read_one(uint64_t id) {
    const RigAnswer *a = rig_read(&id, 1);

    ck_assert_int_eq(a->error, 0);
    ck_assert_uint_eq(a->n, 1);
    return a->tasks[0];
}

const RigAnswer *rig_list(const TaskFilter *filter) {
    forget_answer();
    return wait_answer(store_list(rig_store, filter, on_tasks, NULL));
}

const RigAnswer *rig_count(const TaskFilter *filter) {
    forget_answer();
    return wait_answer(store_count(rig_store, filter, on_counts, NULL));
}

const RigAnswer *rig_match(const TaskFilter *filter) {
    forget_answer();
    return wait_answer(store_match_ids(rig_store, filter, on_ids, NULL));
}

const RigAnswer *rig_excess(StoreLimits limits) {
    forget_answer();
    return wait_answer(store_excess_ids(rig_store, &limits, on_ids, NULL));
}

const char *rig_result(uint64_t id) {
    forget_answer();
    ck_assert_int_eq(wait_answer(store_read_result(rig_store, id, on_result, NULL))->error, 0);
    return answer.json;
}

static int on_active(void *userdata, Task *task) {
    answer.tasks = reallocarray(answer.tasks, answer.n + 1, sizeof(Task *));
    answer.tasks[answer.n++] = task;
    return 0;
}

const RigAnswer *rig_load(void) {
    forget_answer();
    ck_assert_int_eq(store_load_active(rig_store, rig_envs, on_active, NULL), 0);
    return &answer;
}

/* ---- the file, from outside ---- */

int64_t rig_sql(const char *sql) {
    sqlite3 *db;
    sqlite3_stmt *s;

    MUST(sqlite3_open_v2(rig_path(""), &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK);
    /* Closing it would write the WAL back. */
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
        ck_abort_msg("%s: %s", sql, sqlite3_errmsg(db));
    int rc = sqlite3_step(s);
    int64_t number = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : -1;
    sqlite3_finalize(s);
    sqlite3_close(db);
    return number;
}

long rig_size(const char *path) {
    struct stat st;
    return stat(path, &st) < 0 ? -1 : (long)st.st_size;
}

static uint32_t big_endian(const char *data) {
    const unsigned char *b = (const unsigned char *)data;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* The frame that ends a transaction has the size of the database in its header; see the chapter on
 * the WAL of SQLite's file format. */
size_t rig_wal_commits(void) {
    size_t size, n = 0;
    _cleanup_free_ char *wal = unit_read(STORE_FILE "-wal", &size);
    uint32_t page = size >= 32 ? big_endian(wal + 8) : 0;

    for (size_t at = 32; page > 0 && at + 24 + page <= size; at += 24 + page)
        n += big_endian(wal + at + 4) > 0 && memcmp(wal + at + 8, wal + 16, 8) == 0;
    return n;
}

void rig_damage(const char *path, long offset, size_t size) {
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
    _cleanup_free_ char *junk = unit_repeat('\xa5', size);

    MUST(fd >= 0);
    MUST(pwrite(fd, junk, size, offset) == (ssize_t)size);
}

/* ---- comparing ---- */

static void assert_same_strings(char *const *a, char *const *b) {
    size_t i;

    for (i = 0; a && a[i]; i++) {
        ck_assert(b && b[i]);
        ck_assert_str_eq(a[i], b[i]);
    }
    ck_assert(!b || !b[i]);
}

static bool same_ids(const IdList *a, const IdList *b) {
    return id_list_length(a) == id_list_length(b) &&
           (!a || memcmp(a->ids, b->ids, a->n * sizeof(uint64_t)) == 0);
}

static bool same_codes(const CodeList *a, const CodeList *b) {
    return code_list_length(a) == code_list_length(b) &&
           (!a || memcmp(a->codes, b->codes, a->n * sizeof(int32_t)) == 0);
}

static bool same_tokens(const TokenList *a, const TokenList *b) {
    bool same = token_list_length(a) == token_list_length(b);

    for (size_t i = 0; same && i < token_list_length(a); i++)
        same = streq(a->claims[i].name, b->claims[i].name) &&
               a->claims[i].amount == b->claims[i].amount;
    return same;
}

static bool same_bytes(const Bytes *a, const Bytes *b) {
    return bytes_length(a) == bytes_length(b) && (!a || memcmp(a->data, b->data, a->size) == 0);
}

static bool is_same(const TaskOption *o, const void *x, const void *y) {
    switch (task_option_type(o)) {
    case TASK_OPTION_STRING:
        return streq(*(char *const *)x, *(char *const *)y);
    case TASK_OPTION_BOOL:
        return *(const bool *)x == *(const bool *)y;
    case TASK_OPTION_U32:
    case TASK_OPTION_I32:
        return *(const uint32_t *)x == *(const uint32_t *)y;
    case TASK_OPTION_U64:
        return *(const uint64_t *)x == *(const uint64_t *)y;
    case TASK_OPTION_IDS:
        return same_ids(*(IdList *const *)x, *(IdList *const *)y);
    case TASK_OPTION_CODES:
        return same_codes(*(CodeList *const *)x, *(CodeList *const *)y);
    case TASK_OPTION_TOKENS:
        return same_tokens(*(TokenList *const *)x, *(TokenList *const *)y);
    case TASK_OPTION_BYTES:
        return same_bytes(*(Bytes *const *)x, *(Bytes *const *)y);
    case TASK_OPTION_STRINGS:
        assert_same_strings(*(char **const *)x, *(char **const *)y);
        return true;
    case TASK_OPTION_ENV:
        assert_same_strings(env_block_strings(*(EnvBlock *const *)x),
                            env_block_strings(*(EnvBlock *const *)y));
        return true;
    }
    return false;
}

/* All but what speaks of the call alone, which is not kept. */
static void assert_same_option(const TaskOption *o, const TaskSpec *a, const TaskSpec *b) {
    if (!(o->flags & TASK_OPTION_CALL) &&
        !is_same(o, task_option_value(o, a), task_option_value(o, b)))
        ck_abort_msg("option %s is not the same", o->name);
}

static void assert_same_attempt(const TaskAttempt *a, const TaskAttempt *b) {
    ck_assert_uint_eq(a->number, b->number);
    ck_assert_int_eq(a->state, b->state);
    ck_assert_int_eq(a->exit_code, b->exit_code);
    ck_assert_int_eq(a->exit_signal, b->exit_signal);
    ck_assert_uint_eq(a->started_at, b->started_at);
    ck_assert_uint_eq(a->finished_at, b->finished_at);
    ck_assert_uint_eq(a->log_offset, b->log_offset);
    ck_assert_str_eq(a->message, b->message);
}

void rig_assert_same(const Task *a, const Task *b) {
    ck_assert_ptr_nonnull(a);
    ck_assert_ptr_nonnull(b);
    ck_assert_str_eq(a->spec->kind, b->spec->kind);
    for (const TaskOption *o = task_options(); o->name; o++)
        assert_same_option(o, a->spec, b->spec);
    ck_assert_uint_eq(a->id, b->id);
    ck_assert_int_eq(a->state, b->state);
    ck_assert(task_work(a)->progress.fraction == task_work(b)->progress.fraction);
    ck_assert_uint_eq(task_work(a)->progress.done, task_work(b)->progress.done);
    ck_assert_uint_eq(task_work(a)->progress.total, task_work(b)->progress.total);
    ck_assert_int_eq(task_work(a)->progress.bytes, task_work(b)->progress.bytes);
    ck_assert_int_eq(task_work(a)->progress.source, task_work(b)->progress.source);
    ck_assert_str_eq(strempty(task_work(a)->progress.phase),
                     strempty(task_work(b)->progress.phase));
    ck_assert_str_eq(strempty(task_work(a)->reason), strempty(task_work(b)->reason));
    ck_assert_str_eq(strempty(task_work(a)->status), strempty(task_work(b)->status));
    ck_assert_str_eq(strempty(a->message), strempty(b->message));
    ck_assert_uint_eq(a->created_at, b->created_at);
    ck_assert_uint_eq(a->started_at, b->started_at);
    ck_assert_uint_eq(a->finished_at, b->finished_at);
    ck_assert_int_eq(a->exit_code, b->exit_code);
    ck_assert_int_eq(a->exit_signal, b->exit_signal);
    ck_assert_int_eq(a->pid, b->pid);
    ck_assert_uint_eq(a->log_size, b->log_size);
    ck_assert_uint_eq(task_work(a)->log_kept, task_work(b)->log_kept);
    ck_assert_uint_eq(a->attempt, b->attempt);
    ck_assert_uint_eq(task_work(a)->usage.cpu_usec, task_work(b)->usage.cpu_usec);
    ck_assert_uint_eq(task_work(a)->usage.memory_peak, task_work(b)->usage.memory_peak);
    ck_assert_int_eq(a->has_result, b->has_result);
    ck_assert_int_eq(a->cancel_requested, b->cancel_requested);
    ck_assert_uint_eq(a->ready_at, b->ready_at);
    ck_assert_uint_eq(a->due_at, b->due_at);
    ck_assert_uint_eq(a->log_begin, b->log_begin);
    ck_assert_uint_eq(a->retry_of, b->retry_of);
    ck_assert_int_eq(a->end_state, b->end_state);
    ck_assert_uint_eq(a->n_attempts, b->n_attempts);
    for (unsigned i = 0; i < a->n_attempts; i++)
        assert_same_attempt(&a->attempts[i], &b->attempts[i]);
}
