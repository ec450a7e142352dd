/* Who runs next: order, slots, room. */

#include <errno.h>

#include "daemon/core/scheduler.h"
#include "tests/unit/unit-task.h"

#define N 10

static Scheduler s;
static Task *tasks[N]; /* with the ids 1 to N, not added yet */

static void setup(void) {
    scheduler_init(&s, 2, 100);
    for (uint64_t i = 0; i < N; i++)
        tasks[i] = unit_task_new(i + 1);
}

static void teardown(void) {
    for (size_t i = 0; i < N; i++)
        tasks[i] = task_free(tasks[i]);
}

static void add(size_t from, size_t to) {
    for (size_t i = from; i <= to; i++)
        scheduler_add(&s, tasks[i - 1]);
}

static void on_claim(void *userdata, Task *t) {
    ck_assert_int_eq(t->claim, TASK_CLAIM_PENDING);
    ++*(unsigned *)userdata;
}

/* Gives how many claims came with this commit. */
static unsigned commit(void) {
    unsigned n = 0;

    scheduler_claim(&s, on_claim, &n);
    for (size_t i = 0; i < N; i++)
        if (tasks[i]->claim == TASK_CLAIM_PENDING)
            tasks[i]->claim = TASK_CLAIM_SAFE;
    return n;
}

/* The id of the task that is to start once its claim is safe, 0 for none. */
static uint64_t take(void) {
    bool unclaimed;
    Task *t = scheduler_take(&s, &unclaimed);

    if (!t && unclaimed) {
        commit();
        t = scheduler_take(&s, &unclaimed);
        ck_assert(t);
    }
    return t ? t->id : 0;
}

static void expect_counts(unsigned running, unsigned queued) {
    ck_assert_uint_eq(s.running, running);
    ck_assert_uint_eq(s.queued, queued);
    ck_assert_int_eq(s.queued_bytes > 0, queued > 0);
}

START_TEST(test_order) {
    ck_assert_uint_eq(take(), 0);
    add(1, 4);
    expect_counts(0, 4);
    ck_assert_uint_eq(take(), 1);
    ck_assert_uint_eq(take(), 2);
    ck_assert_uint_eq(take(), 0); /* two slots */
    expect_counts(2, 2);
    add(5, 5);
    scheduler_release(&s);
    ck_assert_uint_eq(take(), 3);
    ck_assert_uint_eq(take(), 0);
    scheduler_release(&s);
    scheduler_release(&s);
    ck_assert_uint_eq(take(), 4);
    ck_assert_uint_eq(take(), 5);
    scheduler_release(&s);
    ck_assert_uint_eq(take(), 0); /* a slot, but nobody waits */
    scheduler_release(&s);
    expect_counts(0, 0);
}
END_TEST

START_TEST(test_no_limit) {
    s.max_parallel = 0;
    add(1, N);
    for (uint64_t id = 1; id <= N; id++)
        ck_assert_uint_eq(take(), id);
    ck_assert_uint_eq(take(), 0);
    expect_counts(N, 0);
}
END_TEST

START_TEST(test_raise_and_lower) {
    add(1, N);
    ck_assert_uint_eq(take(), 1);
    ck_assert_uint_eq(take(), 2);
    s.max_parallel = 4;
    ck_assert_uint_eq(take(), 3);
    ck_assert_uint_eq(take(), 4);
    ck_assert_uint_eq(take(), 0);
    /* Those that run go on; the next starts when they are few enough. */
    s.max_parallel = 1;
    for (int i = 0; i < 3; i++) {
        scheduler_release(&s);
        ck_assert_uint_eq(take(), 0);
    }
    expect_counts(1, N - 4);
    scheduler_release(&s);
    ck_assert_uint_eq(take(), 5);
    ck_assert_uint_eq(take(), 0);
}
END_TEST

START_TEST(test_closed) {
    add(1, 3);
    ck_assert_uint_eq(take(), 1);
    s.closed = true;
    ck_assert_uint_eq(take(), 0);
    scheduler_release(&s);
    ck_assert_uint_eq(take(), 0);
    expect_counts(0, 2);
    s.closed = false;
    ck_assert_uint_eq(take(), 2);
}
END_TEST

