/* What can be done with a task, in each state and of each sort. */

#include "client-gtk/task/task-can.h"
#include "tests/unit/unit.h"

#define LABEL TASK_CAN_SET_LABEL
#define SIGNALS (TASK_CAN_KILL | TASK_CAN_PAUSE)
#define ENDED (TASK_CAN_RETRY | TASK_CAN_REMOVE | LABEL)

/* clang-format off */
static const char *const sorts[] = {
    "{'Kind': <'command'>}",
    "{'Kind': <'map'>}",
    "{'Kind': <'map'>, 'Isolate': <true>}",
    "{'Kind': <'download'>}",
    "{'Kind': <'command'>, 'StdinOpen': <true>}",
    "{'Kind': <'countdown'>}",
    "{'Kind': <'http-operation'>}",
    "{'Kind': <'command'>, 'Children': <[@t 7]>}",
    "{'Kind': <'command'>, 'HasResult': <true>}",
};
enum { COMMAND, THREAD, ISOLATED, DOWNLOAD, STDIN, COUNTDOWN, OPERATION, PARENT, RESULT };

static const struct {
    const char *state;
    int sort;
    unsigned can;
} cases[] = {
    {"waiting", COMMAND, TASK_CAN_CANCEL | TASK_CAN_SET_PRIORITY | LABEL},
    {"queued", COMMAND, TASK_CAN_CANCEL | TASK_CAN_SET_PRIORITY | LABEL},
    {"queued", STDIN, TASK_CAN_CANCEL | TASK_CAN_SET_PRIORITY | LABEL},
    {"starting", COMMAND, TASK_CAN_CANCEL | TASK_CAN_PAUSE | LABEL},
    {"starting", THREAD, TASK_CAN_CANCEL | LABEL},
    {"running", COMMAND, TASK_CAN_CANCEL | SIGNALS | LABEL},
    {"running", THREAD, TASK_CAN_CANCEL | LABEL},
    {"running", ISOLATED, TASK_CAN_CANCEL | SIGNALS | LABEL},
    {"running", DOWNLOAD, TASK_CAN_CANCEL | SIGNALS | LABEL},
    {"running", STDIN, TASK_CAN_CANCEL | SIGNALS | TASK_CAN_SEND | TASK_CAN_CLOSE_STDIN | LABEL},
    {"running", COUNTDOWN, TASK_CAN_CANCEL | TASK_CAN_SEND | LABEL},
    {"running", OPERATION, TASK_CAN_CANCEL | LABEL},
    {"running", PARENT, TASK_CAN_CANCEL | SIGNALS | TASK_CAN_SEND_TO_CHILDREN | LABEL},
    {"running", RESULT, TASK_CAN_CANCEL | SIGNALS | LABEL},
    {"paused", COMMAND, TASK_CAN_CANCEL | TASK_CAN_RESUME | TASK_CAN_KILL | LABEL},
    {"paused", STDIN, TASK_CAN_CANCEL | TASK_CAN_RESUME | TASK_CAN_KILL | TASK_CAN_SEND |
                      TASK_CAN_CLOSE_STDIN | LABEL},
    {"cancelling", COMMAND, TASK_CAN_KILL | LABEL},
    {"cancelling", STDIN, TASK_CAN_KILL | LABEL},
    {"cancelling", THREAD, LABEL},
    {"succeeded", COMMAND, ENDED},
    {"succeeded", RESULT, ENDED | TASK_CAN_TAKE_RESULT},
    {"succeeded", STDIN, ENDED},
    {"failed", RESULT, ENDED | TASK_CAN_TAKE_RESULT},
    {"failed", PARENT, ENDED},
    {"cancelled", COUNTDOWN, ENDED},
    {"timed-out", COMMAND, ENDED},
    {"interrupted", THREAD, ENDED},
    {"skipped", COMMAND, ENDED},
    {"of another world", COMMAND, 0},
    {"", COMMAND, 0},
};
/* clang-format on */

START_TEST(is_as_in_the_table) {
    g_autoptr(GVariant) all = g_variant_ref_sink(g_variant_new_parsed(sorts[cases[_i].sort]));
    g_autoptr(TaskProps) props = g_variant_dict_new(all);

    g_variant_dict_insert(props, "State", "s", cases[_i].state);
    ck_assert_uint_eq(task_can(props), cases[_i].can);
}
END_TEST

/* A row for each state, so that nobody adds one and forgets this. */
START_TEST(knows_all_states) {
    for (TaskState state = 0; state < _TASK_STATE_MAX; state++) {
        bool found = false;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
            found |= g_str_equal(cases[i].state, task_state_to_string(state));
        ck_assert_msg(found, "no case of %s", task_state_to_string(state));
    }
}
END_TEST

START_TEST(nothing_is_known_of_nothing) {
    g_autoptr(TaskProps) props = g_variant_dict_new(NULL);

    ck_assert_uint_eq(task_can(props), 0);
    ck_assert(!task_can_ever_take_messages(props));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("task-can");
    TCase *t = tcase_create("task-can");

    tcase_add_loop_test(t, is_as_in_the_table, 0, (int)ELEMENTSOF(cases));
    tcase_add_test(t, knows_all_states);
    tcase_add_test(t, nothing_is_known_of_nothing);
    suite_add_tcase(suite, t);
    return unit_run(suite);
}
