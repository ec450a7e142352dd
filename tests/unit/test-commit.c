/* What waits for a commit: called once, in the order in which it came, when what was changed before
 * is on disk. The store is the real one. */

#include "common/clock.h"
#include "tests/unit/commit-rig.h"

START_TEST(test_order) {
    ck_assert(commit_queue_is_empty(rig_queue));
    for (size_t i = 0; i < 1000; i++) {
        if (i % 250 == 0)
            commit_queue_put(rig_queue, rig_tasks[i / 250]);
        rig_add(i);
    }
    commit_queue_call(rig_queue, rig_on_call, rig_calls, (void *)1000);
    ck_assert_uint_eq(rig_n_calls, 0);
    ck_assert(!commit_queue_is_empty(rig_queue));
    rig_until_empty();
    ck_assert_uint_eq(rig_n_calls, 1001);
    for (size_t i = 0; i <= 1000; i++)
        MUST(rig_calls[i] == i);
    ck_assert_uint_eq(rig_commits, 1); /* all that came in one turn shares it */
    ck_assert_uint_eq(rig_prepared, 1);
    ck_assert(sd_event_run(rig_event, 0) == 0); /* nothing wakes the loop up again */
}
END_TEST

/* ---- many calls ---- */

/* As long as nobody takes what those before have sent, most are put off, those of the next commit
 * behind them. */
START_TEST(test_busy) {
    rig_busy = true;
    commit_queue_put(rig_queue, rig_tasks[0]);
    for (size_t i = 0; i < 2000; i++)
        rig_add(i);
    rig_until_commits(1);
    size_t n_first = rig_n_calls;
    ck_assert(n_first > 0 && n_first <= 500);
    commit_queue_put(rig_queue, rig_tasks[1]);
    for (size_t i = 2000; i < 3000; i++)
        rig_add(i);
    rig_until_commits(2);
    for (unsigned i = 0; i < 3; i++) /* it is looked at again, not more */
        MUST(sd_event_run(rig_event, UINT64_MAX) >= 0);
    ck_assert_uint_eq(rig_n_calls, n_first);
    ck_assert(!commit_queue_is_empty(rig_queue));
    rig_busy = false;
    rig_until_empty();
    ck_assert_uint_eq(rig_n_calls, 3000);
    for (size_t i = 0; i < 3000; i++)
        MUST(rig_calls[i] == i);
    ck_assert(sd_event_run(rig_event, 0) == 0);
}
END_TEST

/* Also where nobody is busy, others have their turns in between. */
START_TEST(test_slices) {
    commit_queue_put(rig_queue, rig_tasks[0]);
    for (size_t i = 0; i < 1200; i++)
        rig_add(i);
    rig_until_commits(1);
    ck_assert_uint_eq(rig_n_calls, 500);
    MUST(sd_event_run(rig_event, UINT64_MAX) >= 0);
    ck_assert_uint_eq(rig_n_calls, 1000);
    rig_until_calls(1200);
    ck_assert(commit_queue_is_empty(rig_queue));
}
END_TEST

/* One that asks whether all is over is not in its own way. */
static void on_last_call(void *userdata, void *arg, int error) {
    rig_on_call(userdata, arg, error);
    ck_assert(commit_queue_is_empty(rig_queue));
}

START_TEST(test_empty_at_the_last) {
    for (size_t i = 0; i < 600; i++)
        rig_add(i);
    commit_queue_call(rig_queue, on_last_call, rig_calls, (void *)600);
    rig_until_calls(601);
}
END_TEST

/* Nor are several of that sort in each other's. */
static void on_flushing_call(void *userdata, void *arg, int error) {
    rig_on_call(userdata, arg, error);
    commit_queue_flush(rig_queue);
    ck_assert(commit_queue_is_empty(rig_queue));
}

START_TEST(test_flush) {
    rig_busy = true;
    for (size_t i = 0; i < 600; i++)
        commit_queue_call(rig_queue, i == 10 || i == 300 ? on_flushing_call : rig_on_call,
                          rig_calls, (void *)i);
    rig_until_calls(600);
    for (size_t i = 0; i < 600; i++)
        MUST(rig_calls[i] == i);
}
END_TEST

