/* The store: what is put in comes back whole, also after a restart; commits are in order, together
 * where they wait together, and all or none. */

#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/strv.h"
#include "daemon/core/task-options.h"
#include "tests/unit/store-rig.h"

static void setup(void) {
    rig_setup();
    rig_open();
}

/* ---- every field ---- */

static char **strings_new(const char *a, const char *b) {
    char **v = NULL;
    size_t n = 0;

    MUST(strv_push(&v, &n, strdup(a)) == 0);
    if (b)
        MUST(strv_push(&v, &n, strdup(b)) == 0);
    return v;
}

/* Another value for each option, by its type alone: one that is added is tested too. */
static void fill_option(const TaskOption *o, TaskSpec *spec, unsigned n) {
    void *field = task_option_field(o, spec);
    _cleanup_(strv_freep) char **strings = NULL;
    char text[64];

    switch (task_option_type(o)) {
    case TASK_OPTION_STRING:
        snprintf(text, sizeof(text), "text %u \"\\/\n\t\x01 \xc3\xa4 \xff", n);
        unit_set(field, text);
        break;
    case TASK_OPTION_STRINGS:
    case TASK_OPTION_ENV:
        snprintf(text, sizeof(text), "KEY%u=value \xe2\x82\xac\n\x7f", n);
        strings = strings_new(text, "");
        if (task_option_type(o) == TASK_OPTION_ENV)
            *(EnvBlock **)field = env_table_intern(rig_envs, strings);
        else
            *(char ***)field = TAKE_PTR(strings);
        break;
    case TASK_OPTION_BOOL:
        *(bool *)field = !*(bool *)field;
        break;
    case TASK_OPTION_I32:
        *(int32_t *)field = INT32_MIN + (int32_t)n;
        break;
    case TASK_OPTION_U32:
        *(uint32_t *)field = UINT32_MAX - n;
        break;
    case TASK_OPTION_U64:
        *(uint64_t *)field = UINT64_MAX - n;
        break;
    case TASK_OPTION_IDS:
        MUST(id_list_new(field, (const uint64_t[]){n, UINT64_MAX - n}, 2) == 0);
        break;
    case TASK_OPTION_CODES:
        MUST(code_list_new(field, (const int32_t[]){INT32_MIN, (int32_t)n}, 2) == 0);
        break;
    case TASK_OPTION_TOKENS:
        MUST(token_list_new(field, (const TokenClaim[]){{"gpu", n}, {"net", UINT32_MAX}}, 2) == 0);
        break;
    case TASK_OPTION_BYTES:
        MUST(bytes_new(field, "\0\xff\n\"", 4) == 0);
        break;
    }
}

static void add_attempts(Task *t) {
    const TaskAttempt attempts[] = {
        {1, TASK_FAILED, 3, 0, 21, 22, 0, (char *)"exit code 3"},
        {2, TASK_TIMED_OUT, -1, 9, 23, UINT64_MAX, UINT64_MAX, NULL},
    };

    for (size_t i = 0; i < ELEMENTSOF(attempts); i++)
        MUST(task_add_attempt(t, &attempts[i]) == 0);
}

static Task *full_task(uint64_t id, TaskState state) {
    Task *t = unit_task_new(id);
    unsigned n = 0;

    for (const TaskOption *o = task_options(); o->name; o++)
        fill_option(o, t->spec, ++n);
    t->state = state;
    t->created_at = 11;
    t->started_at = 12;
    t->finished_at = task_state_is_final(state) ? 13 : 0;
    task_work_make(t)->progress = (TaskProgress){.fraction = 1 / 3.0,
                                                 .done = UINT64_MAX,
                                                 .total = 5,
                                                 .bytes = true,
                                                 .source = PROGRESS_SOURCE_OSC};
    task_work_make(t)->progress.phase = strdup("second");
    task_work_make(t)->reason = strdup("a reason");
    task_work_make(t)->status = strdup("a status");
    t->message = strdup("a message");
    t->exit_code = -7;
    t->exit_signal = 15;
    t->pid = 4711;
    t->log_size = 1 << 20;
    task_work_make(t)->log_kept = 1 << 19;
    t->attempt = UINT32_MAX;
    task_work_make(t)->usage = (TaskUsage){.cpu_usec = 21, .memory_peak = UINT64_MAX};
    t->has_result = t->cancel_requested = true;
    t->ready_at = 31;
    t->due_at = UINT64_MAX;
    t->log_begin = 4711;
    t->retry_of = UINT64_MAX - 1;
    t->end_state = TASK_FAILED;
    add_attempts(t);
    return t;
}

