/* Whether an attempt is followed by another, and when. */

#include "daemon/core/retry.h"
#include "tests/unit/unit-task.h"

/* ---- whether ---- */

static CodeList *codes_new(const int32_t *codes, size_t n) {
    CodeList *l = malloc(sizeof(CodeList) + n * sizeof(int32_t));

    MUST(l);
    l->n = n;
    for (size_t i = 0; i < n; i++)
        l->codes[i] = codes[i];
    return l;
}

/* before: the ends of earlier attempts, a letter each as in state_of(). */
static const struct {
    unsigned retries;
    size_t n_codes;
    int32_t codes[3];
    const char *before;
    TaskState state;
    int code;
    bool due;
} ends[] = {
    {0, 0, {}, "", TASK_FAILED, 1, false},
    {1, 0, {}, "", TASK_FAILED, 1, true},
    {1, 0, {}, "", TASK_FAILED, -1, true}, /* by a signal, or it could not be started */
    {1, 0, {}, "", TASK_TIMED_OUT, -1, true},
    {1, 0, {}, "", TASK_SUCCEEDED, 0, false},
    {1, 0, {}, "", TASK_CANCELLED, -1, false},
    {1, 0, {}, "", TASK_INTERRUPTED, -1, false},
    {1, 0, {}, "", TASK_SKIPPED, -1, false},
    {1, 0, {}, "F", TASK_FAILED, 1, false},
    {2, 0, {}, "F", TASK_FAILED, 1, true},
    {2, 0, {}, "FT", TASK_FAILED, 1, false},
    {3, 0, {}, "FT", TASK_TIMED_OUT, -1, true},
    /* What was interrupted uses up none. */
    {1, 0, {}, "III", TASK_FAILED, 1, true},
    {1, 0, {}, "IFI", TASK_FAILED, 1, false},
    {TASK_RETRIES_LIMIT, 0, {}, "FFFFF", TASK_FAILED, 1, true},
    {2, 1, {75}, "", TASK_FAILED, 75, true},
    {2, 1, {75}, "", TASK_FAILED, 1, false},
    {2, 3, {1, 2, 75}, "", TASK_FAILED, 75, true},
    {2, 3, {1, 2, 75}, "", TASK_FAILED, 3, false},
    {2, 1, {75}, "", TASK_TIMED_OUT, 75, false},
    {2, 1, {75}, "", TASK_TIMED_OUT, -1, false},
    {2, 1, {-1}, "", TASK_FAILED, -1, false}, /* that is no exit code */
    {2, 1, {0}, "", TASK_SUCCEEDED, 0, false},
    {1, 1, {75}, "F", TASK_FAILED, 75, false},
};

static TaskState state_of(char c) {
    return c == 'F' ? TASK_FAILED : c == 'T' ? TASK_TIMED_OUT : TASK_INTERRUPTED;
}

static void add_attempts(Task *t, const char *states) {
    for (const char *p = states; *p; p++) {
        TaskAttempt a = {.number = t->n_attempts + 1, .state = state_of(*p)};
        MUST(task_add_attempt(t, &a) >= 0);
    }
}

START_TEST(test_is_due) {
    Task *t = unit_task_new(1);

    t->spec->retries = ends[_i].retries;
    if (ends[_i].n_codes > 0)
        t->spec->retry_on = codes_new(ends[_i].codes, ends[_i].n_codes);
    add_attempts(t, ends[_i].before);
    ck_assert_int_eq(retry_is_due(t, ends[_i].state, ends[_i].code), ends[_i].due);
    task_free(t);
}
END_TEST

START_TEST(test_empty_list) {
    Task *t = unit_task_new(1);

    t->spec->retries = 1;
    t->spec->retry_on = codes_new(NULL, 0); /* as good as none */
    ck_assert(retry_is_due(t, TASK_FAILED, 3));
    task_free(t);
}
END_TEST

/* ---- when ---- */

static const struct {
    uint64_t delay;
    unsigned failed;
    uint64_t least;
} delays[] = {
    {0, 0, 0},
    {0, 1000, 0},
    {1, 0, 1},
    {1 * USEC_PER_SEC, 0, 1 * USEC_PER_SEC},
    {1 * USEC_PER_SEC, 1, 2 * USEC_PER_SEC},
    {1 * USEC_PER_SEC, 5, 32 * USEC_PER_SEC},
    {1 * USEC_PER_SEC, 11, 2048 * USEC_PER_SEC},
    {1 * USEC_PER_SEC, 12, RETRY_DELAY_MAX},
    {1 * USEC_PER_SEC, TASK_RETRIES_LIMIT, RETRY_DELAY_MAX},
    {1 * USEC_PER_SEC, UINT32_MAX, RETRY_DELAY_MAX},
    {1 * USEC_PER_HOUR, 3, 1 * USEC_PER_HOUR},
    {5 * USEC_PER_HOUR, 0, 5 * USEC_PER_HOUR},
    {5 * USEC_PER_HOUR, 7, 5 * USEC_PER_HOUR},
    {UINT64_MAX, 7, TASK_RETRY_DELAY_LIMIT}, /* refused before it comes here */
};

START_TEST(test_delay) {
    uint64_t least = delays[_i].least, most = least + least / 4, seen_least = UINT64_MAX,
             seen_most = 0;

    for (uint64_t i = 1, random = 1; i < 1000; i++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint64_t delay = retry_delay(delays[_i].delay, delays[_i].failed, random);
        seen_least = MIN(seen_least, delay);
        seen_most = MAX(seen_most, delay);
    }
    ck_assert_uint_ge(seen_least, least);
    ck_assert_uint_le(seen_most, most);
    /* It is spread over the whole of it. */
    ck_assert_uint_le(seen_least, least + least / 40);
    ck_assert_uint_ge(seen_most, most - least / 40);
}
END_TEST

/* ---- memory ---- */

START_TEST(test_remembered) {
    Task *t = unit_task_new(1);

    add_attempts(t, "FTF");
    ck_assert_uint_eq(retry_count(t), 3);
    for (unsigned i = 0; i < RETRY_INTERRUPTED_MAX; i++) {
        ck_assert(retry_is_remembered(t, TASK_INTERRUPTED));
        add_attempts(t, "I");
    }
    ck_assert(!retry_is_remembered(t, TASK_INTERRUPTED));
    /* Those that count are, or there would be no end of them. */
    ck_assert(retry_is_remembered(t, TASK_FAILED));
    ck_assert(retry_is_remembered(t, TASK_TIMED_OUT));
    ck_assert_uint_eq(retry_count(t), 3);
    task_free(t);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("retry");
    TCase *t = tcase_create("retry");

    tcase_add_loop_test(t, test_is_due, 0, ELEMENTSOF(ends));
    tcase_add_test(t, test_empty_list);
    tcase_add_loop_test(t, test_delay, 0, ELEMENTSOF(delays));
    tcase_add_test(t, test_remembered);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
