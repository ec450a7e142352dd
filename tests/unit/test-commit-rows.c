/* What a commit takes to the disk beside the rows of tasks: groups, resources, backends,
 * operations, attempts. */

#include "common/clock.h"
#include "tests/unit/commit-rig.h"

/* As it is when the commit begins, once, with what else there is. */
START_TEST(test_group) {
    Group *g = rig_new_group("builds", 1);

    commit_queue_put_group(rig_queue, g, true);
    commit_queue_put_group(rig_queue, g, true);
    ck_assert(sd_event_run(rig_event, 0) == 0); /* in no hurry */
    ck_assert(!commit_queue_is_empty(rig_queue));
    commit_queue_put(rig_queue, rig_tasks[0]);
    commit_queue_put_group(rig_queue, g, false);
    g->max_parallel = 2;
    rig_add(1);
    rig_until_empty();
    ck_assert_uint_eq(rig_commits, 1);
    ck_assert(!g->is_listed);
    rig_expect_groups("builds=2 ");
    group_free(g);
}
END_TEST

START_TEST(test_group_later_alone) {
    uint64_t begun = clock_usec(CLOCK_MONOTONIC);
    Group *g = rig_new_group("builds", 1);

    commit_queue_put_group(rig_queue, g, true);
    rig_until_empty();
    ck_assert_uint_ge(clock_usec(CLOCK_MONOTONIC) - begun, 40 * USEC_PER_MSEC);
    rig_expect_groups("builds=1 ");
    group_free(g);
}
END_TEST

/* Changed again while the first change is on its way, and in no hurry. */
START_TEST(test_group_under_way) {
    Group *g = rig_new_group("builds", 1);

    commit_queue_put_group(rig_queue, g, false);
    rig_until_prepared(1);
    ck_assert(!g->is_listed);
    g->max_parallel = 2;
    commit_queue_put_group(rig_queue, g, true);
    rig_until_empty();
    ck_assert_uint_eq(rig_commits, 2);
    rig_expect_groups("builds=2 ");
    group_free(g);
}
END_TEST

/* One that is removed may be freed at once, wherever its row is, and another have its name. */
START_TEST(test_group_removed) {
    for (unsigned i = 0; i < 3; i++) {
        Group *old = rig_new_group("builds", 1), *fresh = rig_new_group("builds", 2 + i);
        commit_queue_put_group(rig_queue, old, false);
        if (i >= 1)
            rig_until_prepared(rig_prepared + 1); /* it is on its way */
        if (i == 2)
            rig_until_empty(); /* it is there */
        MUST(commit_queue_remove_group(rig_queue, old) == 0);
        group_free(old);
        commit_queue_put_group(rig_queue, fresh, false);
        rig_until_empty();
        ck_assert_int_eq(rig_load_groups()[strlen("builds=")], (char)('2' + i));
        MUST(commit_queue_remove_group(rig_queue, fresh) == 0);
        group_free(fresh);
        rig_until_empty();
        rig_expect_groups("");
    }
}
END_TEST

START_TEST(test_resources) {
    char name[] = "net";

    MUST(commit_queue_put_resource(rig_queue, "gpu", 1) == 0);
    MUST(commit_queue_put_resource(rig_queue, name, 5) == 0);
    MUST(commit_queue_put_resource(rig_queue, "gpu", 2) == 0);
    name[0] = '\0'; /* it was copied */
    ck_assert(!commit_queue_is_empty(rig_queue));
    rig_until_empty();
    rig_expect_resources("gpu=2 net=5 ");
    MUST(commit_queue_put_resource(rig_queue, "gpu", 0) == 0);
    rig_until_empty();
    rig_expect_resources("net=5 ");
}
END_TEST

START_TEST(test_backends) {
    char name[] = "home", settings[] = "{}";

    MUST(commit_queue_put_backend(rig_queue, name, settings, true) == 0);
    MUST(commit_queue_put_backend(rig_queue, "file", "", false) == 0);
    memset(name, 0, sizeof(name)); /* they were copied */
    memset(settings, 0, sizeof(settings));
    ck_assert(!commit_queue_is_empty(rig_queue));
    rig_until_empty();
    rig_expect_backends("file=0 home=21 ");
    MUST(commit_queue_put_backend(rig_queue, "home", "{ }", false) == 0);
    MUST(commit_queue_remove_backend(rig_queue, "file") == 0);
    rig_until_empty();
    rig_expect_backends("home=30 ");
    MUST(commit_queue_put_backend(rig_queue, "home", "{}", true) == 0);
    MUST(commit_queue_remove_backend(rig_queue, "home") == 0);
    rig_until_empty();
    rig_expect_backends("");
}
END_TEST

/* With the row of its task, in the same commit, or later. */
START_TEST(test_operation) {
    char json[] = "{\"key\":1}";

    commit_queue_put(rig_queue, rig_tasks[0]);
    if (_i > 0)
        rig_until_empty();
    MUST(commit_queue_put_operation(rig_queue, 1, json) == 0);
    json[0] = '\0';
    rig_until_empty();
    rig_expect_operations("{\"key\":1}=1 ");
    MUST(commit_queue_put_operation(rig_queue, 1, "{}") == 0);
    rig_until_empty();
    rig_expect_operations("{}=1 ");
    MUST(commit_queue_put_operation(rig_queue, 1, NULL) == 0);
    rig_until_empty();
    rig_expect_operations("");
}
END_TEST

/* With the row of a new task, and of one that is there; removed with it. */
START_TEST(test_attempt) {
    char message[] = "exit";

    if (_i > 0) {
        commit_queue_put(rig_queue, rig_tasks[0]);
        rig_until_empty();
    }
    rig_put_attempt(message);
    message[0] = '\0';
    rig_until_empty();
    rig_expect_attempts("exit=1 ");
    MUST(commit_queue_remove(rig_queue, 1) == 0);
    rig_until_empty();
    commit_queue_put(rig_queue, rig_tasks[1]);
    rig_until_empty();
    rig_expect_attempts("");
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("commit-rows");
    TCase *t = tcase_create("commit-rows");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, rig_setup, rig_teardown);
    tcase_add_test(t, test_group);
    tcase_add_test(t, test_group_later_alone);
    tcase_add_test(t, test_group_under_way);
    tcase_add_test(t, test_group_removed);
    tcase_add_test(t, test_resources);
    tcase_add_test(t, test_backends);
    tcase_add_loop_test(t, test_operation, 0, 2);
    tcase_add_loop_test(t, test_attempt, 0, 2);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
