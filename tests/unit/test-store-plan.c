/* What the store keeps of plans: groups, resources, attempts, and how a task has ended. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "common/cleanup.h"
#include "daemon/core/task-options.h"
#include "tests/unit/store-rig.h"

static void setup(void) {
    rig_setup();
    rig_open();
}

/* ---- groups ---- */

#define GROUPS 8

static Group *loaded[GROUPS]; /* by name */
static size_t n_loaded;

static void forget_loaded(void) {
    while (n_loaded > 0)
        group_free(loaded[--n_loaded]);
}

static int on_group(void *userdata, Group *g) {
    MUST(n_loaded < GROUPS);
    loaded[n_loaded++] = g;
    return 0;
}

static void load_groups(size_t expected) {
    forget_loaded();
    rig_reopen();
    ck_assert_int_eq(store_load_groups(rig_store, on_group, NULL), 0);
    ck_assert_uint_eq(n_loaded, expected);
}

static void teardown(void) {
    forget_loaded();
    rig_teardown();
}

static Group *full_group(const char *name) {
    Group *g = group_new(name);

    MUST(g);
    g->max_parallel = UINT32_MAX;
    g->max_queued = UINT32_MAX - 1;
    g->paused = true;
    g->draining = true;
    g->turn = UINT64_MAX;
    g->succeeded = UINT32_MAX - 2;
    g->failed = UINT32_MAX - 3;
    g->defaults = task_spec_new("", &(TaskDefaults){.cwd = ""});
    MUST(g->defaults);
    g->defaults->priority = -7;
    g->defaults->timeout_usec = UINT64_MAX;
    unit_set(&g->defaults->on_interrupt, TASK_ON_INTERRUPT_RESTART);
    MUST(token_list_new(&g->defaults->resources, &(TokenClaim){"gpu", 1}, 1) == 0);
    g->defaults->given = task_option_bit(task_option_by_name("priority")) |
                         task_option_bit(task_option_by_name("timeout")) |
                         task_option_bit(task_option_by_name("on-interrupt")) |
                         task_option_bit(task_option_by_name("resources"));
    return g;
}

static void assert_same_group(const Group *a, const Group *b) {
    ck_assert_str_eq(a->name, b->name);
    ck_assert_uint_eq(a->max_parallel, b->max_parallel);
    ck_assert_uint_eq(a->max_queued, b->max_queued);
    ck_assert_int_eq(a->paused, b->paused);
    ck_assert_int_eq(a->draining, b->draining);
    ck_assert_uint_eq(a->turn, b->turn);
    ck_assert_uint_eq(a->succeeded, b->succeeded);
    ck_assert_uint_eq(a->failed, b->failed);
    ck_assert_int_eq(!a->defaults, !b->defaults);
    if (!a->defaults)
        return;
    ck_assert_uint_eq(a->defaults->given, b->defaults->given);
    ck_assert_int_eq(a->defaults->priority, b->defaults->priority);
    ck_assert_uint_eq(a->defaults->timeout_usec, b->defaults->timeout_usec);
    ck_assert_str_eq(a->defaults->on_interrupt, b->defaults->on_interrupt);
    ck_assert_str_eq(a->defaults->resources->claims[0].name, "gpu");
}

static int put_group(const Group *g) {
    StoreBatch *b = store_batch_new();

    MUST(b && store_batch_put_group(b, g) == 0);
    return rig_commit(b);
}

static int remove_group(const char *name) {
    StoreBatch *b = store_batch_new();

    MUST(b && store_batch_remove_group(b, name) == 0);
    return rig_commit(b);
}

START_TEST(test_group) {
    Group *full = full_group("builds"), *bare = group_new("a.b-c_9");

    load_groups(0);
    ck_assert_int_eq(put_group(full), 0);
    ck_assert_int_eq(put_group(bare), 0);
    load_groups(2);
    assert_same_group(loaded[0], bare);
    assert_same_group(loaded[1], full);

    full->paused = false;
    full->defaults = task_spec_free(full->defaults);
    ck_assert_int_eq(put_group(full), 0);
    ck_assert_int_eq(remove_group("a.b-c_9"), 0);
    ck_assert_int_eq(remove_group("never"), 0); /* what is not there is no error */
    load_groups(1);
    assert_same_group(loaded[0], full);
    group_free(full);
    group_free(bare);
}
END_TEST

/* The last of several changes in one commit counts. */
START_TEST(test_group_in_one_commit) {
    StoreBatch *b = store_batch_new();
    Group *g = group_new("builds");

    MUST(store_batch_put_group(b, g) == 0);
    MUST(store_batch_remove_group(b, "builds") == 0);
    g->max_parallel = 3;
    MUST(store_batch_put_group(b, g) == 0);
    g->max_parallel = 4; /* it was copied */
    ck_assert_int_eq(rig_commit(b), 0);
    load_groups(1);
    ck_assert_uint_eq(loaded[0]->max_parallel, 3);
    group_free(g);
}
END_TEST

