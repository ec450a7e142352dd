/* The life of a task: which state may follow which, and what is noted on the way. */

#include <errno.h>

#include "tests/unit/unit-task.h"

/* Every state and every next one, + where the step is allowed. */
static const struct {
    TaskState from;
    const char *to; /* waiting, queued, starting, running, paused, cancelling, succeeded, failed,
                       cancelled, timed-out, interrupted, skipped */
} steps[] = {
    /* clang-format off */
    {TASK_WAITING,     "-+---+++++++"},
    {TASK_QUEUED,      "+-+--+-+++++"},
    {TASK_STARTING,    "++-+-++++++-"},
    {TASK_RUNNING,     "++--+++++++-"},
    {TASK_PAUSED,      "++-+-++++++-"},
    {TASK_CANCELLING,  "------++++++"},
    {TASK_SUCCEEDED,   "------------"},
    {TASK_FAILED,      "------------"},
    {TASK_CANCELLED,   "------------"},
    {TASK_TIMED_OUT,   "------------"},
    {TASK_INTERRUPTED, "------------"},
    {TASK_SKIPPED,     "------------"},
    /* clang-format on */
};

#define CREATED 1001
#define NOW 5000

START_TEST(test_step) {
    TaskState from = steps[_i / _TASK_STATE_MAX].from, to = _i % _TASK_STATE_MAX;
    bool allowed = steps[from].to[to] == '+';
    _cleanup_(task_freep) Task *t = unit_task_new(1);

    ck_assert_int_eq(from, _i / _TASK_STATE_MAX);
    t->state = from;
    ck_assert_int_eq(task_set_state(t, to, NOW), allowed ? 0 : -EPERM);
    ck_assert_int_eq(t->state, allowed ? to : from);
    ck_assert_uint_eq(t->created_at, CREATED);
    ck_assert_uint_eq(t->started_at, allowed && to == TASK_STARTING ? NOW : 0);
    ck_assert_uint_eq(t->finished_at, allowed && to >= TASK_SUCCEEDED ? NOW : 0);
    /* All of it is done, and only then. */
    ck_assert_double_eq(task_work(t)->progress.fraction,
                        t->state == TASK_SUCCEEDED ? 1.0 : PROGRESS_UNKNOWN);
}
END_TEST

static const int no_states[] = {_TASK_STATE_MAX, _TASK_STATE_INVALID, -1, 31, 32, 33, 65, 1000};

START_TEST(test_no_state) {
    _cleanup_(task_freep) Task *t = unit_task_new(1);

    ck_assert_int_eq(task_set_state(t, (TaskState)no_states[_i], NOW), -EPERM);
    ck_assert_int_eq(t->state, TASK_QUEUED);
}
END_TEST

static void make_progress(Task *t, uint64_t done, uint64_t total) {
    progress_update(&task_work_make(t)->progress,
                    &(ProgressNews){.fraction = PROGRESS_UNKNOWN, .done = done, .total = total}, 1);
}

START_TEST(test_life) {
    _cleanup_(task_freep) Task *t = unit_task_new(1);

    ck_assert_int_eq(t->state, TASK_QUEUED);
    ck_assert_int_eq(t->exit_code, -1);
    ck_assert_int_eq(t->exit_signal, 0);
    ck_assert(!task_is_final(t));
    ck_assert_int_eq(task_set_state(t, TASK_STARTING, 2000), 0);
    ck_assert_int_eq(task_set_state(t, TASK_RUNNING, 3000), 0);
    t->pid = 77;
    task_set_reason(t, "still at work");
    make_progress(t, 3, 10);
    ck_assert_int_eq(task_set_state(t, TASK_CANCELLING, 4000), 0);
    ck_assert_int_eq(t->pid, 77);
    ck_assert_str_eq(task_work(t)->reason, "still at work");
    /* The cancel came too late. */
    ck_assert_int_eq(task_set_state(t, TASK_SUCCEEDED, 5000), 0);
    ck_assert(task_is_final(t));
    ck_assert_uint_eq(t->started_at, 2000);
    ck_assert_uint_eq(t->finished_at, 5000);
    ck_assert_int_eq(t->pid, 0);
    ck_assert_str_eq(task_work(t)->reason, "");
    ck_assert_uint_eq(task_work(t)->progress.done, 10);
}
END_TEST