START_TEST(test_every_field) {
    _cleanup_(task_freep) Task *active = full_task(7, TASK_PAUSED);
    _cleanup_(task_freep) Task *ended = full_task(8, TASK_TIMED_OUT);

    /* A field more? Say here and in rig_assert_same() whether it is to be kept. */
    ck_assert_uint_eq(sizeof(Task), 296);

    rig_put(active);
    rig_put(ended);
    for (int i = 0; i < 2; i++) {
        Task *read = rig_read_one(8);
        rig_assert_same(read, ended);
        ck_assert(read->stored);
        rig_assert_same(rig_read_one(7), active);
        rig_reopen();
        const RigAnswer *a = rig_load();
        ck_assert_uint_eq(a->n, 1);
        rig_assert_same(a->tasks[0], active);
        ck_assert(a->tasks[0]->stored);
    }
}
END_TEST

/* As the commit queue does: those of a task that has a row are put in one by one. */
static void put_with_attempts(Task *t) {
    StoreBatch *b = rig_batch(&t, 1);

    for (unsigned i = 0; i < t->n_attempts; i++)
        MUST(store_batch_put_attempt(b, t->id, &t->attempts[i]) == 0);
    ck_assert_int_eq(rig_commit(b), 0);
}

/* The same by the way that a task goes: put in bare, then changed, then ended. The request alone
 * does not change. */
START_TEST(test_every_change) {
    _cleanup_(task_freep) Task *bare = unit_task_new(7), *t = full_task(7, TASK_RUNNING);

    rig_put(bare);
    task_spec_free(t->spec);
    t->spec = TAKE_PTR(bare->spec);
    unit_set(&t->spec->label, "another");
    t->spec->priority = -5;
    t->created_at = bare->created_at;
    t->retry_of = 0;
    t->stored = true;
    put_with_attempts(t);
    Task *read = rig_read_one(7);
    rig_assert_same(read, t);

    t->state = TASK_FAILED;
    t->finished_at = 99;
    task_work_make(t)->log_kept = 3;
    unit_set(&t->message, "over");
    rig_put(t);
    rig_assert_same(rig_read_one(7), t);
    ck_assert_uint_eq(rig_load()->n, 0);
}
END_TEST

START_TEST(test_bare) {
    _cleanup_(task_freep) Task *t = unit_task_new(1);

    rig_put(t);
    Task *read = rig_read_one(1);
    rig_assert_same(read, t);
    ck_assert_ptr_null(read->spec->env);
    ck_assert_ptr_null(task_work(read)->status);
    ck_assert_ptr_null(rig_read_one(2));
}
END_TEST

START_TEST(test_read_many) {
    Task *tasks[3];
    const uint64_t ids[] = {30, 99, 10, 20, 10};

    for (size_t i = 0; i < 3; i++)
        tasks[i] = unit_task_new(10 * (i + 1));
    rig_put_many(tasks, 3);
    const RigAnswer *a = rig_read(ids, ELEMENTSOF(ids));
    ck_assert_uint_eq(a->n, ELEMENTSOF(ids));
    ck_assert_uint_eq(a->next, 0);
    for (size_t i = 0; i < ELEMENTSOF(ids); i++) {
        ck_assert_int_eq(a->tasks[i] != NULL, ids[i] != 99);
        ck_assert(!a->tasks[i] || a->tasks[i]->id == ids[i]);
    }
    ck_assert_uint_eq(rig_read(ids, 0)->n, 0);
    for (size_t i = 0; i < 3; i++)
        task_free(tasks[i]);
}
END_TEST