START_TEST(test_remove) {
    add(1, 5);
    scheduler_remove(&s, tasks[0]); /* the first */
    scheduler_remove(&s, tasks[2]); /* one in the middle */
    scheduler_remove(&s, tasks[4]); /* the last */
    expect_counts(0, 2);
    add(6, 6);
    s.max_parallel = 0;
    ck_assert_uint_eq(take(), 2);
    ck_assert_uint_eq(take(), 4);
    ck_assert_uint_eq(take(), 6);
    ck_assert_uint_eq(take(), 0);
    expect_counts(3, 0);
}
END_TEST

/* ---- claims ---- */

START_TEST(test_no_start_without_claim) {
    bool unclaimed;

    add(1, 3);
    ck_assert_ptr_null(scheduler_take(&s, &unclaimed));
    ck_assert(unclaimed);
    tasks[0]->claim = TASK_CLAIM_PENDING; /* on its way: nothing more to be done */
    ck_assert_ptr_null(scheduler_take(&s, &unclaimed));
    ck_assert(!unclaimed);
    tasks[0]->claim = TASK_CLAIM_SAFE;
    ck_assert_ptr_eq(scheduler_take(&s, &unclaimed), tasks[0]);
    ck_assert_ptr_null(scheduler_take(&s, &unclaimed));
    ck_assert(unclaimed);
}
END_TEST

START_TEST(test_claims_for_free_slots) {
    add(1, 5);
    ck_assert_uint_eq(commit(), 2);
    ck_assert_uint_eq(commit(), 0); /* again */
    ck_assert_uint_eq(take(), 1);
    ck_assert_uint_eq(take(), 2);
    s.closed = true;
    ck_assert_uint_eq(commit(), 0);
}
END_TEST

/* As many as the last commit saw started are claimed twice over; when nothing is started, none. */
START_TEST(test_claims_ahead) {
    bool unclaimed;

    add(1, N);
    commit();
    ck_assert_uint_eq(take(), 1);
    ck_assert_uint_eq(take(), 2);
    ck_assert_uint_eq(commit(), 4);
    ck_assert_uint_eq(commit(), 0);
    scheduler_release(&s);
    ck_assert_ptr_eq(scheduler_take(&s, &unclaimed), tasks[2]); /* no wait */
    scheduler_release(&s);
    ck_assert_ptr_eq(scheduler_take(&s, &unclaimed), tasks[3]);
    ck_assert_uint_eq(commit(), 2); /* 5 to 8, of which 5 and 6 are claimed */
    ck_assert_int_eq(tasks[7]->claim, TASK_CLAIM_SAFE);
    ck_assert_int_eq(tasks[8]->claim, TASK_CLAIM_NONE);
}
END_TEST

/* Back to its place: before all that came later. */
START_TEST(test_again) {
    add(2, 2);
    add(5, 6);
    scheduler_add_again(&s, tasks[3]);
    scheduler_add_again(&s, tasks[0]);
    scheduler_add_again(&s, tasks[6]);
    expect_counts(0, 6);
    s.max_parallel = 0;
    for (size_t i = 0; i < 6; i++)
        ck_assert_uint_eq(take(), ((uint64_t[]){1, 2, 4, 5, 6, 7})[i]);
}
END_TEST

