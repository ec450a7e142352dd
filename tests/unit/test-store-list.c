/* Pages, counts, matches and excess of a history of tens of thousands, held against a plain walk
 * over the same tasks with task_filter_matches(). */

#include <stdio.h>

#include "common/cleanup.h"
#include "tests/unit/store-rig.h"

#define TASKS 20000
#define PARENTS 5

static Task *tasks[TASKS]; /* by id: task i has id 3 * (i + 1) */
static bool retried[TASKS];
static unsigned n_groups;

static unsigned random_below(unsigned n) {
    static uint64_t state = 88172645463325252;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 33) % n;
}

static const char *const kinds[] = {"noop", "command", "checksum"};

static const char *group_name(unsigned i) {
    static char name[32];

    snprintf(name, sizeof(name), "group-%u", i);
    return name;
}

/* Times of creation rise, but for the clock that was set back in the middle. */
static uint64_t creation(size_t i) {
    return 1000000 + 10 * (i < TASKS / 2 ? i : i - TASKS / 4);
}

static Task *random_task(size_t i) {
    Task *t = unit_task_new(3 * (i + 1));
    bool active = random_below(50) == 0;
    char label[32];

    snprintf(label, sizeof(label), "job %u of Alpha", random_below(1000));
    unit_set(&t->spec->kind, kinds[random_below(ELEMENTSOF(kinds))]);
    unit_set(&t->spec->group, group_name(random_below(n_groups)));
    unit_set(&t->spec->label, label);
    t->spec->parent = random_below(3) ? 0 : 1 + random_below(PARENTS);
    t->created_at = creation(i);
    t->state = active
                   ? (TaskState)random_below(TASK_SUCCEEDED)
                   : (TaskState)(TASK_SUCCEEDED + random_below(_TASK_STATE_MAX - TASK_SUCCEEDED));
    t->finished_at = active ? 0 : 5000000 + random_below(1000000);
    task_work_make(t)->log_kept = random_below(3) * 100;
    if (i > 0 && random_below(4) == 0) {
        size_t of = random_below((unsigned)i);
        t->retry_of = 3 * (of + 1);
        retried[of] = true;
    }
    return t;
}

static void setup(unsigned groups) {
    rig_setup();
    rig_open();
    n_groups = groups;
    for (size_t i = 0; i < TASKS; i++)
        tasks[i] = random_task(i);
    rig_put_many(tasks, TASKS);
}

static void setup_few_groups(void) {
    setup(3);
}

/* More than there can be walks at a time. */
static void setup_many_groups(void) {
    setup(100);
}

static void teardown(void) {
    for (size_t i = 0; i < TASKS; i++)
        tasks[i] = task_free(tasks[i]);
    rig_teardown();
}

/* ---- the plain walk ---- */

static bool expected(const TaskFilter *f, const Task *t) {
    return t && task_is_final(t) && task_filter_matches(f, t) &&
           !(f->not_retried && retried[t->id / 3 - 1]) &&
           (f->cursor == 0 || (f->newest_first ? t->id <= f->cursor : t->id >= f->cursor));
}

static Task *walk(const TaskFilter *f, size_t *at) {
    while (*at < TASKS) {
        Task *t = tasks[f->newest_first ? TASKS - 1 - *at : *at];
        ++*at;
        if (expected(f, t))
            return t;
    }
    return NULL;
}

static void assert_page(const TaskFilter *f) {
    const RigAnswer *a = rig_list(f);
    size_t at = 0;

    ck_assert_int_eq(a->error, 0);
    MUST(a->n <= f->limit);
    for (size_t i = 0; i < a->n; i++) {
        Task *t = walk(f, &at);
        MUST(t && a->tasks[i] && a->tasks[i]->id == t->id);
        MUST(a->tasks[i]->state == t->state && a->tasks[i]->created_at == t->created_at);
    }
    Task *next = walk(f, &at);
    MUST(!next || a->n == f->limit); /* nothing is missing */
    ck_assert_uint_eq(a->next, next ? next->id : 0);
}