/* Without what cannot be read it is of use still. */
START_TEST(test_group_with_broken_defaults) {
    const char *const texts[] = {"{", "[]", "\xff"};
    Group *g = full_group("builds");
    char sql[128];

    ck_assert_int_eq(put_group(g), 0);
    snprintf(sql, sizeof(sql), "UPDATE grp SET defaults = '%s'", texts[_i]);
    MUST(rig_sql(sql) == -1);
    load_groups(1);
    ck_assert_ptr_null(loaded[0]->defaults);
    ck_assert(loaded[0]->paused);
    group_free(g);
}
END_TEST

static int on_group_refused(void *userdata, Group *g) {
    group_free(g);
    ++*(size_t *)userdata;
    return -ENOMEM;
}

START_TEST(test_group_refused) {
    Group *g = full_group("builds");
    size_t n = 0;

    ck_assert_int_eq(put_group(g), 0);
    unit_set(&g->name, "others");
    ck_assert_int_eq(put_group(g), 0);
    ck_assert_int_eq(store_load_groups(rig_store, on_group_refused, &n), -ENOMEM);
    ck_assert_uint_eq(n, 1);
    group_free(g);
}
END_TEST

/* ---- resources ---- */

static char resources[256];

static int on_resource(void *userdata, const char *name, uint32_t capacity) {
    size_t n = strlen(resources);

    snprintf(resources + n, sizeof(resources) - n, "%s=%u ", name, capacity);
    return 0;
}

static void assert_resources(const char *expected) {
    resources[0] = '\0';
    rig_reopen();
    ck_assert_int_eq(store_load_resources(rig_store, on_resource, NULL), 0);
    ck_assert_str_eq(resources, expected);
}

static void put_resource(const char *name, uint32_t capacity) {
    StoreBatch *b = store_batch_new();

    MUST(store_batch_put_resource(b, name, capacity) == 0);
    ck_assert(!store_batch_is_empty(b));
    ck_assert_int_eq(rig_commit(b), 0);
}

START_TEST(test_resources) {
    assert_resources("");
    put_resource("net", UINT32_MAX);
    put_resource("gpu", 2);
    assert_resources("gpu=2 net=4294967295 ");
    put_resource("gpu", 1);
    put_resource("net", 0);
    put_resource("never", 0);
    assert_resources("gpu=1 ");
}
END_TEST

/* ---- attempts ---- */

static void put_attempt(uint64_t id, unsigned number, const char *message) {
    const TaskAttempt a = {
        .number = number, .state = TASK_FAILED, .exit_code = 1, .message = (char *)message};
    StoreBatch *b = store_batch_new();

    MUST(store_batch_put_attempt(b, id, &a) == 0);
    ck_assert_int_eq(rig_commit(b), 0);
}

/* A task with one attempt behind it, put in as it was before that. */
static Task *task_with_attempt(uint64_t id) {
    Task *t = unit_task_new(id);
    const TaskAttempt a = {.number = 1, .state = TASK_FAILED};

    rig_put(t);
    t->attempt = 1;
    MUST(task_add_attempt(t, &a) == 0);
    rig_put(t);
    return t;
}

START_TEST(test_attempts_in_order) {
    Task *t = task_with_attempt(5), *other = task_with_attempt(6);

    put_attempt(5, 10, "ten");
    put_attempt(5, 2, NULL);
    put_attempt(5, 2, "two"); /* again */
    put_attempt(6, 1, "of another");
    const Task *read = rig_read_one(5);
    ck_assert_uint_eq(read->n_attempts, 2);
    ck_assert_uint_eq(read->attempts[0].number, 2);
    ck_assert_str_eq(read->attempts[0].message, "two");
    ck_assert_str_eq(read->attempts[1].message, "ten");
    rig_reopen();
    const RigAnswer *a = rig_load();
    ck_assert_uint_eq(a->n, 2);
    ck_assert_uint_eq(a->tasks[0]->n_attempts, 2);
    ck_assert_str_eq(a->tasks[1]->attempts[0].message, "of another");

    rig_remove(t->id);
    ck_assert_int_eq(rig_sql("SELECT count(*) FROM attempt"), 1);
    ck_assert_int_eq(rig_sql("SELECT task_id FROM attempt"), (int64_t)other->id);
    task_free(t);
    task_free(other);
}
END_TEST