/* Those of an earlier daemon run already. */
/* Who was handed to an executor ahead of a slot counts as queued until it has begun. */
START_TEST(test_ahead) {
    add(1, 6);
    ck_assert_ptr_null(scheduler_peek(&s)); /* nothing is claimed */
    ck_assert_uint_eq(take(), 1);
    ck_assert_uint_eq(take(), 2);
    commit();
    for (uint64_t id = 3; id <= 5; id++) {
        Task *t = scheduler_peek(&s);
        ck_assert_ptr_eq(t, tasks[id - 1]);
        scheduler_hand_ahead(&s, t);
    }
    ck_assert_uint_eq(s.n_ahead, 3);
    expect_counts(2, 4);
    ck_assert_uint_eq(take(), 0);

    /* It has begun, and that is told behind the end of another one, or before. */
    scheduler_begin(&s, tasks[2]);
    expect_counts(3, 3);
    ck_assert_uint_eq(take(), 0);
    scheduler_release(&s);
    scheduler_release(&s);
    ck_assert_uint_eq(take(), 4); /* a slot is free anyway */
    expect_counts(2, 2);
    ck_assert_uint_eq(s.n_ahead, 1);

    scheduler_take_back(&s, tasks[4]);
    ck_assert_uint_eq(s.n_ahead, 0);
    expect_counts(2, 2);
    ck_assert_ptr_eq(scheduler_peek(&s), tasks[4]);
    scheduler_hand_ahead(&s, tasks[4]);
    scheduler_remove(&s, tasks[4]); /* cancelled */
    ck_assert_uint_eq(s.n_ahead, 0);
    expect_counts(2, 1);
    s.closed = true;
    ck_assert_ptr_null(scheduler_peek(&s));
    s.closed = false;
    ck_assert_ptr_eq(scheduler_peek(&s), tasks[5]);
    s.max_parallel = 1; /* too many run: none of their slots is passed on */
    ck_assert_ptr_null(scheduler_peek(&s));
    s.max_parallel = 2;
    scheduler_release(&s);
    ck_assert_uint_eq(take(), 6);
}
END_TEST

/* Those that were handed ahead are claimed already. */
START_TEST(test_claims_behind_ahead) {
    add(1, N);
    ck_assert_uint_eq(commit(), 2);
    scheduler_hand_ahead(&s, scheduler_peek(&s));
    ck_assert_uint_eq(commit(), 0);
    ck_assert_uint_eq(take(), 1);
    ck_assert_uint_eq(take(), 2);
    ck_assert_uint_eq(commit(), 4);
    scheduler_hand_ahead(&s, scheduler_peek(&s));
    scheduler_hand_ahead(&s, scheduler_peek(&s));
    ck_assert_uint_eq(commit(), 0);
}
END_TEST

START_TEST(test_occupy) {
    add(1, 2);
    for (int i = 0; i < 3; i++)
        scheduler_occupy(&s);
    expect_counts(3, 2);
    ck_assert_uint_eq(take(), 0);
    scheduler_release(&s);
    ck_assert_uint_eq(take(), 0);
    scheduler_release(&s);
    ck_assert_uint_eq(take(), 1);
}
END_TEST

/* ---- room ---- */

/* Those that get a slot at once do not count as waiting. */
START_TEST(test_room_in_free_slots) {
    _cleanup_error_ Error e = {};

    s.max_queued = 0;
    s.max_parallel = 3;
    s.running = 1;
    ck_assert_int_eq(scheduler_check_room(&s, 2, 0, &e), 0);
    ck_assert_int_eq(scheduler_check_room(&s, 3, 0, &e), -EREMOTE);
    error_done(&e);
    s.running = 5; /* the number of slots was lowered */
    ck_assert_int_eq(scheduler_check_room(&s, 1, 0, &e), -EREMOTE);
    error_done(&e);
    s.max_parallel = 0;
    ck_assert_int_eq(scheduler_check_room(&s, 100000, 0, &e), 0);
}
END_TEST

static const struct {
    unsigned max, waiting;
    size_t n;
    bool fits;
} rooms[] = {
    {10, 0, 0, true},
    {10, 0, 1, true},
    {10, 0, 10, true},
    {10, 0, 11, false},
    {10, 9, 1, true},
    {10, 9, 2, false},
    {10, 10, 0, true},
    {10, 10, 1, false},
    {5, 8, 0, false},
    {5, 8, 1, false}, /* the limit was lowered */
    {0, 0, 0, true},
    {0, 0, 1, false},
    {10, 0, SIZE_MAX, false},
    {10, 5, SIZE_MAX, false},
    {10, 5, (size_t)UINT32_MAX + 1, false},
};