/* On disk it is starting; in memory it goes on waiting. */
START_TEST(test_claimed) {
    _cleanup_(task_freep) Task *t = unit_task_new(1);
    StoreBatch *b = store_batch_new();

    rig_put(t);
    MUST(store_batch_put_task(b, t, true) == 0);
    ck_assert_int_eq(rig_commit(b), 0);
    ck_assert_int_eq(rig_read_one(1)->state, TASK_STARTING);
    ck_assert_int_eq(t->state, TASK_QUEUED);
}
END_TEST

/* ---- environments ---- */

static Task *task_with_env(uint64_t id, const char *variable) {
    _cleanup_(strv_freep) char **env = strings_new(variable, NULL);
    Task *t = unit_task_new(id);

    t->spec->env = env_table_intern(rig_envs, env);
    return t;
}

START_TEST(test_env_once) {
    Task *tasks[4];

    for (size_t i = 0; i < 4; i++)
        tasks[i] = task_with_env(i + 1, i < 3 ? "A=1" : "B=2");
    rig_put_many(tasks, 2);
    rig_put_many(tasks + 2, 2);
    ck_assert_int_eq(rig_sql("SELECT count(*) FROM env"), 2);
    rig_reopen();
    const RigAnswer *a = rig_load();
    ck_assert_ptr_eq(a->tasks[0]->spec->env, a->tasks[2]->spec->env);
    ck_assert_ptr_eq(a->tasks[0]->spec->env, tasks[0]->spec->env);
    ck_assert_ptr_eq(a->tasks[3]->spec->env, tasks[3]->spec->env);
    a = rig_read((const uint64_t[]){1, 4, 3}, 3);
    ck_assert_ptr_eq(a->tasks[0]->spec->env, tasks[0]->spec->env);
    ck_assert_ptr_eq(a->tasks[1]->spec->env, tasks[3]->spec->env);
    ck_assert_ptr_eq(a->tasks[2]->spec->env, tasks[0]->spec->env);

    rig_remove(1);
    rig_remove(3);
    ck_assert_int_eq(rig_sql("SELECT count(*) FROM env"), 2);
    rig_remove(2);
    ck_assert_int_eq(rig_sql("SELECT count(*) FROM env"), 1);
    rig_remove(4);
    ck_assert_int_eq(rig_sql("SELECT count(*) FROM env"), 0);
    for (size_t i = 0; i < 4; i++)
        task_free(tasks[i]);
}
END_TEST

/* The last task with an environment goes and another comes with the same one, in one commit. */
START_TEST(test_env_removed_and_back) {
    _cleanup_(task_freep) Task *a = task_with_env(1, "A=1"), *b = task_with_env(2, "A=1"),
                               *c = task_with_env(3, "A=1");
    StoreBatch *batch = rig_batch(&a, 1);

    MUST(store_batch_remove_task(batch, 1) == 0);
    MUST(store_batch_put_task(batch, b, false) == 0);
    MUST(store_batch_remove_task(batch, 2) == 0);
    MUST(store_batch_put_task(batch, c, false) == 0);
    ck_assert_int_eq(rig_commit(batch), 0);
    ck_assert_ptr_eq(rig_read_one(3)->spec->env, c->spec->env);
    ck_assert_int_eq(rig_sql("SELECT count(*) FROM env"), 1);
}
END_TEST

/* ---- results, removal, ids, the session ---- */

