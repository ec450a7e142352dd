/* What becomes of all that waits for a commit when the disk takes no more. */

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "tests/unit/commit-rig.h"

static void limit_files(bool on) {
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    MUST(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = on ? 1 : limit.rlim_max;
    MUST(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static size_t refused[RIG_CALLS_MAX], n_refused;

static void on_answer(void *userdata, void *arg, int error) {
    if (error < 0)
        refused[n_refused++] = (size_t)arg;
    else
        rig_on_call(userdata, arg, 0);
}

/* Who asked is told; what must be done waits until it can be, in its order, before what came later.
 */
START_TEST(test_failure) {
    commit_queue_put(rig_queue, rig_tasks[0]);
    rig_until_empty();
    limit_files(true);
    commit_queue_put(rig_queue, rig_tasks[1]);
    MUST(commit_queue_add(rig_queue, on_answer, rig_calls, (void *)1) == 0);
    commit_queue_call(rig_queue, rig_on_call, rig_calls, (void *)2);
    MUST(commit_queue_add(rig_queue, on_answer, rig_calls, (void *)3) == 0);
    commit_queue_call(rig_queue, rig_on_call, rig_calls, (void *)4);
    while (n_refused < 2)
        MUST(sd_event_run(rig_event, UINT64_MAX) >= 0);
    ck_assert_uint_eq(refused[0], 1);
    ck_assert_uint_eq(refused[1], 3);
    ck_assert_uint_eq(rig_n_calls, 0);
    ck_assert_int_lt(commit_queue_error(rig_queue), 0);
    rig_expect_put(rig_tasks[1], true, false);
    ck_assert_int_eq(commit_queue_put_result(rig_queue, 2, strdup("[1]")), 0);
    commit_queue_call(rig_queue, rig_on_call, rig_calls, (void *)5);
    rig_until_failures(3); /* it is tried again and again */
    ck_assert_uint_eq(rig_n_calls, 0);
    limit_files(false);
    rig_until_empty();
    ck_assert_uint_eq(rig_n_calls, 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_uint_eq(rig_calls[i], ((size_t[]){2, 4, 5})[i]);
    ck_assert_int_eq(commit_queue_error(rig_queue), 0);
    rig_expect_put(rig_tasks[1], false, true);
    ck_assert_uint_eq(rig_active_on_disk(), 2);
}
END_TEST

/* What was asked for while the commit was under way may rest on what was in it. */
START_TEST(test_failure_meanwhile) {
    commit_queue_put(rig_queue, rig_tasks[0]);
    rig_until_empty();
    limit_files(true);
    commit_queue_put(rig_queue, rig_tasks[1]);
    MUST(commit_queue_add(rig_queue, on_answer, rig_calls, (void *)1) == 0);
    rig_until_prepared(2);
    ck_assert_uint_eq(n_refused, 0);
    commit_queue_call(rig_queue, rig_on_call, rig_calls, (void *)2);
    MUST(commit_queue_add(rig_queue, on_answer, rig_calls, (void *)3) == 0);
    while (n_refused == 0)
        MUST(sd_event_run(rig_event, UINT64_MAX) >= 0);
    ck_assert_uint_eq(n_refused, 2);
    ck_assert_uint_eq(refused[1], 3);
    ck_assert_uint_eq(rig_n_calls, 0);
    limit_files(false);
    rig_until_calls(1);
}
END_TEST

/* Nothing was written, so nothing is known of the disk; who asked has nothing to wait for. */
START_TEST(test_empty) {
    limit_files(true);
    commit_queue_put(rig_queue, rig_tasks[0]);
    rig_until_failures(1);
    commit_queue_withdraw(rig_queue, rig_tasks[0]);
    rig_add(1);
    rig_until_calls(1);
    ck_assert_uint_eq(rig_commits, 0);
    ck_assert_int_lt(commit_queue_error(rig_queue), 0);
    limit_files(false);
}
END_TEST

/* All that is no row of a task is kept, too, in its order. */
START_TEST(test_failure_keeps_all) {
    Group *kept = rig_new_group("kept", 1), *removed = rig_new_group("removed", 2),
          *meanwhile = rig_new_group("meanwhile", 3);

    limit_files(true);
    commit_queue_put_group(rig_queue, kept, true);
    commit_queue_put_group(rig_queue, removed, false);
    commit_queue_put_group(rig_queue, meanwhile, false);
    MUST(commit_queue_put_resource(rig_queue, "gpu", 1) == 0);
    rig_put_attempt("exit");
    rig_until_prepared(1);
    /* It goes while its row is on its way. */
    MUST(commit_queue_remove_group(rig_queue, meanwhile) == 0);
    group_free(meanwhile);
    MUST(commit_queue_put_resource(rig_queue, "gpu", 4) == 0);
    MUST(commit_queue_put_backend(rig_queue, "home", "{}", false) == 0);
    MUST(commit_queue_put_operation(rig_queue, 1, "{}") == 0);
    rig_until_failures(1);
    ck_assert(kept->is_listed && removed->is_listed);
    MUST(commit_queue_remove_group(rig_queue, removed) == 0);
    group_free(removed);
    kept->max_parallel = 9;
    rig_until_failures(2);
    limit_files(false);
    rig_until_empty();
    ck_assert(!kept->is_listed);
    rig_expect_groups("kept=9 ");
    rig_expect_resources("gpu=4 ");
    rig_expect_backends("home=20 ");
    rig_expect_operations("{}=1 ");
    rig_expect_attempts("exit=1 ");
    group_free(kept);
}
END_TEST

/* A group that alone could not be written is tried again as well. */
START_TEST(test_failure_of_group) {
    Group *g = rig_new_group("builds", 1);

    limit_files(true);
    commit_queue_put_group(rig_queue, g, true);
    rig_until_failures(1);
    limit_files(false);
    rig_until_empty();
    rig_expect_groups("builds=1 ");
    group_free(g);
}
END_TEST

START_TEST(test_hurry) {
    commit_queue_hurry(rig_queue);
    ck_assert(commit_queue_is_empty(rig_queue));
    limit_files(true);
    commit_queue_put(rig_queue, rig_tasks[0]);
    rig_until_failures(3);
    limit_files(false);
    commit_queue_hurry(rig_queue);
    while (rig_prepared < 4) /* no timer is waited for */
        MUST(sd_event_run(rig_event, 0) > 0);
    rig_until_empty();
    rig_expect_put(rig_tasks[0], false, true);
}
END_TEST

static void on_withdraw(void *userdata, void *arg, int error) {
    MUST(error < 0);
    n_refused++;
    commit_queue_withdraw(rig_queue, arg);
}

/* A new task that was refused is never written. */
START_TEST(test_refused_task) {
    limit_files(true);
    commit_queue_put(rig_queue, rig_tasks[0]);
    MUST(commit_queue_add(rig_queue, on_withdraw, rig_calls, rig_tasks[0]) == 0);
    while (n_refused == 0)
        MUST(sd_event_run(rig_event, UINT64_MAX) >= 0);
    rig_expect_put(rig_tasks[0], false, false);
    limit_files(false);
    rig_until_empty();
    ck_assert_uint_eq(rig_active_on_disk(), 0);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("commit-faults");
    TCase *t = tcase_create("commit-faults");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, rig_setup, rig_teardown);
    tcase_add_test(t, test_failure);
    tcase_add_test(t, test_failure_meanwhile);
    tcase_add_test(t, test_empty);
    tcase_add_test(t, test_failure_keeps_all);
    tcase_add_test(t, test_failure_of_group);
    tcase_add_test(t, test_hurry);
    tcase_add_test(t, test_refused_task);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