static void assert_counts(const TaskFilter *f) {
    TaskFilter all = *f;
    uint32_t counts[_TASK_STATE_MAX] = {};
    const RigAnswer *a = rig_count(f);

    all.cursor = 0;
    for (size_t i = 0; i < TASKS; i++)
        if (expected(&all, tasks[i]))
            counts[tasks[i]->state]++;
    ck_assert_int_eq(a->error, 0);
    for (unsigned i = 0; i < _TASK_STATE_MAX; i++)
        MUST(a->counts[i] == counts[i]);
}

static void assert_matches(const TaskFilter *f) {
    const RigAnswer *a = rig_match(f);
    size_t at = 0;

    ck_assert_int_eq(a->error, 0);
    for (size_t i = 0; i < a->n; i++) {
        Task *t = walk(f, &at);
        MUST(t && a->ids[i] == t->id);
    }
    MUST(a->n == STORE_IDS_MAX || !walk(f, &at));
}

static TaskFilter random_filter(void) {
    static const char *const labels[] = {"7", "Alpha", "alpha", "job 99", "", "%", "of A"};
    static const uint32_t limits[] = {1, 7, 100, TASK_FILTER_LIMIT_MAX};
    static const unsigned states[] = {
        1u << TASK_FAILED, 1u << TASK_RUNNING, 1u << TASK_SUCCEEDED | 1u << TASK_QUEUED,
        1u << TASK_TIMED_OUT | 1u << TASK_CANCELLED | 1u << TASK_INTERRUPTED, ~0u};
    TaskFilter f = {.limit = limits[random_below(ELEMENTSOF(limits))],
                    .newest_first = random_below(2)};

    if (random_below(2))
        f.states = states[random_below(ELEMENTSOF(states))];
    if (random_below(3) == 0)
        f.group = group_name(random_below(n_groups + 1)); /* the last one has no tasks */
    if (random_below(3) == 0)
        f.kind = random_below(9) ? kinds[random_below(ELEMENTSOF(kinds))] : "countdown";
    if (random_below(3) == 0)
        f.parent = 1 + random_below(PARENTS + 1); /* the last one has no children */
    if (random_below(4) == 0)
        f.label = labels[random_below(ELEMENTSOF(labels))];
    if (random_below(4) == 0)
        f.search = labels[random_below(ELEMENTSOF(labels))];
    if (random_below(4) == 0)
        f.since = random_below(9) ? creation(random_below(TASKS)) : UINT64_MAX;
    if (random_below(4) == 0)
        f.until = random_below(9) ? creation(random_below(TASKS)) : UINT64_MAX;
    f.not_retried = random_below(8) == 0;
    if (random_below(2))
        f.cursor = random_below(30) ? 1 + random_below(3 * TASKS + 10) : UINT64_MAX;
    return f;
}

START_TEST(test_against_walk) {
    for (unsigned i = 0; i < 120; i++) {
        TaskFilter f = random_filter();
        assert_page(&f);
        assert_counts(&f);
        assert_matches(&f);
    }
}
END_TEST

/* Page by page, each task comes once. */
START_TEST(test_all_pages) {
    for (unsigned newest_first = 0; newest_first < 2; newest_first++) {
        TaskFilter f = {.limit = 999, .group = "group-1", .newest_first = newest_first};
        TaskFilter all = f;
        size_t at = 0;
        do {
            const RigAnswer *a = rig_list(&f);
            ck_assert_int_eq(a->error, 0);
            for (size_t i = 0; i < a->n; i++)
                MUST(a->tasks[i]->id == walk(&all, &at)->id);
            f.cursor = a->next;
        } while (f.cursor > 0);
        ck_assert_ptr_null(walk(&all, &at));
    }
}
END_TEST

/* Children of one task, whatever there is besides them. */
START_TEST(test_children) {
    TaskFilter f = {.limit = TASK_FILTER_LIMIT_MAX, .parent = 2};

    for (unsigned newest_first = 0; newest_first < 2; newest_first++) {
        f.newest_first = newest_first;
        assert_page(&f);
        assert_counts(&f);
        assert_matches(&f);
    }
    f.parent = UINT64_MAX;
    ck_assert_uint_eq(rig_list(&f)->n, 0);
}
END_TEST

