/* What waits for a commit: called once, in the order in which it came, and not within the call that
 * put it there. */

#include "daemon/commit.h"
#include "tests/unit/unit.h"

#define CALLS_MAX 2000

static sd_event *event;
static CommitQueue *queue;
static size_t calls[CALLS_MAX], n_calls;

static void setup(void) {
    MUST(sd_event_new(&event) >= 0);
    MUST(commit_queue_new(&queue, event) == 0);
}

static void teardown(void) {
    queue = commit_queue_free(queue);
    event = sd_event_unref(event);
}

/* One turn of the loop; false when there was nothing to do. */
static bool turn(void) {
    int r = sd_event_run(event, 0);

    ck_assert_int_ge(r, 0);
    return r > 0;
}

static void on_call(void *userdata, void *arg, int error) {
    MUST(userdata == calls && error == 0 && n_calls < CALLS_MAX);
    calls[n_calls++] = (size_t)arg;
}

static void add(size_t n) {
    MUST(commit_queue_add(queue, on_call, calls, (void *)n) == 0);
}

START_TEST(test_order) {
    ck_assert(commit_queue_is_empty(queue));
    for (size_t i = 0; i < 1000; i++)
        add(i);
    ck_assert_uint_eq(n_calls, 0);
    ck_assert(!commit_queue_is_empty(queue));
    ck_assert(turn()); /* all that came in one turn shares a commit */
    ck_assert_uint_eq(n_calls, 1000);
    for (size_t i = 0; i < 1000; i++)
        MUST(calls[i] == i);
    ck_assert(commit_queue_is_empty(queue));
    ck_assert(!turn()); /* nothing wakes the loop up again */
    ck_assert_uint_eq(n_calls, 1000);
}
END_TEST

START_TEST(test_again) {
    for (size_t round = 1; round <= 3; round++) {
        add(round);
        ck_assert(turn());
        ck_assert(!turn());
        ck_assert_uint_eq(n_calls, round);
        ck_assert_uint_eq(calls[round - 1], round);
    }
}
END_TEST

/* ---- those that are called add more ---- */

static void on_call_and_add(void *userdata, void *arg, int error) {
    size_t n = (size_t)arg;

    on_call(userdata, arg, error);
    if (n < 100)
        MUST(commit_queue_add(queue, on_call_and_add, userdata, (void *)(n + 10)) == 0);
    /* The one under way is not counted as waiting. */
    MUST(commit_queue_is_empty(queue) == (n >= 100));
}

/* They wait for the next commit, behind what is already there. */
START_TEST(test_reentrant) {
    size_t i = 0;

    MUST(commit_queue_add(queue, on_call_and_add, calls, (void *)1) == 0);
    while (turn()) {
        i++;
        ck_assert_uint_eq(n_calls, i);
        ck_assert_uint_eq(calls[i - 1], (i - 1) * 10 + 1);
    }
    ck_assert_uint_eq(i, 11);
}
END_TEST

static void on_call_and_add_many(void *userdata, void *arg, int error) {
    on_call(userdata, arg, error);
    for (size_t i = 0; i < 100; i++) /* the row that is being walked is not the one that grows */
        add((size_t)arg * 1000 + i);
}

START_TEST(test_reentrant_many) {
    for (size_t i = 1; i <= 16; i++)
        MUST(commit_queue_add(queue, on_call_and_add_many, calls, (void *)i) == 0);
    ck_assert(turn());
    ck_assert_uint_eq(n_calls, 16);
    ck_assert(turn());
    ck_assert_uint_eq(n_calls, 16 + 1600);
    for (size_t i = 0; i < 1600; i++)
        MUST(calls[16 + i] == (i / 100 + 1) * 1000 + i % 100);
    ck_assert(!turn());
}
END_TEST

/* What must not be lost keeps its place in the order. */
START_TEST(test_call) {
    add(1);
    commit_queue_call(queue, on_call, calls, (void *)2);
    add(3);
    ck_assert_uint_eq(n_calls, 0);
    ck_assert(turn());
    ck_assert_uint_eq(n_calls, 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_uint_eq(calls[i], i + 1);
}
END_TEST

START_TEST(test_free_while_it_waits) {
    add(1);
    queue = commit_queue_free(queue);
    ck_assert_ptr_null(queue);
    ck_assert(!turn());
    ck_assert_uint_eq(n_calls, 0);
    ck_assert_ptr_null(commit_queue_free(NULL));
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("commit");
    TCase *t = tcase_create("commit");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_order);
    tcase_add_test(t, test_again);
    tcase_add_test(t, test_reentrant);
    tcase_add_test(t, test_reentrant_many);
    tcase_add_test(t, test_call);
    tcase_add_test(t, test_free_while_it_waits);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