START_TEST(test_started_again) {
    _cleanup_(task_freep) Task *t = unit_task_new(1);

    task_set_state(t, TASK_STARTING, 2000);
    task_set_state(t, TASK_RUNNING, 3000);
    t->pid = 77;
    task_set_status(t, "half of it");
    make_progress(t, 5, 10);
    ck_assert_int_eq(task_set_state(t, TASK_QUEUED, 4000), 0);
    ck_assert_uint_eq(t->attempt, 1);
    ck_assert_uint_eq(t->started_at, 0);
    ck_assert_int_eq(t->pid, 0);
    ck_assert_ptr_null(task_work(t)->status);
    ck_assert_double_eq(task_work(t)->progress.fraction, PROGRESS_UNKNOWN);
    ck_assert_int_eq(task_set_state(t, TASK_STARTING, 5000), 0);
    ck_assert_uint_eq(t->attempt, 2);
}
END_TEST

START_TEST(test_clock_set_back) {
    _cleanup_(task_freep) Task *t = unit_task_new(1);

    task_set_state(t, TASK_STARTING, 9000);
    ck_assert_int_eq(task_set_state(t, TASK_FAILED, 5000), 0);
    ck_assert_uint_eq(t->finished_at, 9000);
}
END_TEST

START_TEST(test_failure_keeps_progress) {
    _cleanup_(task_freep) Task *t = unit_task_new(1);

    task_set_state(t, TASK_STARTING, 2000);
    make_progress(t, 3, 10);
    ck_assert_int_eq(task_set_state(t, TASK_FAILED, 5000), 0);
    ck_assert_double_eq(task_work(t)->progress.fraction, 0.3);
    ck_assert_uint_eq(task_work(t)->progress.done, 3);
}
END_TEST

/* ---- the names ---- */

static const struct {
    TaskState state;
    const char *name;
    bool final;
} names[] = {
    {TASK_WAITING, "waiting", false},        {TASK_QUEUED, "queued", false},
    {TASK_STARTING, "starting", false},      {TASK_RUNNING, "running", false},
    {TASK_PAUSED, "paused", false},          {TASK_CANCELLING, "cancelling", false},
    {TASK_SUCCEEDED, "succeeded", true},     {TASK_FAILED, "failed", true},
    {TASK_CANCELLED, "cancelled", true},     {TASK_TIMED_OUT, "timed-out", true},
    {TASK_INTERRUPTED, "interrupted", true}, {TASK_SKIPPED, "skipped", true},
};

START_TEST(test_names) {
    for (size_t i = 0; i < ELEMENTSOF(names); i++) {
        ck_assert_int_eq(names[i].state, i);
        ck_assert_str_eq(task_state_to_string(names[i].state), names[i].name);
        ck_assert_int_eq(task_state_from_string(names[i].name), names[i].state);
        ck_assert_int_eq(task_state_is_final(names[i].state), names[i].final);
    }
    ck_assert_uint_eq(ELEMENTSOF(names), _TASK_STATE_MAX);
}
END_TEST

static const char *const no_names[] = {NULL, "", "Queued", "queued ", "queue", "done", "\xff"};

START_TEST(test_no_name) {
    ck_assert_int_eq(task_state_from_string(no_names[_i]), _TASK_STATE_INVALID);
    ck_assert_int_eq(_TASK_STATE_INVALID, -EINVAL);
}
END_TEST

START_TEST(test_no_string) {
    ck_assert_ptr_null(task_state_to_string((TaskState)no_states[_i]));
}
END_TEST

/* ---- the texts ---- */

static const struct {
    bool (*set)(Task *t, const char *text);
    size_t max;
    bool of_work;
    size_t field;
} texts[] = {
    {task_set_status, TASK_STATUS_MAX, true, offsetof(TaskWork, status)},
    {task_set_message, TASK_MESSAGE_MAX, false, offsetof(Task, message)},
    {task_set_reason, TASK_MESSAGE_MAX, true, offsetof(TaskWork, reason)},
};

static const char *text_of(const Task *t, size_t i) {
    const void *of = texts[i].of_work ? (const void *)task_work(t) : t;

    return *(char *const *)((const char *)of + texts[i].field);
}