START_TEST(test_result) {
    _cleanup_free_ char *large = unit_repeat('x', 3 * MIB);
    _cleanup_(task_freep) Task *t = rig_ended(5, TASK_SUCCEEDED);
    StoreBatch *b = rig_batch(&t, 1);

    MUST(store_batch_put_result(b, 5, "{\"a\": 1}") == 0);
    ck_assert_int_eq(rig_commit(b), 0);
    rig_reopen();
    ck_assert_str_eq(rig_result(5), "{\"a\": 1}");
    ck_assert_ptr_null(rig_result(6));
    b = store_batch_new();
    MUST(store_batch_put_result(b, 5, large) == 0);
    ck_assert_int_eq(rig_commit(b), 0);
    ck_assert_str_eq(rig_result(5), large);
    b = store_batch_new();
    MUST(store_batch_remove_result(b, 5) == 0);
    ck_assert_int_eq(rig_commit(b), 0);
    ck_assert_ptr_null(rig_result(5));
    ck_assert_ptr_nonnull(rig_read_one(5));
}
END_TEST

START_TEST(test_remove) {
    _cleanup_(task_freep) Task *t = rig_ended(5, TASK_SUCCEEDED);
    StoreBatch *b = rig_batch(&t, 1);

    MUST(store_batch_put_result(b, 5, "1") == 0);
    ck_assert_int_eq(rig_commit(b), 0);
    rig_remove(5);
    ck_assert_ptr_null(rig_read_one(5));
    ck_assert_ptr_null(rig_result(5));
    ck_assert_int_eq(rig_sql("SELECT count(*) FROM request"), 0);
    ck_assert_int_eq(rig_sql("SELECT count(*) FROM ended"), 0);
    ck_assert_int_eq(rig_sql("SELECT tasks + log_kept FROM ended_all"), 0);
    rig_remove(5); /* what is not there is no error */
}
END_TEST

START_TEST(test_next_id) {
    _cleanup_(task_freep) Task *t = unit_task_new(41);

    ck_assert_uint_eq(store_next_id(rig_store), 1);
    rig_put(t);
    rig_reopen();
    ck_assert_uint_eq(store_next_id(rig_store), 42);
    rig_remove(41);
    rig_reopen();
    ck_assert_uint_eq(store_next_id(rig_store), 42); /* never again */
}
END_TEST

static void assert_session(const char *expected) {
    _cleanup_free_ char *session = store_session(rig_store);
    ck_assert_str_eq(session, expected);
}

START_TEST(test_session) {
    assert_session("");
    MUST(store_set_session(rig_store, "boot/1") == 0);
    rig_reopen();
    assert_session(""); /* there was no commit */
    MUST(store_set_session(rig_store, "boot/2") == 0);
    ck_assert_int_eq(rig_commit(store_batch_new()), 0);
    rig_reopen();
    assert_session("boot/2");
}
END_TEST

START_TEST(test_private) {
    _cleanup_(task_freep) Task *t = unit_task_new(1);
    struct stat st;

    umask(0);
    rig_put(t);
    MUST(rig_sql("SELECT 1") == 1);
    for (int i = 0; i < 3; i++) {
        const char *const suffixes[] = {"", "-wal", "-shm"};
        ck_assert_int_eq(stat(rig_path(suffixes[i]), &st), 0);
        ck_assert_int_eq(st.st_mode & 07777, 0600);
    }
    rig_close();
    ck_assert(!unit_exists(STORE_FILE "-wal")); /* all is in the file */
}
END_TEST

/* ---- order and groups ---- */

#define MANY 200

static unsigned order[MANY];
static int errors[MANY];
static size_t called;

static void on_ordered(void *userdata, int error) {
    errors[called] = error;
    order[called++] = (unsigned)(uintptr_t)userdata;
}