START_TEST(test_no_states_but_active) {
    TaskFilter f = {.states = 1u << TASK_RUNNING | 1u << TASK_QUEUED, .limit = 10};

    ck_assert_uint_eq(rig_list(&f)->n, 0);
    ck_assert_uint_eq(rig_match(&f)->n, 0);
    ck_assert_uint_eq(rig_count(&f)->counts[TASK_RUNNING], 0);
}
END_TEST

/* ---- totals and retention ---- */

/* What is kept by triggers is what there is. */
static void assert_totals(void) {
    ck_assert_int_eq(rig_sql("SELECT (SELECT tasks FROM ended_all) ="
                             " (SELECT count(*) FROM task WHERE finished_at > 0)"),
                     1);
    ck_assert_int_eq(rig_sql("SELECT (SELECT log_kept FROM ended_all) ="
                             " (SELECT sum(log_kept) FROM task WHERE finished_at > 0)"),
                     1);
    ck_assert_int_eq(rig_sql("SELECT count(*) FROM"
                             " (SELECT grp, kind, state, count(*), sum(log_kept) FROM task"
                             "  WHERE finished_at > 0 GROUP BY 1, 2, 3"
                             "  EXCEPT SELECT * FROM ended)"),
                     0);
    ck_assert_int_eq(rig_sql("SELECT count(*) FROM"
                             " (SELECT * FROM ended EXCEPT"
                             "  SELECT grp, kind, state, count(*), sum(log_kept) FROM task"
                             "  WHERE finished_at > 0 GROUP BY 1, 2, 3)"),
                     0);
}

static void remove_ids(const uint64_t *ids, size_t n) {
    StoreBatch *b = store_batch_new();

    for (size_t i = 0; i < n; i++) {
        MUST(store_batch_remove_task(b, ids[i]) == 0);
        tasks[ids[i] / 3 - 1] = task_free(tasks[ids[i] / 3 - 1]);
    }
    ck_assert_int_eq(rig_commit(b), 0);
}

START_TEST(test_totals) {
    assert_totals();
    /* Some end, some change after their ends, some go. */
    for (size_t i = 0; i < 300; i++) {
        task_work_make(tasks[i])->log_kept++;
        if (!task_is_final(tasks[i])) {
            tasks[i]->state = TASK_CANCELLED;
            tasks[i]->finished_at = 7000000;
        }
    }
    rig_put_many(tasks, 300);
    assert_totals();
    remove_ids((const uint64_t[]){3, 6, 9, 300}, 4);
    assert_totals();
    for (unsigned i = 0; i < 20; i++) {
        TaskFilter f = random_filter();
        assert_page(&f);
        assert_counts(&f);
    }
}
END_TEST

static const StoreLimits keep_all = {.tasks = UINT64_MAX, .log_bytes = UINT64_MAX};

static uint64_t count_ended(uint64_t *ret_log_kept) {
    uint64_t n = 0;

    *ret_log_kept = 0;
    for (size_t i = 0; i < TASKS; i++)
        if (tasks[i] && task_is_final(tasks[i])) {
            *ret_log_kept += task_work(tasks[i])->log_kept;
            n++;
        }
    return n;
}

/* Those that are named ended before all others, and are in the order of their ends. */
static void assert_oldest(const RigAnswer *a) {
    uint64_t last = 0, older = 0;

    ck_assert_int_eq(a->error, 0);
    for (size_t i = 0; i < a->n; i++) {
        const Task *t = tasks[a->ids[i] / 3 - 1];
        MUST(t && task_is_final(t) && t->finished_at >= last);
        last = t->finished_at;
    }
    for (size_t i = 0; i < TASKS; i++)
        older += tasks[i] && task_is_final(tasks[i]) && tasks[i]->finished_at < last;
    ck_assert_uint_le(older, a->n);
}

START_TEST(test_excess_none) {
    uint64_t log_kept, n = count_ended(&log_kept);

    ck_assert_uint_eq(rig_excess(keep_all)->n, 0);
    ck_assert_uint_eq(rig_excess((StoreLimits){n, log_kept, 0})->n, 0);
    ck_assert_uint_eq(rig_excess((StoreLimits){n, log_kept, 5000000})->n, 0);
}
END_TEST