START_TEST(test_text) {
    _cleanup_(task_freep) Task *t = unit_task_new(1);
    _cleanup_free_ char *most = unit_repeat('x', texts[_i].max);
    _cleanup_free_ char *more = unit_repeat('x', texts[_i].max + 1);

    ck_assert_ptr_null(text_of(t, (size_t)_i));
    ck_assert(!texts[_i].set(t, "")); /* it was empty */
    ck_assert(texts[_i].set(t, "step 1"));
    ck_assert_str_eq(text_of(t, (size_t)_i), "step 1");
    ck_assert(!texts[_i].set(t, "step 1"));
    ck_assert(!texts[_i].set(t, "step\x1b[1m 1\n")); /* the same, once it is clean */
    ck_assert(texts[_i].set(t, "bad \xff"));
    ck_assert_str_eq(text_of(t, (size_t)_i), "bad \xef\xbf\xbd");
    ck_assert(texts[_i].set(t, most));
    ck_assert_str_eq(text_of(t, (size_t)_i), most);
    ck_assert(texts[_i].set(t, more));
    ck_assert_uint_eq(strlen(text_of(t, (size_t)_i)), texts[_i].max + strlen("…"));
    ck_assert(texts[_i].set(t, ""));
    ck_assert_str_eq(text_of(t, (size_t)_i), "");
}
END_TEST

/* 1% a second, up to the second 100. */
static void make_pace(Task *t) {
    for (uint64_t i = 0; i <= 20; i++)
        progress_update(&task_work_make(t)->progress, &(ProgressNews){.done = i, .total = 100},
                        (80 + i) * USEC_PER_SEC);
}

static void assert_pace(const Task *t, double rate, uint64_t left_sec) {
    ck_assert_double_eq_tol(task_rate(t, 100 * USEC_PER_SEC), rate, 0.1);
    uint64_t left = task_remaining_usec(t, 100 * USEC_PER_SEC);
    if (left_sec == 0)
        ck_assert_uint_eq(left, USEC_INFINITY);
    else
        ck_assert_uint_eq((left + USEC_PER_SEC / 2) / USEC_PER_SEC, left_sec);
}

START_TEST(test_pace) {
    static const TaskState ends[] = {TASK_SUCCEEDED, TASK_FAILED, TASK_INTERRUPTED};
    _cleanup_(task_freep) Task *t = unit_task_new(1);

    assert_pace(t, -1, 0);
    task_set_state(t, TASK_STARTING, 2000);
    task_set_state(t, TASK_RUNNING, 3000);
    assert_pace(t, -1, 0);
    make_pace(t);
    assert_pace(t, 1, 80);
    task_set_state(t, TASK_PAUSED, 4000);
    assert_pace(t, 0, 0);
    task_set_state(t, TASK_RUNNING, 5000);
    assert_pace(t, 1, 80);
    t->end_state = TASK_SUCCEEDED; /* its children go on */
    assert_pace(t, 0, 0);
    t->end_state = _TASK_STATE_INVALID;

    /* Another attempt begins anew. */
    task_set_state(t, TASK_QUEUED, 6000);
    assert_pace(t, -1, 0);
    task_set_state(t, TASK_STARTING, 7000);
    task_set_state(t, TASK_RUNNING, 8000);
    make_pace(t);
    assert_pace(t, 1, 80);
    task_set_state(t, TASK_CANCELLING, 9000);
    assert_pace(t, 1, 0);
    task_set_state(t, ends[_i], 10000);
    assert_pace(t, -1, 0);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("task");
    TCase *t = tcase_create("task");

    tcase_add_loop_test(t, test_step, 0, _TASK_STATE_MAX * _TASK_STATE_MAX);
    tcase_add_loop_test(t, test_no_state, 0, ELEMENTSOF(no_states));
    tcase_add_test(t, test_life);
    tcase_add_test(t, test_started_again);
    tcase_add_test(t, test_clock_set_back);
    tcase_add_test(t, test_failure_keeps_progress);
    tcase_add_loop_test(t, test_pace, 0, 3);
    tcase_add_test(t, test_names);
    tcase_add_loop_test(t, test_no_name, 0, ELEMENTSOF(no_names));
    tcase_add_loop_test(t, test_no_string, 0, ELEMENTSOF(no_states));
    tcase_add_loop_test(t, test_text, 0, ELEMENTSOF(texts));
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