START_TEST(test_free_while_busy) {
    rig_busy = true;
    for (size_t i = 0; i < 600; i++)
        rig_add(i);
    rig_until_calls(500);
    rig_queue = commit_queue_free(rig_queue);
    ck_assert(sd_event_run(rig_event, 0) == 0);
    ck_assert_uint_eq(rig_n_calls, 500);
}
END_TEST

/* ---- what is in no hurry ---- */

/* It goes with what is. */
START_TEST(test_later_with_others) {
    uint64_t begun = clock_usec(CLOCK_MONOTONIC);

    commit_queue_put_later(rig_queue, rig_tasks[0]);
    commit_queue_call_later(rig_queue, rig_on_call, rig_calls, (void *)1);
    ck_assert(sd_event_run(rig_event, 0) == 0);
    ck_assert(!commit_queue_is_empty(rig_queue));
    commit_queue_put(rig_queue, rig_tasks[1]);
    rig_add(2);
    rig_until_empty();
    ck_assert_uint_eq(rig_n_calls, 2);
    ck_assert(rig_calls[0] == 1 && rig_calls[1] == 2);
    ck_assert(rig_tasks[0]->stored && rig_tasks[1]->stored);
    ck_assert_uint_eq(rig_commits, 1);
    /* And nothing comes when its time is over. */
    while (clock_usec(CLOCK_MONOTONIC) < begun + 100 * USEC_PER_MSEC)
        (void)sd_event_run(rig_event, 10 * USEC_PER_MSEC);
    ck_assert_uint_eq(rig_prepared, 1);
}
END_TEST

/* Nor is it forgotten when nothing else comes; what came last does not put it off. */
START_TEST(test_later_alone) {
    uint64_t begun = clock_usec(CLOCK_MONOTONIC);

    commit_queue_put_later(rig_queue, rig_tasks[0]);
    while (rig_prepared == 0) {
        commit_queue_put_later(rig_queue, rig_tasks[1]);
        MUST(sd_event_run(rig_event, 5 * USEC_PER_MSEC) >= 0);
    }
    ck_assert_uint_ge(clock_usec(CLOCK_MONOTONIC) - begun, 40 * USEC_PER_MSEC);
    rig_until_empty();
    ck_assert(rig_tasks[0]->stored && rig_tasks[1]->stored);
}
END_TEST

/* What comes in no hurry while a commit is under way waits for its time, too. */
START_TEST(test_later_under_way) {
    commit_queue_put(rig_queue, rig_tasks[0]);
    rig_until_prepared(1);
    uint64_t begun = clock_usec(CLOCK_MONOTONIC);
    commit_queue_put_later(rig_queue, rig_tasks[1]);
    commit_queue_call_later(rig_queue, rig_on_call, rig_calls, (void *)1);
    rig_until_calls(1);
    ck_assert_uint_ge(clock_usec(CLOCK_MONOTONIC) - begun, 40 * USEC_PER_MSEC);
    ck_assert_uint_eq(rig_commits, 2);
    ck_assert(rig_tasks[1]->stored && commit_queue_is_empty(rig_queue));
}
END_TEST

/* ---- what is on disk, and when ---- */

/* Changed again while the first change is on its way: both go to the disk, one after the other. */
START_TEST(test_changed_again) {
    Task *t = rig_tasks[0];

    commit_queue_put(rig_queue, t);
    commit_queue_put(rig_queue, t);
    rig_add(1);
    rig_expect_put(t, true, false);
    rig_until_prepared(1);
    /* Under way: still not there. */
    rig_expect_put(t, true, false);
    MUST(task_set_state(t, TASK_STARTING, 1) == 0);
    commit_queue_put(rig_queue, t);
    rig_add(2);
    rig_until_calls(1);
    rig_expect_put(t, true, true);
    rig_until_calls(2);
    rig_expect_put(t, false, true);
    ck_assert_uint_eq(rig_commits, 2);
    rig_until_empty();
}
END_TEST