START_TEST(test_excess_tasks) {
    uint64_t log_kept, n = count_ended(&log_kept);

    ck_assert_uint_eq(rig_excess((StoreLimits){n - 17, UINT64_MAX, 0})->n, 17);
    assert_oldest(rig_excess((StoreLimits){n - 17, UINT64_MAX, 0}));
    /* By and by. */
    uint64_t left = n;
    for (const RigAnswer *a; (a = rig_excess((StoreLimits){n - 2500, UINT64_MAX, 0}))->n > 0;) {
        ck_assert_uint_eq(a->n, MIN(left - (n - 2500), (uint64_t)STORE_IDS_MAX));
        assert_oldest(a);
        left -= a->n;
        remove_ids(a->ids, a->n);
    }
    ck_assert_uint_eq(left, n - 2500);
}
END_TEST

START_TEST(test_excess_bytes) {
    uint64_t log_kept, freed = 0;

    count_ended(&log_kept);
    const RigAnswer *a = rig_excess((StoreLimits){UINT64_MAX, log_kept - 5000, 0});
    ck_assert_uint_gt(a->n, 0);
    assert_oldest(a);
    for (size_t i = 0; i < a->n; i++) {
        ck_assert_uint_lt(freed, 5000); /* not one more than it takes */
        freed += task_work(tasks[a->ids[i] / 3 - 1])->log_kept;
    }
    ck_assert_uint_ge(freed, 5000);
}
END_TEST

START_TEST(test_excess_age) {
    size_t older = 0;

    for (size_t i = 0; i < TASKS; i++)
        older += task_is_final(tasks[i]) && tasks[i]->finished_at < 5020000;
    const RigAnswer *a = rig_excess((StoreLimits){UINT64_MAX, UINT64_MAX, 5020000});
    ck_assert_uint_gt(older, 0);
    ck_assert_uint_eq(a->n, older);
    assert_oldest(a);
    ck_assert_uint_eq(rig_excess((StoreLimits){UINT64_MAX, UINT64_MAX, UINT64_MAX})->n,
                      STORE_IDS_MAX);
}
END_TEST

/* ---- large requests ---- */

/* A page holds no more than a reply can. */
START_TEST(test_page_of_large_requests) {
    enum {
        N = 50
    };
    Task *large[N];
    size_t seen = 0, pages = 0;
    TaskFilter f = {.limit = N};

    rig_setup();
    rig_open();
    for (size_t i = 0; i < N; i++) {
        large[i] = rig_ended(i + 1, TASK_SUCCEEDED);
        free(large[i]->spec->params);
        large[i]->spec->params = unit_repeat('x', TASK_PARAMS_MAX);
    }
    rig_put_many(large, N);
    do {
        const RigAnswer *a = rig_list(&f);
        ck_assert_int_eq(a->error, 0);
        ck_assert_uint_le(a->n, 33);
        for (size_t i = 0; i < a->n; i++)
            ck_assert_uint_eq(a->tasks[i]->id, ++seen);
        f.cursor = a->next;
        pages++;
    } while (f.cursor > 0);
    ck_assert_uint_eq(seen, N);
    ck_assert_uint_eq(pages, 2);
    for (size_t i = 0; i < N; i++)
        task_free(large[i]);
    rig_teardown();
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("store-list");
    TCase *few = tcase_create("few groups"), *many = tcase_create("many groups"),
          *large = tcase_create("large requests");

    unit_use_dir(few);
    tcase_add_checked_fixture(few, setup_few_groups, teardown);
    tcase_add_test(few, test_against_walk);
    tcase_add_test(few, test_all_pages);
    tcase_add_test(few, test_children);
    tcase_add_test(few, test_no_states_but_active);
    tcase_add_test(few, test_totals);
    tcase_add_test(few, test_excess_none);
    tcase_add_test(few, test_excess_tasks);
    tcase_add_test(few, test_excess_bytes);
    tcase_add_test(few, test_excess_age);
    suite_add_tcase(s, few);

    unit_use_dir(many);
    tcase_add_checked_fixture(many, setup_many_groups, teardown);
    tcase_add_test(many, test_against_walk);
    tcase_add_test(many, test_all_pages);
    suite_add_tcase(s, many);

    unit_use_dir(large);
    tcase_add_test(large, test_page_of_large_requests);
    suite_add_tcase(s, large);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