/* Pages of the history have them, too. */
START_TEST(test_attempts_in_a_page) {
    _cleanup_(task_freep) Task *t = task_with_attempt(5);

    MUST(task_set_state(t, TASK_CANCELLED, 9000) == 0);
    rig_put(t);
    put_attempt(5, 1, "one");
    const RigAnswer *a = rig_list(&(TaskFilter){.limit = 10});
    ck_assert_uint_eq(a->n, 1);
    ck_assert_uint_eq(a->tasks[0]->n_attempts, 1);
    ck_assert_str_eq(a->tasks[0]->attempts[0].message, "one");
}
END_TEST

/* What is no attempt is passed over; one that says that it has some, and has none, is whole. */
START_TEST(test_attempts_broken) {
    _cleanup_(task_freep) Task *t = task_with_attempt(5);

    ck_assert_uint_eq(rig_read_one(t->id)->n_attempts, 0);
    put_attempt(5, 1, "one");
    put_attempt(5, 2, "two");
    put_attempt(5, 3, "three");
    MUST(rig_sql("UPDATE attempt SET state = 'running' WHERE number = 1"));
    MUST(rig_sql("UPDATE attempt SET state = 'odd' WHERE number = 2"));
    const Task *read = rig_read_one(5);
    ck_assert_uint_eq(read->n_attempts, 1);
    ck_assert_str_eq(read->attempts[0].message, "three");
}
END_TEST

/* Rows that were lost are put in anew by who has them in memory. */
START_TEST(test_attempts_anew) {
    _cleanup_(task_freep) Task *t = unit_task_new(5);
    const TaskAttempt attempt = {.number = 1, .state = TASK_TIMED_OUT, .message = (char *)"late"};

    t->attempt = 1;
    MUST(task_add_attempt(t, &attempt) == 0);
    rig_put(t);
    rig_assert_same(rig_read_one(5), t);
    MUST(rig_sql("UPDATE attempt SET number = 7")); /* of whatever was there before */
    t->stored = false;
    rig_put(t);
    rig_assert_same(rig_read_one(5), t);
}
END_TEST

/* ---- ends ---- */

START_TEST(test_final_state) {
    _cleanup_(task_freep) Task *failed = rig_ended(1, TASK_FAILED), *active = unit_task_new(2),
                               *skipped = unit_task_new(3);
    const struct {
        uint64_t id;
        int r;
        TaskState state;
    } expected[] = {
        {1, 0, TASK_FAILED}, {2, -ENOENT, 0},          {3, 0, TASK_SKIPPED},
        {4, -ENOENT, 0},     {UINT64_MAX, -ENOENT, 0}, {0, -ENOENT, 0},
    };

    MUST(task_set_state(skipped, TASK_SKIPPED, 9000) == 0);
    rig_put_many((Task *[]){failed, active, skipped}, 3);
    rig_reopen();
    for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
        TaskState state = TASK_PAUSED;
        ck_assert_int_eq(store_final_state(rig_store, expected[i].id, &state), expected[i].r);
        ck_assert_int_eq(state, expected[i].r == 0 ? expected[i].state : TASK_PAUSED);
    }
}
END_TEST

/* ---- a disk that takes no more ---- */

static void limit_files(rlim_t size) {
    struct rlimit limit;

    MUST(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    MUST(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = size;
    MUST(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static StoreBatch *plan_batch(Task *t, const Group *g) {
    StoreBatch *b = rig_batch(&t, 1);

    MUST(store_batch_put_group(b, g) == 0);
    MUST(store_batch_put_resource(b, "gpu", 0) == 0);
    return b;
}

/* All of a commit or none of it. */
START_TEST(test_no_room) {
    _cleanup_(task_freep) Task *t = unit_task_new(1);
    Group *g = full_group("builds");

    put_resource("gpu", 2);
    limit_files((rlim_t)rig_size(rig_path("-wal")));
    MUST(rig_commit(plan_batch(t, g)) == -ENOSPC);
    limit_files(RLIM_INFINITY);
    load_groups(0);
    assert_resources("gpu=2 ");
    ck_assert_int_eq(rig_commit(plan_batch(t, g)), 0);
    load_groups(1);
    assert_resources("");
    ck_assert_uint_eq(rig_load()->n, 1);
    group_free(g);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("store-plan");
    TCase *t = tcase_create("store-plan");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_group);
    tcase_add_test(t, test_group_in_one_commit);
    tcase_add_loop_test(t, test_group_with_broken_defaults, 0, 3);
    tcase_add_test(t, test_group_refused);
    tcase_add_test(t, test_resources);
    tcase_add_test(t, test_attempts_in_order);
    tcase_add_test(t, test_attempts_in_a_page);
    tcase_add_test(t, test_attempts_broken);
    tcase_add_test(t, test_attempts_anew);
    tcase_add_test(t, test_final_state);
    tcase_add_test(t, test_no_room);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