/* Another who writes, so that commits have to wait. */
static sqlite3 *hold_lock(void) {
    sqlite3 *db;

    MUST(sqlite3_open_v2(rig_path(""), &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK);
    MUST(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
    return db;
}

static void release_lock(sqlite3 *db) {
    MUST(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(db);
}

START_TEST(test_group_commit) {
    StoreBatch *batches[MANY];
    Task *tasks[MANY];
    sqlite3 *other = hold_lock();
    size_t before = rig_wal_commits();

    for (unsigned i = 0; i < MANY; i++) {
        tasks[i] = unit_task_new(i + 1);
        batches[i] = rig_batch(&tasks[i], 1);
        MUST(store_commit(rig_store, batches[i], on_ordered, (void *)(uintptr_t)i) == 0);
    }
    release_lock(other);
    rig_wait(&called, MANY);
    for (unsigned i = 0; i < MANY; i++) {
        ck_assert_uint_eq(order[i], i);
        ck_assert_int_eq(errors[i], 0);
        store_batch_free(batches[i]);
        task_free(tasks[i]);
    }
    /* Those that came while the first was under way, and it. */
    ck_assert_uint_ge(rig_wal_commits() - before, 1);
    ck_assert_uint_le(rig_wal_commits() - before, 2);
    ck_assert_int_eq(rig_sql("SELECT count(*) FROM task"), MANY);
}
END_TEST

/* Later commits see what earlier ones have written, also in one transaction. */
START_TEST(test_in_order) {
    _cleanup_(task_freep) Task *t = unit_task_new(1);
    sqlite3 *other = hold_lock();
    StoreBatch *batches[3];

    batches[0] = rig_batch(&t, 1);
    t->stored = true;
    t->state = TASK_STARTING;
    batches[1] = rig_batch(&t, 1);
    t->state = TASK_RUNNING;
    batches[2] = rig_batch(&t, 1);
    for (unsigned i = 0; i < 3; i++)
        MUST(store_commit(rig_store, batches[i], on_ordered, NULL) == 0);
    release_lock(other);
    rig_wait(&called, 3);
    for (unsigned i = 0; i < 3; i++)
        store_batch_free(batches[i]);
    ck_assert_int_eq(rig_read_one(1)->state, TASK_RUNNING);
}
END_TEST

/* It waits for what is under way, and nobody is called. */
START_TEST(test_free_with_work) {
    _cleanup_(task_freep) Task *t = unit_task_new(1);
    sqlite3 *other = hold_lock();
    StoreBatch *b = rig_batch(&t, 1);

    for (unsigned i = 0; i < 3; i++)
        MUST(store_commit(rig_store, b, on_ordered, NULL) == 0);
    MUST(store_read_result(rig_store, 1, NULL, NULL) == 0);
    release_lock(other);
    rig_close();
    ck_assert_uint_eq(called, 0);
    store_batch_free(b);
}
END_TEST

static void on_nothing(void *userdata, int error, const char *json) {
    ++*(size_t *)userdata;
}

START_TEST(test_reads_are_capped) {
    size_t done = 0, accepted = 0;
    int r;

    while ((r = store_read_result(rig_store, 1, on_nothing, &done)) == 0)
        accepted++;
    ck_assert_int_eq(r, -ENOBUFS);
    ck_assert_uint_eq(accepted, 4096);
    ck_assert_uint_eq(store_reads(rig_store), accepted);
    rig_wait(&done, accepted);
    ck_assert_uint_eq(store_reads(rig_store), 0);
    ck_assert_ptr_null(rig_result(1));
}
END_TEST

START_TEST(test_batch_empty) {
    StoreBatch *b = store_batch_new();

    ck_assert(store_batch_is_empty(b));
    MUST(store_batch_remove_result(b, 1) == 0);
    ck_assert(!store_batch_is_empty(b));
    store_batch_free(b);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("store");
    TCase *t = tcase_create("store");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, setup, rig_teardown);
    tcase_add_test(t, test_every_field);
    tcase_add_test(t, test_every_change);
    tcase_add_test(t, test_bare);
    tcase_add_test(t, test_read_many);
    tcase_add_test(t, test_claimed);
    tcase_add_test(t, test_env_once);
    tcase_add_test(t, test_env_removed_and_back);
    tcase_add_test(t, test_result);
    tcase_add_test(t, test_remove);
    tcase_add_test(t, test_next_id);
    tcase_add_test(t, test_session);
    tcase_add_test(t, test_private);
    tcase_add_test(t, test_group_commit);
    tcase_add_test(t, test_in_order);
    tcase_add_test(t, test_free_with_work);
    tcase_add_test(t, test_reads_are_capped);
    tcase_add_test(t, test_batch_empty);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
