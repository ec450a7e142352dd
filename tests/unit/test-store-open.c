/* What store_open() makes of what it finds: nothing, an older schema, a newer one, and files that
 * are damaged in all ways. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/cleanup.h"
#include "common/fd-io.h"
#include "common/strv.h"
#include "daemon/store/migrations.h"
#include "tests/unit/store-rig.h"

#define PAGE 4096

/* ---- other schemas ---- */

/* The database of a dump, with its version. */
static void make_database(const char *sql, int version) {
    char pragma[64];
    sqlite3 *db;

    MUST(sqlite3_open(rig_path(""), &db) == SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        ck_abort_msg("%s", sqlite3_errmsg(db));
    snprintf(pragma, sizeof(pragma), "PRAGMA journal_mode=WAL; PRAGMA user_version=%d", version);
    MUST(sqlite3_exec(db, pragma, NULL, NULL, NULL) == SQLITE_OK);
    MUST(sqlite3_close(db) == SQLITE_OK);
}

static char *read_dump(int version) {
    _cleanup_free_ char *path = NULL;
    const char *dir = getenv("LONGRUN_SCHEMAS");
    char *sql;

    MUST(dir && asprintf(&path, "%s/%d.sql", dir, version) > 0);
    if (file_read_all(path, MIB, &sql, NULL) < 0)
        ck_abort_msg("%s is missing: each version of the schema has its dump there", path);
    return sql;
}

static int on_group(void *userdata, Group *g) {
    Group **found = userdata;

    MUST(!*found);
    *found = g;
    return 0;
}

static int on_resource(void *userdata, const char *name, uint32_t capacity) {
    ck_assert_str_eq(name, "gpu");
    *(uint32_t *)userdata += capacity;
    return 0;
}

/* What came with version 2; in an older one it is as if nobody had asked for it. */
static void assert_plan(bool has_it) {
    Group *g = NULL;
    uint32_t capacity = 0;
    const Task *t = rig_load()->tasks[0];

    ck_assert_int_eq(t->spec->priority, has_it ? -3 : 0);
    ck_assert_uint_eq(t->spec->parent, 0);
    ck_assert_uint_eq(t->retry_of, has_it ? 6 : 0);
    ck_assert_uint_eq(t->ready_at, has_it ? 1003 : 0);
    ck_assert_uint_eq(t->due_at, has_it ? 2000000000000000 : 0);
    ck_assert_int_eq(t->end_state, has_it ? TASK_FAILED : _TASK_STATE_INVALID);
    t = rig_read_one(1);
    ck_assert_uint_eq(t->spec->parent, has_it ? 7 : 0);
    ck_assert_uint_eq(t->log_begin, has_it ? 77 : 0);
    ck_assert_uint_eq(t->n_attempts, has_it);
    ck_assert(!has_it || t->attempts[0].state == TASK_TIMED_OUT);
    ck_assert_uint_eq(rig_list(&(TaskFilter){.parent = 7, .limit = 10})->n, has_it);
    MUST(store_load_groups(rig_store, on_group, &g) == 0);
    ck_assert(!g != has_it);
    ck_assert(!g || (g->max_parallel == 2 && g->defaults->timeout_usec == 60000000));
    group_free(g);
    MUST(store_load_resources(rig_store, on_resource, &capacity) == 0);
    ck_assert_uint_eq(capacity, has_it ? 2 : 0);
}

static int on_backend(void *userdata, const char *name, const char *settings, bool polling) {
    ck_assert_str_eq(name, "home");
    ck_assert_str_eq(settings, "{\"url\":\"http://127.0.0.1:8080\"}");
    ck_assert(polling);
    ++*(unsigned *)userdata;
    return 0;
}

static int on_operation(void *userdata, uint64_t id, const char *json) {
    ck_assert_uint_eq(id, 2);
    ck_assert_str_eq(json, "{\"url\":\"http://127.0.0.1:8080/operations/7\"}");
    ++*(unsigned *)userdata;
    return 0;
}

/* What came with version 4. */
static void assert_remote(bool has_it) {
    unsigned n = 0;

    MUST(store_load_backends(rig_store, on_backend, &n) == 0);
    MUST(store_load_operations(rig_store, on_operation, &n) == 0);
    ck_assert_uint_eq(n, has_it ? 2 : 0);
}

/* Each version that there ever was, with the same contents. */
START_TEST(test_older_schema) {
    _cleanup_free_ char *sql = read_dump(_i);

    make_database(sql, _i);
    rig_open();
    ck_assert_ptr_null(rig_damaged);
    ck_assert_int_eq(rig_sql("PRAGMA user_version"), migrations_version());
    ck_assert_uint_eq(store_next_id(rig_store), 10);
    _cleanup_free_ char *session = store_session(rig_store);
    ck_assert_str_eq(session, "boot/4711");

    const RigAnswer *a = rig_load();
    ck_assert_uint_eq(a->n, 1);
    const Task *t = a->tasks[0];
    ck_assert_uint_eq(t->id, 2);
    ck_assert_int_eq(t->state, TASK_QUEUED);
    ck_assert_str_eq(t->spec->kind, "command");
    ck_assert_str_eq(t->spec->label, "make all");
    ck_assert_str_eq(t->spec->group, "builds");
    ck_assert_str_eq(t->spec->argv[1], "all");
    ck_assert_str_eq(t->spec->cwd, "/somewhere");
    ck_assert_str_eq(env_block_strings(t->spec->env)[1], "B=2");
    /* What the request leaves out is what task_spec_new() gave when it was written: should that
     * change, older databases need a step that fills it in. */
    ck_assert_uint_eq(t->spec->umask, 0022);
    ck_assert_str_eq(t->spec->on_interrupt, TASK_ON_INTERRUPT_FAIL);
    ck_assert_uint_eq(t->spec->stop_timeout_usec, 10000000);

    t = rig_read_one(1);
    ck_assert_int_eq(t->state, TASK_FAILED);
    ck_assert_int_eq(t->exit_code, 3);
    ck_assert_str_eq(t->message, "exit code 3");
    ck_assert_uint_eq(t->finished_at, 5001);
    /* With version 3. */
    ck_assert_int_eq(task_work(t)->progress.bytes, _i >= 3);
    ck_assert_str_eq(progress_source_to_string(task_work(t)->progress.source),
                     _i >= 3 ? "counter" : "");
    ck_assert_str_eq(rig_result(1), "{\"a\":1}");
    ck_assert_uint_eq(rig_list(&(TaskFilter){.limit = 10})->n, 1);
    ck_assert_uint_eq(rig_count(&(TaskFilter){})->counts[TASK_FAILED], 1);
    assert_plan(_i >= 2);
    assert_remote(_i >= 4);
}
END_TEST

/* And it takes what came later. */
START_TEST(test_older_schema_is_of_use) {
    const TaskAttempt attempt = {.number = 1, .state = TASK_FAILED, .exit_code = 4};
    _cleanup_free_ char *sql = read_dump(_i);

    make_database(sql, _i);
    rig_open();
    Task *t = rig_load()->tasks[0];
    t->spec->priority = 9;
    t->state = TASK_WAITING;
    t->due_at = 77;
    MUST(task_add_attempt(t, &attempt) == 0);
    StoreBatch *b = rig_batch(&t, 1);
    MUST(store_batch_put_attempt(b, t->id, &attempt) == 0);
    ck_assert_int_eq(rig_commit(b), 0);
    rig_reopen();
    t = rig_load()->tasks[0];
    ck_assert_int_eq(t->state, TASK_WAITING);
    ck_assert_int_eq(t->spec->priority, 9);
    ck_assert_uint_eq(t->due_at, 77);
    ck_assert_uint_eq(t->n_attempts, 1);
    ck_assert_int_eq(t->attempts[0].exit_code, 4);
}
END_TEST

/* A schema that was brought up to date is the same as a new one. */
START_TEST(test_older_schema_is_as_new) {
    const char *count = "SELECT sum(length(sql)) FROM sqlite_schema";
    _cleanup_free_ char *sql = read_dump(_i);

    make_database(sql, _i);
    rig_reopen();
    int64_t updated = rig_sql(count);
    rig_close();
    MUST(unlink(rig_path("")) == 0);
    rig_open();
    ck_assert_int_eq(rig_sql(count), updated);
}
END_TEST

static void assert_untouched(const char *name, const char *before, size_t size) {
    size_t now_size;
    _cleanup_free_ char *now = unit_read(name, &now_size);

    ck_assert_uint_eq(now_size, size);
    ck_assert_int_eq(memcmp(now, before, size), 0);
}

/* In whatever mode it may be. */
START_TEST(test_newer_schema) {
    _cleanup_free_ char *before = NULL, *words = NULL;
    size_t size;

    make_database("CREATE TABLE task (id INTEGER PRIMARY KEY, soul TEXT)",
                  migrations_version() + 1);
    if (_i > 0)
        MUST(rig_sql("PRAGMA journal_mode=DELETE") == 0);
    before = unit_read(STORE_FILE, &size);
    words = rig_open_refused();
    ck_assert_ptr_nonnull(strstr(words, "newer"));
    ck_assert_ptr_nonnull(strstr(words, rig_path("")));
    assert_untouched(STORE_FILE, before, size);
}
END_TEST

/* The same when a crash has left the news in the WAL. */
START_TEST(test_newer_schema_in_wal) {
    _cleanup_free_ char *db_before = NULL, *wal_before = NULL, *words = NULL;
    size_t db_size, wal_size;
    sqlite3 *db;

    rig_reopen();
    rig_close();
    MUST(sqlite3_open(rig_path(""), &db) == SQLITE_OK);
    MUST(sqlite3_exec(db, "PRAGMA user_version=99", NULL, NULL, NULL) == SQLITE_OK);
    db_before = unit_read(STORE_FILE, &db_size);
    wal_before = unit_read(STORE_FILE "-wal", &wal_size);
    sqlite3_close(db);
    unit_write(STORE_FILE, db_before, db_size);
    unit_write(STORE_FILE "-wal", wal_before, wal_size);
    words = rig_open_refused();
    ck_assert_ptr_nonnull(strstr(words, "newer"));
    assert_untouched(STORE_FILE, db_before, db_size);
    assert_untouched(STORE_FILE "-wal", wal_before, wal_size);
}
END_TEST

/* ---- damage ---- */

#define ENDED 2000
#define ACTIVE 1000 /* the id of the active one, in the middle */

#define ATTEMPTS 500
static const char *const names[] = {"-a", ".b", "0c", "d", "Z"};

/* Attempts of a task that has ended and of the active one, groups with odd names, a resource. */
static void put_plan(StoreBatch *b) {
    for (unsigned i = 1; i <= ATTEMPTS; i++) {
        const TaskAttempt a = {
            .number = i, .state = TASK_FAILED, .message = (char *)"again-and-again"};
        MUST(store_batch_put_attempt(b, i % 2 ? 5 : ACTIVE, &a) == 0);
    }
    for (size_t i = 0; i < ELEMENTSOF(names); i++) {
        Group *g = group_new(names[i]);
        g->max_parallel = 7;
        MUST(store_batch_put_group(b, g) == 0);
        group_free(g);
    }
    MUST(store_batch_put_resource(b, "gpu", 3) == 0);
    MUST(store_batch_put_backend(b, "home", "{}", false) == 0);
    MUST(store_batch_put_backend(b, "file", "", true) == 0);
    MUST(store_batch_put_operation(b, ACTIVE, "{}") == 0);
}

/* A history with one active task, all in one file. */
static void make_history(void) {
    static char variable[] = "A=1";
    char *env[] = {variable, NULL};
    Task *tasks[ENDED];

    rig_open();
    MUST(store_set_session(rig_store, "boot/1") == 0);
    for (size_t i = 0; i < ENDED; i++) {
        char label[32];
        tasks[i] = i + 1 == ACTIVE ? unit_task_new(i + 1) : rig_ended(i + 1, TASK_SUCCEEDED);
        snprintf(label, sizeof(label), "label-%04zu", i + 1);
        unit_set(&tasks[i]->spec->label, label);
        tasks[i]->spec->env = env_table_intern(rig_envs, env);
    }
    StoreBatch *b = rig_batch(tasks, ENDED);
    MUST(store_batch_put_result(b, 5, "\"five\"") == 0);
    put_plan(b);
    ck_assert_int_eq(rig_commit(b), 0);
    for (size_t i = 0; i < ENDED; i++)
        task_free(tasks[i]);
    rig_close();
}

/* Where the text is in the file, for the first time or the n-th after it. */
static long find_text_again(const char *text, size_t n) {
    size_t size;
    _cleanup_free_ char *data = unit_read(STORE_FILE, &size);
    const char *at = memmem(data, size, text, strlen(text));

    for (; at && n > 0; n--)
        at = memmem(at + 1, size - (size_t)(at + 1 - data), text, strlen(text));
    MUST(at);
    return at - data;
}

static long find_text(const char *text) {
    return find_text_again(text, 0);
}

static void assert_moved_aside(const char *before, size_t size) {
    const char *name;
    struct stat st;

    ck_assert_ptr_nonnull(rig_damaged);
    name = strrchr(rig_damaged, '/') + 1;
    ck_assert_int_eq(strncmp(name, STORE_FILE ".damaged-", strlen(STORE_FILE ".damaged-")), 0);
    assert_untouched(name, before, size);
    ck_assert_int_eq(stat(rig_path(""), &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0600);
}

static void opens_after_damage(void) {
    size_t size;
    _cleanup_free_ char *before = unit_read(STORE_FILE, &size);
    Task *t = unit_task_new(ENDED + 100);

    rig_open();
    assert_moved_aside(before, size);
    rig_put(t); /* and is of use */
    rig_reopen();
    ck_assert_ptr_null(rig_damaged);
    ck_assert_ptr_nonnull(rig_read_one(ENDED + 100));
    task_free(t);
}

static void write_text_file(void) {
    unit_write(STORE_FILE, "my shopping list\n", 17);
}

static void write_empty_file(void) {
    unit_write(STORE_FILE, "", 0);
}

static void write_foreign_database(void) {
    make_database("CREATE TABLE friends (name TEXT)", 0);
}

static void write_foreign_with_version(void) {
    make_database("CREATE TABLE friends (name TEXT)", migrations_version());
}

static void damage_header(void) {
    make_history();
    rig_damage(rig_path(""), 0, 100);
}

static void damage_schema(void) {
    make_history();
    rig_damage(rig_path(""), 100, PAGE - 100);
}

static void cut_to_header(void) {
    make_history();
    MUST(truncate(rig_path(""), 50) == 0);
}

static void cut_to_page(void) {
    make_history();
    MUST(truncate(rig_path(""), PAGE) == 0);
}

static void (*const hopeless[])(void) = {
    write_text_file, write_empty_file, write_foreign_database, write_foreign_with_version,
    damage_header,   damage_schema,    cut_to_header,          cut_to_page,
};

START_TEST(test_hopeless) {
    hopeless[_i]();
    opens_after_damage();
    ck_assert_uint_eq(rig_load()->n, 1);
    ck_assert_uint_eq(rig_list(&(TaskFilter){.limit = 10})->n, 0);
}
END_TEST

static void damage_page_of(const char *text) {
    rig_damage(rig_path(""), find_text(text) / PAGE * PAGE, PAGE);
}

static size_t count_ended(void) {
    const RigAnswer *a = rig_count(&(TaskFilter){});

    ck_assert_int_eq(a->error, 0);
    return a->counts[TASK_SUCCEEDED] + a->counts[TASK_INTERRUPTED];
}

/* The page of the active task, in the middle of the table: those before and behind it are there. */
START_TEST(test_page_in_the_middle) {
    make_history();
    damage_page_of("label-1000");
    opens_after_damage();
    size_t kept = count_ended();
    ck_assert_uint_ge(kept, ENDED - 100);
    ck_assert_uint_lt(kept, ENDED - 1);
    const uint64_t ids[] = {1, ACTIVE, ENDED};
    const RigAnswer *a = rig_read(ids, 3);
    ck_assert_ptr_null(a->tasks[1]);
    for (size_t i = 0; i < 3; i += 2) {
        ck_assert_int_eq(a->tasks[i]->state, TASK_SUCCEEDED);
        ck_assert_uint_eq(a->tasks[i]->finished_at, 5000 + ids[i]);
        ck_assert_str_eq(a->tasks[i]->spec->cwd, "/");
        ck_assert_str_eq(env_block_strings(a->tasks[i]->spec->env)[0], "A=1");
    }
    ck_assert_str_eq(rig_result(5), "\"five\"");
    _cleanup_free_ char *session = store_session(rig_store);
    ck_assert_str_eq(session, "boot/1");
    ck_assert_int_eq(rig_sql("SELECT count(*) FROM grp WHERE max_parallel = 7"), ELEMENTSOF(names));
    ck_assert_int_eq(rig_sql("SELECT capacity FROM resource WHERE name = 'gpu'"), 3);
    ck_assert_int_eq(rig_sql("SELECT count(*) FROM backend WHERE settings = '{}' OR polling"), 2);
    /* Those of the one that is lost went with it. */
    ck_assert_int_eq(rig_sql("SELECT count(*) FROM operation"), 0);
    ck_assert_int_eq(rig_sql("SELECT count(*) FROM attempt"), ATTEMPTS / 2);
    ck_assert_int_eq(rig_sql("SELECT count(*) FROM attempt WHERE task_id = 5"), ATTEMPTS / 2);
}
END_TEST

static const struct {
    uint64_t after, after_any;
    TaskState state;
} dependents[] = {
    {1, ENDED, TASK_WAITING},      /* they are there */
    {3, 0, TASK_WAITING},          /* it was removed */
    {ACTIVE, 0, TASK_INTERRUPTED}, /* it is lost */
    {1, ACTIVE, TASK_INTERRUPTED}, {0, 0, TASK_WAITING},
};

static void put_dependent(uint64_t id, uint64_t after, uint64_t after_any) {
    Task *t = unit_task_new(id);

    t->state = TASK_WAITING;
    MUST(id_list_new(&t->spec->after, &after, after > 0) == 0);
    MUST(id_list_new(&t->spec->after_any, &after_any, after_any > 0) == 0);
    rig_put(t);
    task_free(t);
}

/* Who waits for what is lost is not to run as if that had ended well. */
START_TEST(test_dependents_of_lost) {
    uint64_t id = ENDED + 500;

    make_history();
    rig_open();
    rig_remove(3);
    for (size_t i = 0; i < ELEMENTSOF(dependents); i++)
        put_dependent(id + i, dependents[i].after, dependents[i].after_any);
    rig_close();
    damage_page_of("label-1000");
    opens_after_damage();
    for (size_t i = 0; i < ELEMENTSOF(dependents); i++) {
        const Task *t = rig_read_one(id + i);
        ck_assert_int_eq(t->state, dependents[i].state);
        ck_assert(task_is_final(t) == (strstr(strempty(t->message), "come after") != NULL));
    }
}
END_TEST

/* A page of the attempts is gone: the others are there. */
START_TEST(test_attempts_in_the_middle) {
    make_history();
    rig_damage(rig_path(""), find_text_again("again-and-again", ATTEMPTS / 2) / PAGE * PAGE, PAGE);
    damage_page_of("label-1000"); /* which is noticed at the start */
    opens_after_damage();
    int64_t left = rig_sql("SELECT count(*) FROM attempt");
    ck_assert_int_gt(left, 0);
    ck_assert_int_lt(left, ATTEMPTS / 2);
    ck_assert_ptr_nonnull(rig_read_one(5));
}
END_TEST

/* Its request is gone, the task is known: it has an end, and says why. */
START_TEST(test_request_of_active_task) {
    make_history();
    MUST(rig_sql("UPDATE request SET json = '{\"cwd\":\"/here-it-is\"}' WHERE task_id = 1000"));
    rig_open();
    rig_close();
    damage_page_of("/here-it-is");
    opens_after_damage();
    Task *t = rig_read_one(ACTIVE);
    ck_assert_int_eq(t->state, TASK_INTERRUPTED);
    ck_assert_uint_gt(t->finished_at, t->created_at);
    ck_assert_str_eq(t->spec->label, "label-1000");
    ck_assert_ptr_nonnull(strstr(t->message, "request"));
    ck_assert_uint_eq(count_ended(), ENDED);
}
END_TEST

/* The environment is not what it was, though SQLite cannot see that. */
START_TEST(test_env_changed) {
    make_history();
    rig_damage(rig_path(""), find_text("A=1"), 1);
    rig_damage(rig_path(""), find_text("label-1000") / PAGE * PAGE, PAGE);
    opens_after_damage();
    ck_assert_ptr_null(rig_read_one(1)->spec->env);
    ck_assert_int_eq(rig_sql("SELECT count(*) FROM env"), 0);
}
END_TEST

/* A request that is no JSON any more. */
START_TEST(test_request_is_no_json) {
    make_history();
    MUST(rig_sql("UPDATE request SET json = '{\"cwd\":' WHERE task_id IN (999, 1000)"));
    rig_open();
    ck_assert_ptr_null(rig_damaged);
    ck_assert_uint_eq(rig_load()->n, 0);
    Task *t = rig_read_one(ACTIVE);
    ck_assert_int_eq(t->state, TASK_INTERRUPTED);
    ck_assert_ptr_nonnull(strstr(t->message, "request"));
    t = rig_read_one(999);
    ck_assert_int_eq(t->state, TASK_SUCCEEDED);
    ck_assert_str_eq(t->spec->label, "label-0999");
}
END_TEST

START_TEST(test_truncated) {
    make_history();
    MUST(truncate(rig_path(""), rig_size(rig_path("")) / 2 / PAGE * PAGE) == 0);
    opens_after_damage();
    ck_assert_uint_gt(store_next_id(rig_store), ENDED);
}
END_TEST

/* Ids go on above those of the damaged one. */
START_TEST(test_ids_after_damage) {
    make_history();
    damage_page_of("label-1000");
    rig_open();
    ck_assert_ptr_nonnull(rig_damaged);
    ck_assert_uint_eq(store_next_id(rig_store), ENDED + 1);
}
END_TEST

/* A crash leaves a WAL; it goes with the file, and what it says is read as well. */
START_TEST(test_damaged_with_wal) {
    _cleanup_free_ char *db = NULL, *wal = NULL, *wal_name = NULL;
    Task *t = unit_task_new(ENDED + 1);
    size_t db_size, wal_size;

    make_history();
    rig_open();
    rig_put(t);
    task_free(t);
    db = unit_read(STORE_FILE, &db_size);
    wal = unit_read(STORE_FILE "-wal", &wal_size);
    rig_close();
    unit_write(STORE_FILE, db, db_size);
    damage_page_of("label-1000");
    unit_write(STORE_FILE "-wal", wal, wal_size);
    rig_open();
    ck_assert_ptr_nonnull(rig_damaged);
    MUST(asprintf(&wal_name, "%s-wal", strrchr(rig_damaged, '/') + 1) > 0);
    assert_untouched(wal_name, wal, wal_size);
    ck_assert_uint_eq(rig_load()->n, 1);
    ck_assert_ptr_nonnull(rig_read_one(ENDED + 1));
}
END_TEST

/* A WAL that belongs to nothing is not taken for that of the new file. */
START_TEST(test_wal_alone) {
    char *wal;
    size_t size;

    rig_open();
    for (uint64_t id = 1; id < 4; id++) {
        Task *t = unit_task_new(id);
        rig_put(t);
        task_free(t);
    }
    wal = unit_read(STORE_FILE "-wal", &size);
    rig_close();
    unit_write(STORE_FILE "-wal", wal, size);
    free(wal);
    MUST(unlink(rig_path("")) == 0);
    rig_open();
    ck_assert_ptr_nonnull(rig_damaged);
    ck_assert_uint_eq(rig_load()->n, 0);
}
END_TEST

/* ---- cut short ---- */

static void move_file(const char *from, const char *to) {
    MUST(rename(rig_path(from), rig_path(to)) == 0);
}

/* The damaged one is out of the way, the new one not yet in its place. */
START_TEST(test_resumed) {
    make_history();
    move_file("", ".new");
    unit_write(STORE_FILE "-wal", "left behind", 11);
    rig_open();
    ck_assert_ptr_nonnull(rig_damaged); /* the WAL */
    ck_assert_uint_eq(rig_load()->n, 1);
    ck_assert_uint_eq(count_ended(), ENDED - 1);
    ck_assert(!unit_exists(STORE_FILE ".new"));
}
END_TEST

/* The new one was not finished: it is begun again. */
START_TEST(test_unfinished) {
    make_history();
    move_file("", ".new");
    rig_damage(rig_path(".new"), 60, 4);
    MUST(truncate(rig_path(".new"), 80) == 0);
    unit_write(STORE_FILE ".new-journal", "hot", 3);
    rig_open();
    ck_assert_ptr_null(rig_damaged);
    ck_assert_uint_eq(store_next_id(rig_store), 1);
    ck_assert(!unit_exists(STORE_FILE ".new"));
    ck_assert(!unit_exists(STORE_FILE ".new-journal"));
}
END_TEST

/* ---- rights ---- */

/* As a plain user, in a folder and with a file that it may read alone. */
static void open_as_nobody(mode_t dir_mode, mode_t file_mode, const char *expected) {
    MUST(chmod(unit_dir, dir_mode) == 0);
    MUST(chmod(rig_path(""), file_mode) == 0);
    pid_t pid = fork();
    MUST(pid >= 0);
    if (pid == 0) {
        sd_event *event; /* those of the parent are not for its children */
        Error error = {};
        char *damaged;
        Store *s;
        MUST(sd_event_new(&event) >= 0);
        if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
            _exit(2);
        int r = store_open(&s, event, unit_dir, &damaged, &error);
        bool good = expected ? r == -EREMOTE && strstr(error.message, expected) &&
                                   strstr(error.message, unit_dir)
                             : r == 0;
        if (!good)
            fprintf(stderr, "%d: %s\n", r, strempty(error.message));
        _exit(!good);
    }
    int status;
    MUST(waitpid(pid, &status, 0) == pid);
    MUST(chmod(unit_dir, 0700) == 0);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
}

static void give_to_nobody(const char *path) {
    if (geteuid() == 0)
        MUST(chown(path, 65534, 65534) == 0);
}

START_TEST(test_rights) {
    char base[64];

    make_history();
    rig_open(); /* it is of WAL mode now */
    rig_close();
    strcpy(base, unit_dir);
    *strrchr(base, '/') = '\0';
    MUST(chmod(base, 0755) == 0);
    give_to_nobody(unit_dir);
    give_to_nobody(rig_path(""));
    open_as_nobody(0700, 0400, "writable");
    open_as_nobody(0500, 0600, "writable");
    open_as_nobody(0500, 0400, "writable");
    open_as_nobody(0700, 0000, "writable");
    open_as_nobody(0700, 0600, NULL);
}
END_TEST

START_TEST(test_a_folder) {
    MUST(mkdir(rig_path(""), 0700) == 0);
    _cleanup_free_ char *words = rig_open_refused();
    ck_assert_ptr_nonnull(strstr(words, "irectory"));
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("store-open");
    TCase *t = tcase_create("store-open");
    int versions = migrations_version();

    unit_use_dir(t);
    tcase_add_checked_fixture(t, rig_setup, rig_teardown);
    tcase_add_loop_test(t, test_older_schema, 1, versions + 1);
    tcase_add_loop_test(t, test_older_schema_is_of_use, 1, versions + 1);
    tcase_add_loop_test(t, test_older_schema_is_as_new, 1, versions + 1);
    tcase_add_loop_test(t, test_newer_schema, 0, 2);
    tcase_add_test(t, test_newer_schema_in_wal);
    tcase_add_loop_test(t, test_hopeless, 0, ELEMENTSOF(hopeless));
    tcase_add_test(t, test_page_in_the_middle);
    tcase_add_test(t, test_dependents_of_lost);
    tcase_add_test(t, test_attempts_in_the_middle);
    tcase_add_test(t, test_request_of_active_task);
    tcase_add_test(t, test_env_changed);
    tcase_add_test(t, test_request_is_no_json);
    tcase_add_test(t, test_truncated);
    tcase_add_test(t, test_ids_after_damage);
    tcase_add_test(t, test_damaged_with_wal);
    tcase_add_test(t, test_wal_alone);
    tcase_add_test(t, test_resumed);
    tcase_add_test(t, test_unfinished);
    tcase_add_test(t, test_rights);
    tcase_add_test(t, test_a_folder);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
