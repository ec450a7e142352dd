/* When a group has run dry, and how it went. */

#include "daemon/core/group.h"
#include "tests/unit/unit.h"

/* + a task is added, S F C I one ends in that state; behind it what is told then, if anything. */
typedef struct Step {
    char what;
    int succeeded, failed; /* -1: nothing is told */
} Step;

#define QUIET -1, -1

static const Step rounds[][8] = {
    {{'+', QUIET}, {'S', 1, 0}},
    {{'+', QUIET}, {'F', 0, 1}},
    {{'+', QUIET}, {'C', 0, 1}}, /* whatever is no success */
    {{'+', QUIET}, {'I', 0, 1}},
    {{'+', QUIET}, {'+', QUIET}, {'S', QUIET}, {'F', 1, 1}},
    {{'+', QUIET}, {'+', QUIET}, {'S', QUIET}, {'+', QUIET}, {'S', QUIET}, {'S', 3, 0}},
    /* Each time anew. */
    {{'+', QUIET}, {'S', 1, 0}, {'+', QUIET}, {'F', 0, 1}, {'+', QUIET}, {'S', 1, 0}},
};

static TaskState state_of(char what) {
    switch (what) {
    case 'S':
        return TASK_SUCCEEDED;
    case 'F':
        return TASK_FAILED;
    case 'C':
        return TASK_CANCELLED;
    default:
        return TASK_INTERRUPTED;
    }
}

START_TEST(test_round) {
    Group g = {};

    for (const Step *s = rounds[_i]; s < rounds[_i] + ELEMENTSOF(rounds[0]) && s->what; s++) {
        unsigned succeeded = 4711, failed = 4711;
        if (s->what == '+') {
            group_task_added(&g);
            continue;
        }
        bool dry = group_task_ended(&g, state_of(s->what), &succeeded, &failed);
        ck_assert_int_eq(dry, s->succeeded >= 0);
        ck_assert_uint_eq(succeeded, dry ? (unsigned)s->succeeded : 4711);
        ck_assert_uint_eq(failed, dry ? (unsigned)s->failed : 4711);
        ck_assert(!dry || g.active == 0);
    }
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("group");
    TCase *t = tcase_create("group");

    tcase_add_loop_test(t, test_round, 0, ELEMENTSOF(rounds));
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