START_TEST(test_room) {
    _cleanup_error_ Error e = {};

    s.max_queued = rooms[_i].max;
    s.max_parallel = s.running = 2;
    add(1, rooms[_i].waiting);
    int r = scheduler_check_room(&s, rooms[_i].n, 0, &e);
    ck_assert_int_eq(r, rooms[_i].fits ? 0 : -EREMOTE);
    ck_assert_int_eq(e.code, rooms[_i].fits ? ERROR_NONE : ERROR_QUEUE_FULL);
    ck_assert(rooms[_i].fits || strstr(e.message, "MaxQueued="));
}
END_TEST

static const struct {
    size_t waiting, bytes;
    bool fits;
} sizes[] = {
    {0, SCHEDULER_QUEUED_BYTES_MAX, true},
    {0, SCHEDULER_QUEUED_BYTES_MAX + 1, false},
    {1, SCHEDULER_QUEUED_BYTES_MAX - 1, true},
    {1, SCHEDULER_QUEUED_BYTES_MAX, false},
    {SCHEDULER_QUEUED_BYTES_MAX, 0, true},
    {SCHEDULER_QUEUED_BYTES_MAX, 1, false},
    {100, SIZE_MAX, false},
};

START_TEST(test_room_in_bytes) {
    _cleanup_error_ Error e = {};

    s.queued_bytes = sizes[_i].waiting;
    int r = scheduler_check_room(&s, 1, sizes[_i].bytes, &e);
    ck_assert_int_eq(r, sizes[_i].fits ? 0 : -EREMOTE);
    ck_assert_int_eq(e.code, sizes[_i].fits ? ERROR_NONE : ERROR_QUEUE_FULL);
    ck_assert(sizes[_i].fits || strstr(e.message, "256.0M"));
}
END_TEST

/* What was counted for a task when it came is what goes with it, whatever becomes of its label. */
START_TEST(test_bytes_come_and_go) {
    _cleanup_free_ char *params = unit_repeat('p', 1000), *label = unit_repeat('l', 500);

    unit_set(&tasks[0]->spec->params, params);
    add(1, 1);
    size_t one = s.queued_bytes;
    ck_assert_uint_ge(one, 1000);
    ck_assert_uint_eq(one, task_spec_size(tasks[0]->spec));
    add(2, 3);
    ck_assert_uint_gt(s.queued_bytes, one);
    unit_set(&tasks[0]->spec->label, label);
    unit_set(&tasks[1]->spec->label, label);
    ck_assert_uint_eq(take(), 1);
    scheduler_remove(&s, tasks[1]);
    ck_assert_uint_eq(s.queued_bytes, task_spec_size(tasks[2]->spec));
    ck_assert_uint_eq(take(), 3);
    ck_assert_uint_eq(s.queued_bytes, 0);
}
END_TEST

static Suite *suite_new(void) {
    Suite *suite = suite_create("scheduler");
    TCase *t = tcase_create("scheduler");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_order);
    tcase_add_test(t, test_no_limit);
    tcase_add_test(t, test_raise_and_lower);
    tcase_add_test(t, test_closed);
    tcase_add_test(t, test_remove);
    tcase_add_test(t, test_no_start_without_claim);
    tcase_add_test(t, test_claims_for_free_slots);
    tcase_add_test(t, test_claims_ahead);
    tcase_add_test(t, test_again);
    tcase_add_test(t, test_ahead);
    tcase_add_test(t, test_claims_behind_ahead);
    tcase_add_test(t, test_occupy);
    tcase_add_loop_test(t, test_room, 0, ELEMENTSOF(rooms));
    tcase_add_test(t, test_room_in_free_slots);
    tcase_add_loop_test(t, test_room_in_bytes, 0, ELEMENTSOF(sizes));
    tcase_add_test(t, test_bytes_come_and_go);
    suite_add_tcase(suite, t);
    return suite;
}

int main(void) {
    return unit_run(suite_new());
}
