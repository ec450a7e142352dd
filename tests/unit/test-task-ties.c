/* What ties tasks together: dependencies, parents and children, and what may not be tied. */

#include <errno.h>

#include "daemon/core/task-ties.h"
#include "tests/unit/unit-task.h"

#define N 12
#define MANY 10000

static Task *tasks[N + 1]; /* by id */

static void setup(void) {
    for (uint64_t id = 1; id <= N; id++)
        tasks[id] = unit_task_new(id);
}

static void teardown(void) {
    for (uint64_t id = 1; id <= N; id++)
        tasks[id] = task_free(tasks[id]);
}

/* ---- what an end is for whom ---- */

/* clang-format off */
static const struct {
    TaskState state;
    bool after, after_any, after_failed;
} ends[] = {
    {TASK_SUCCEEDED,   true,  true,  false},
    {TASK_FAILED,      false, true,  true},
    {TASK_TIMED_OUT,   false, true,  true},
    {TASK_INTERRUPTED, false, true,  true},
    {TASK_CANCELLED,   false, true,  false},
    {TASK_SKIPPED,     false, true,  false},
    {TASK_RUNNING,     false, false, false},
    {TASK_WAITING,     false, false, false},
};
/* clang-format on */

START_TEST(test_met) {
    const bool met[] = {
        [DEPENDENCY_AFTER] = ends[_i].after,
        [DEPENDENCY_AFTER_ANY] = ends[_i].after_any,
        [DEPENDENCY_AFTER_FAILED] = ends[_i].after_failed,
    };

    for (DependencyKind kind = 0; kind < ELEMENTSOF(met); kind++)
        ck_assert_int_eq(dependency_is_met(kind, ends[_i].state), met[kind]);
}
END_TEST

/* One on a task that has ended is settled at once. */
START_TEST(test_on_ended) {
    const bool met[] = {
        [DEPENDENCY_AFTER] = ends[_i].after,
        [DEPENDENCY_AFTER_ANY] = ends[_i].after_any,
        [DEPENDENCY_AFTER_FAILED] = ends[_i].after_failed,
    };
    bool final = task_state_is_final(ends[_i].state);

    tasks[1]->state = ends[_i].state;
    for (DependencyKind kind = 0; kind < ELEMENTSOF(met); kind++)
        ck_assert_int_eq(task_ties_add_dependency(tasks[2], kind, tasks[1]), !final      ? 1
                                                                             : met[kind] ? 0
                                                                                         : -ESRCH);
    ck_assert(!tasks[2]->ties == final);
}
END_TEST

START_TEST(test_meet) {
    for (uint64_t id = 2; id <= 4; id++)
        ck_assert_int_eq(task_ties_add_dependency(tasks[1], DEPENDENCY_AFTER, tasks[id]), 1);
    ck_assert_uint_eq(tasks[1]->ties->n_needs, 3);
    ck_assert(!task_ties_meet(TAILQ_FIRST(&tasks[3]->ties->needed_by)));
    ck_assert(TAILQ_EMPTY(&tasks[3]->ties->needed_by));
    task_ties_undo(tasks[2]); /* gone without an end */
    ck_assert_uint_eq(tasks[1]->ties->n_needs, 1);
    ck_assert(task_ties_meet(TAILQ_FIRST(&tasks[1]->ties->needs)));
    task_ties_undo(tasks[1]);
    ck_assert_ptr_null(tasks[1]->ties);
    task_ties_undo(tasks[1]);
    ck_assert_ptr_null(task_ties_free(NULL));
}
END_TEST

/* ---- the tree ---- */

/* 1 has 2, 3 and 4; 2 has 5 and 6, 6 has 7. */
static void grow(void) {
    static const struct {
        unsigned child, parent;
    } tree[] = {{2, 1}, {3, 1}, {4, 1}, {5, 2}, {6, 2}, {7, 6}};

    for (size_t i = 0; i < ELEMENTSOF(tree); i++)
        ck_assert_int_eq(task_ties_set_parent(tasks[tree[i].child], tasks[tree[i].parent]), 0);
}

static void expect_walk(unsigned root, const unsigned *ids) {
    const Task *t = tasks[root];

    for (; *ids; ids++) {
        t = task_next_in_tree(tasks[root], t);
        ck_assert_ptr_nonnull(t);
        ck_assert_uint_eq(t->id, *ids);
    }
    ck_assert_ptr_null(task_next_in_tree(tasks[root], t));
}

START_TEST(test_tree) {
    expect_walk(1, (unsigned[]){0});
    grow();
    expect_walk(1, (unsigned[]){2, 5, 6, 7, 3, 4, 0});
    expect_walk(2, (unsigned[]){5, 6, 7, 0}); /* not beyond it */
    expect_walk(7, (unsigned[]){0});
    ck_assert_uint_eq(task_child_count(tasks[1]), 3);
    ck_assert_uint_eq(task_child_count(tasks[8]), 0);
    ck_assert_ptr_eq(task_parent(tasks[7]), tasks[6]);
    ck_assert_ptr_null(task_parent(tasks[1]));

    task_ties_undo(tasks[3]); /* a child goes */
    expect_walk(1, (unsigned[]){2, 5, 6, 7, 4, 0});
    task_ties_undo(tasks[2]); /* and one with children */
    expect_walk(1, (unsigned[]){4, 0});
    ck_assert_ptr_null(task_parent(tasks[5]));
    expect_walk(6, (unsigned[]){7, 0});
    ck_assert_int_eq(task_ties_set_parent(tasks[6], tasks[4]), 0);
    ck_assert_int_eq(task_ties_set_parent(tasks[6], tasks[1]), 0); /* another one */
    expect_walk(1, (unsigned[]){4, 6, 7, 0});
    ck_assert_uint_eq(task_child_count(tasks[4]), 0);
}
END_TEST