START_TEST(test_put_remove_withdraw) {
    for (size_t i = 0; i < 5; i++)
        commit_queue_put(rig_queue, rig_tasks[i]);
    commit_queue_withdraw(rig_queue, rig_tasks[4]);
    rig_expect_put(rig_tasks[4], false, false);
    rig_until_empty();
    commit_queue_put(rig_queue, rig_tasks[0]);
    commit_queue_withdraw(rig_queue, rig_tasks[0]);
    ck_assert_int_eq(commit_queue_remove(rig_queue, 1), 0);
    ck_assert_int_eq(commit_queue_put_result(rig_queue, 2, strdup("{}")), 0);
    rig_until_empty();
    ck_assert_int_eq(commit_queue_put_result(rig_queue, 2, NULL), 0);
    rig_until_empty();
    ck_assert_uint_eq(rig_active_on_disk(), 3);
}
END_TEST

/* ---- those that are called add more ---- */

static void on_call_and_add(void *userdata, void *arg, int error) {
    size_t n = (size_t)arg;

    rig_on_call(userdata, arg, error);
    if (n < 100) {
        commit_queue_put(rig_queue, rig_tasks[n % RIG_TASKS_MAX]);
        MUST(commit_queue_add(rig_queue, on_call_and_add, userdata, (void *)(n + 10)) == 0);
    }
}

/* They wait for the next commit, behind what is already there. */
START_TEST(test_reentrant) {
    MUST(commit_queue_add(rig_queue, on_call_and_add, rig_calls, (void *)1) == 0);
    rig_until_empty();
    ck_assert_uint_eq(rig_n_calls, 11);
    for (size_t i = 0; i < 11; i++)
        ck_assert_uint_eq(rig_calls[i], i * 10 + 1);
    ck_assert_uint_eq(rig_commits, 10); /* the first had nothing to write */
}
END_TEST

static void on_call_and_add_many(void *userdata, void *arg, int error) {
    rig_on_call(userdata, arg, error);
    for (size_t i = 0; i < 100; i++) /* the row that is being walked is not the one that grows */
        rig_add((size_t)arg * 1000 + i);
}

START_TEST(test_reentrant_many) {
    for (size_t i = 1; i <= 16; i++)
        MUST(commit_queue_add(rig_queue, on_call_and_add_many, rig_calls, (void *)i) == 0);
    rig_until_empty();
    ck_assert_uint_eq(rig_n_calls, 16 + 1600);
    for (size_t i = 0; i < 1600; i++)
        MUST(rig_calls[16 + i] == (i / 100 + 1) * 1000 + i % 100);
}
END_TEST

/* ---- the end ---- */

START_TEST(test_free_while_it_waits) {
    rig_add(1);
    commit_queue_put(rig_queue, rig_tasks[0]);
    ck_assert_int_eq(commit_queue_put_result(rig_queue, 2, strdup("[1]")), 0);
    rig_put_attempt("exit");
    MUST(commit_queue_put_resource(rig_queue, "gpu", 1) == 0);
    MUST(commit_queue_put_backend(rig_queue, "home", "{}", true) == 0);
    MUST(commit_queue_put_operation(rig_queue, 1, "{}") == 0);
    rig_queue = commit_queue_free(rig_queue);
    ck_assert_ptr_null(rig_queue);
    ck_assert(sd_event_run(rig_event, 0) == 0);
    ck_assert_uint_eq(rig_n_calls, 0);
    ck_assert_ptr_null(commit_queue_free(NULL));
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("commit");
    TCase *t = tcase_create("commit");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, rig_setup, rig_teardown);
    tcase_add_test(t, test_order);
    tcase_add_test(t, test_busy);
    tcase_add_test(t, test_slices);
    tcase_add_test(t, test_empty_at_the_last);
    tcase_add_test(t, test_flush);
    tcase_add_test(t, test_free_while_busy);
    tcase_add_test(t, test_later_with_others);
    tcase_add_test(t, test_later_alone);
    tcase_add_test(t, test_later_under_way);
    tcase_add_test(t, test_changed_again);
    tcase_add_test(t, test_put_remove_withdraw);
    tcase_add_test(t, test_reentrant);
    tcase_add_test(t, test_reentrant_many);
    tcase_add_test(t, test_free_while_it_waits);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
