/* Names of groups; when a group has run dry, and how it went. */

#include <errno.h>

#include "daemon/core/group.h"
#include "tests/unit/unit-task.h"

/* ---- names ---- */

#define NAME_64 "a234567890123456789012345678901234567890123456789012345678901234"

static const struct {
    const char *name;
    bool is_good;
} names[] = {
    {"default", true},
    {"build-2_x.y", true},
    {"x", true},
    {"2x", true},
    {NAME_64, true},
    {NAME_64 "5", false},
    {"", false},
    {NULL, false},
    {"1234", false}, /* somebody has mixed up a name and a number */
    {"-_.", false},
    {"a b", false},
    {"a/b", false},
    {"a=b", false},
    {"stra\xc3\x9f"
     "e",
     false},
    {"a\n", false},
};

START_TEST(test_name) {
    _cleanup_error_ Error e = {};
    int r = group_name_check("group", names[_i].name, &e);

    ck_assert_int_eq(r, names[_i].is_good ? 0 : -EREMOTE);
    ck_assert_int_eq(e.code, names[_i].is_good ? ERROR_NONE : ERROR_INVALID_OPTION);
    ck_assert(names[_i].is_good || strstr(e.message, "group"));
}
END_TEST

/* ---- ends ---- */

/* + a task is added, - it was not there after all, S F C I K one ends in that state, ( a series
 * comes, ) it is cancelled; behind it what is told then, if anything. */
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
    {{'+', QUIET}, {'K', 0, 1}},
    {{'+', QUIET}, {'+', QUIET}, {'S', QUIET}, {'F', 1, 1}},
    {{'+', QUIET}, {'+', QUIET}, {'S', QUIET}, {'+', QUIET}, {'S', QUIET}, {'S', 3, 0}},
    /* Each time anew. */
    {{'+', QUIET}, {'S', 1, 0}, {'+', QUIET}, {'F', 0, 1}, {'+', QUIET}, {'S', 1, 0}},
    {{'+', QUIET}, {'+', QUIET}, {'-', QUIET}, {'S', 1, 0}},
    /* A series is nothing that somebody waits for, but its runs are. */
    {{'(', QUIET}, {'+', QUIET}, {'S', 1, 0}, {'+', QUIET}, {'F', 0, 1}, {')', QUIET}},
    {{'+', QUIET}, {'(', QUIET}, {')', QUIET}, {'S', 1, 0}},
};

static TaskState state_of(char what) {
    switch (what) {
    case 'S':
        return TASK_SUCCEEDED;
    case 'F':
        return TASK_FAILED;
    case 'C':
    case ')':
        return TASK_CANCELLED;
    case 'K':
        return TASK_SKIPPED;
    default:
        return TASK_INTERRUPTED;
    }
}

static void step(Group *g, Task *t, const Step *s) {
    unsigned succeeded = 4711, failed = 4711;

    t->spec->every_usec = strchr("()", s->what) ? USEC_PER_SEC : 0;
    if (strchr("+(", s->what))
        group_task_added(g, t);
    else if (s->what == '-')
        group_task_withdrawn(g, t);
    else {
        t->state = state_of(s->what);
        bool dry = group_task_ended(g, t, &succeeded, &failed);
        ck_assert_int_eq(dry, s->succeeded >= 0);
        ck_assert_uint_eq(succeeded, dry ? (unsigned)s->succeeded : 4711);
        ck_assert_uint_eq(failed, dry ? (unsigned)s->failed : 4711);
        ck_assert(!dry || g->active == 0);
    }
}

START_TEST(test_round) {
    _cleanup_(task_freep) Task *t = unit_task_new(1);
    Group *g = group_new("build");

    ck_assert(g && group_is_empty(g));
    for (const Step *s = rounds[_i]; s < rounds[_i] + ELEMENTSOF(rounds[0]) && s->what; s++)
        step(g, t, s);
    ck_assert(group_is_empty(g));
    ck_assert_ptr_null(group_free(g));
}
END_TEST

START_TEST(test_full) {
    Group g = {.running = 2};

    ck_assert(!group_is_full(&g)); /* no limit */
    g.max_parallel = 3;
    ck_assert(!group_is_full(&g));
    g.max_parallel = 2;
    ck_assert(group_is_full(&g));
    g.max_parallel = 1; /* lowered */
    ck_assert(group_is_full(&g));
    ck_assert_ptr_null(group_free(NULL));
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("group");
    TCase *t = tcase_create("group");

    tcase_add_loop_test(t, test_name, 0, ELEMENTSOF(names));
    tcase_add_loop_test(t, test_round, 0, ELEMENTSOF(rounds));
    tcase_add_test(t, test_full);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