/* ---- cycles ---- */

/* In the tree of above: these wait for others, and then a new task with that parent is to wait for
 * that one. */
static const struct {
    struct {
        unsigned task, on;
    } waits[4];
    unsigned parent, on;
    bool cycle;
} cycles[] = {
    {{}, 1, 8, false},
    {{}, 1, 1, true},        /* its parent itself */
    {{}, 7, 1, true},        /* the parent's parent, who waits for all of it too */
    {{}, 1, 2, false},       /* a sister or brother */
    {{}, 4, 2, false},       /* one from another branch */
    {{{8, 1}}, 1, 8, true},  /* who waits for the parent */
    {{{8, 1}}, 7, 8, true},  /* or for who waits for it */
    {{{8, 7}}, 1, 8, false}, /* for a child of it: that is no matter */
    {{{8, 7}}, 7, 8, true},
    {{{9, 8}, {8, 2}}, 2, 9, true},
    {{{9, 8}, {8, 2}}, 4, 9, false},
    {{{10, 9}, {9, 8}, {8, 1}}, 2, 10, true},
    {{{3, 7}}, 7, 1, true},
    {{{3, 7}}, 7, 3, true},
    {{{8, 3}}, 4, 8, false},
    {{{2, 4}}, 4, 2, true}, /* waits for the parent, as do its children */
    {{{5, 4}}, 4, 2, true}, /* over a child, for whom it waits */
    {{{5, 4}}, 4, 6, false},
    {{{9, 8}, {8, 4}, {6, 9}}, 4, 2, true},
};

START_TEST(test_cycle) {
    grow();
    for (size_t i = 0; i < ELEMENTSOF(cycles[0].waits) && cycles[_i].waits[i].task; i++)
        ck_assert_int_eq(task_ties_add_dependency(tasks[cycles[_i].waits[i].task],
                                                  DEPENDENCY_AFTER_ANY,
                                                  tasks[cycles[_i].waits[i].on]),
                         1);
    Task *on[] = {tasks[11], tasks[cycles[_i].on], tasks[12]};
    /* More than once: it leaves nothing behind. */
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(task_ties_would_cycle(on, ELEMENTSOF(on), tasks[cycles[_i].parent]),
                         cycles[_i].cycle);
    ck_assert(!task_ties_would_cycle(on, ELEMENTSOF(on), NULL));
    ck_assert(!task_ties_would_cycle(NULL, 0, tasks[cycles[_i].parent]));
}
END_TEST

/* Nothing here calls itself: the stack is not for the depth of what people build. */
START_TEST(test_deep) {
    static Task *chain[MANY], *line[MANY];

    for (unsigned i = 0; i < MANY; i++) {
        chain[i] = unit_task_new(100 + i);
        line[i] = unit_task_new(100 + MANY + i);
        if (i == 0)
            continue;
        MUST(task_ties_add_dependency(chain[i], DEPENDENCY_AFTER, chain[i - 1]) == 1);
        MUST(task_ties_set_parent(line[i], line[i - 1]) == 0);
    }
    ck_assert(task_ties_would_cycle(&chain[MANY - 1], 1, chain[0]));
    ck_assert(!task_ties_would_cycle(&chain[0], 1, chain[MANY - 1]));
    ck_assert(task_ties_would_cycle(&line[0], 1, line[MANY - 1]));
    unsigned n = 0;
    for (Task *t = line[0]; (t = task_next_in_tree(line[0], t)); n++)
        ck_assert_ptr_eq(t, line[n + 1]);
    ck_assert_uint_eq(n, MANY - 1);
    for (unsigned i = 0; i < MANY; i++) {
        task_free(chain[i]);
        task_free(line[i]);
    }
}
END_TEST

/* A parent with a chain of children that somebody waits for: each new one is looked at, and not the
 * whole chain. */
START_TEST(test_chain_of_children) {
    static Task *chain[5 * MANY];
    Task *parent = unit_task_new(100), *waits = unit_task_new(101);

    MUST(task_ties_add_dependency(waits, DEPENDENCY_AFTER, parent) == 1);
    for (unsigned i = 0; i < ELEMENTSOF(chain); i++) {
        chain[i] = unit_task_new(102 + i);
        if (i > 0) {
            MUST(task_ties_add_dependency(chain[i], DEPENDENCY_AFTER, chain[i - 1]) == 1);
            ck_assert(!task_ties_would_cycle(&chain[i - 1], 1, parent));
        }
        MUST(task_ties_set_parent(chain[i], parent) == 0);
    }
    Task *on[] = {chain[ELEMENTSOF(chain) - 1], waits};
    ck_assert(task_ties_would_cycle(on, ELEMENTSOF(on), parent));
    for (unsigned i = 0; i < ELEMENTSOF(chain); i++)
        task_free(chain[i]);
    task_free(waits);
    task_free(parent);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("task-ties");
    TCase *t = tcase_create("task-ties");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, test_met, 0, ELEMENTSOF(ends));
    tcase_add_loop_test(t, test_on_ended, 0, ELEMENTSOF(ends));
    tcase_add_test(t, test_meet);
    tcase_add_test(t, test_tree);
    tcase_add_loop_test(t, test_cycle, 0, ELEMENTSOF(cycles));
    tcase_add_test(t, test_deep);
    tcase_add_test(t, test_chain_of_children);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
