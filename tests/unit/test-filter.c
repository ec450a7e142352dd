/* Which tasks a filter means. */

#include "daemon/core/filter.h"
#include "tests/unit/unit-task.h"

#define STATE(name) (1u << TASK_##name)

/* Held against a running task of kind "noop" in the group "builds", with the label "make all",
 * created at 1007. */
static const struct {
    TaskFilter filter;
    bool matches;
} filters[] = {
    {{}, true},
    {{.states = STATE(RUNNING)}, true},
    {{.states = STATE(QUEUED) | STATE(RUNNING)}, true},
    {{.states = STATE(QUEUED) | STATE(SUCCEEDED)}, false},
    {{.states = ~STATE(RUNNING)}, false},
    {{.group = "builds"}, true},
    {{.group = "build"}, false},
    {{.group = ""}, false},
    {{.kind = "noop"}, true},
    {{.kind = "noo"}, false},
    {{.kind = "Noop"}, false},
    {{.label = "make all"}, true},
    {{.label = "ke a"}, true},
    {{.label = ""}, true},
    {{.label = "make all "}, false},
    {{.label = "Make"}, false},
    {{.search = "Make"}, true},
    {{.search = "KE A"}, true},
    {{.search = ""}, true},
    {{.search = "cmake"}, false},
    {{.since = 1006}, true},
    {{.since = 1007}, true},
    {{.since = 1008}, false},
    {{.since = UINT64_MAX}, false},
    {{.until = 1007}, false}, /* before, not at */
    {{.until = 1008}, true},
    {{.until = 1}, false},
    {{.until = UINT64_MAX}, true},
    {{.since = 1007, .until = 1008}, true},
    {{.since = 1008, .until = 1007}, false},
    {{.states = STATE(RUNNING), .group = "builds", .kind = "noop", .label = "make"}, true},
    {{.states = STATE(RUNNING), .group = "builds", .kind = "noop", .label = "cmake"}, false},
    {{.states = STATE(FAILED), .group = "builds", .kind = "noop", .label = "make"}, false},
    /* Where to begin and how many are the walker's business. */
    {{.cursor = 99, .limit = 1, .newest_first = true}, true},
};

START_TEST(test_filter) {
    _cleanup_(task_freep) Task *t = unit_task_new(7);

    unit_set(&t->spec->group, "builds");
    unit_set(&t->spec->label, "make all");
    t->state = TASK_RUNNING;
    ck_assert_int_eq(task_filter_matches(&filters[_i].filter, t), filters[_i].matches);
}
END_TEST

START_TEST(test_every_state) {
    _cleanup_(task_freep) Task *t = unit_task_new(7);

    for (unsigned state = 0; state < _TASK_STATE_MAX; state++)
        for (unsigned wanted = 0; wanted < _TASK_STATE_MAX; wanted++) {
            t->state = (TaskState)state;
            ck_assert_int_eq(task_filter_matches(&(TaskFilter){.states = 1u << wanted}, t),
                             state == wanted);
        }
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("filter");
    TCase *t = tcase_create("filter");

    tcase_add_loop_test(t, test_filter, 0, ELEMENTSOF(filters));
    tcase_add_test(t, test_every_state);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
