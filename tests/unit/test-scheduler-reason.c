/* What a task tells of why it does not run. */

#include <time.h>

#include "tests/unit/scheduler-rig.h"

/* Of task 1. */
/* clang-format off */
static const struct {
    const char *script, *reason;
} reasons[] = {
    {"a2 a1>2", "waits for task 2 to succeed"},
    {"a2 a1?2", "waits for task 2 to end"},
    {"a2 a1<2", "waits for task 2 to fail"},
    {"a2 a3 a1>2>3", "waits for task 2 to succeed, and for 1 other"},
    {"a2 a3 a4 a1?2>3>4", "waits for task 2 to end, and for 2 others"},
    {"a2 a3 a1>2>3 =2 .2", "waits for task 3 to succeed"},
    /* The first of all that it waits for. */
    {"Pa a2 a1>2@1793642400000000&x", "waits for task 2 to succeed"},
    {"a1@1793642400000000&x", "waits for backend x to come online, but there is no such backend any "
                              "more: longrun backend add x URL"},
    {"&x- a1&x", "waits for backend x to come online"},
    {"a1@1793642400000000", "starts at 2026-11-02 18:00:00"},
    {"a1@1793642400000000~", "runs next at 2026-11-02 18:00:00"},
    {"a1 t1793642390000000 =1 ,1", "is tried again at 2026-11-02 17:59:50"},

    {"Pa a1", "the group a is paused: longrun resume a"},
    {"M*2 a2 a3 =2 =3 a1", "all 2 slots are in use (MaxParallel)"},
    {"M*2 a2 a3 =2 =3 a1 M*1", "the only slot is in use (MaxParallel)"},
    {"Ma1 a2 =2 a1", "the only slot of the group a is in use"},
    {"M*3 Ma2 a2 a3 =2 =3 a1", "all 2 slots of the group a are in use"},
    {"M*2 Ma2 a2 a3 =2 =3 a1", "all 2 slots of the group a are in use"},

    {"a2g3 =2 a1g2", "wants gpu=2, of which 1 of 4 is free"},
    {"a2g2 =2 a1g3", "wants gpu=3, of which 2 of 4 are free"},
    {"a2n2 =2 a1g1n1", "wants net=1, of which 0 of 2 are free"},
    {"M*1 a2g3 =2 a1g2", "the only slot is in use (MaxParallel)"},
    {"M*1 a2 =2 a1g4 Mg3", "wants gpu=4, but there are only 3 now"},
    {"a1g4 Mg0", "wants gpu=4, but there is no such resource any more: longrun resource set gpu N"},
    {"b2g2 =2 a1g2 b3+1g3", "wants gpu=2, which is kept for task 3, who comes first"},
    {"a1", "is about to start"},
    {"a1g4", "is about to start"},
    {"a2+1 a1", "others come first"},
};
/* clang-format on */

START_TEST(test_reason) {
    rig_run(reasons[_i].script);
    _cleanup_free_ char *reason = scheduler_reason(&rig, rig_tasks[1]);
    ck_assert_str_eq(reason, reasons[_i].reason);
}
END_TEST

START_TEST(test_others) {
    rig_run("a1 a2 =1");
    _cleanup_free_ char *running = scheduler_reason(&rig, rig_tasks[1]);
    ck_assert_str_eq(running, "");
    (void)rig_commit();
    (void)rig_commit();
    scheduler_hand_ahead(&rig, rig_tasks[2]);
    _cleanup_free_ char *ahead = scheduler_reason(&rig, rig_tasks[2]);
    ck_assert_str_eq(ahead, "is next");
    scheduler_take_back(&rig, rig_tasks[2]);
    rig.closed = true;
    _cleanup_free_ char *closed = scheduler_reason(&rig, rig_tasks[2]);
    ck_assert_str_eq(closed, "longrund is being stopped");
}
END_TEST

static void setup(void) {
    MUST(setenv("TZ", "UTC", true) == 0);
    tzset();
    rig_setup();
}

static Suite *suite_new(void) {
    Suite *suite = suite_create("scheduler-reason");
    TCase *t = tcase_create("reason");

    tcase_add_checked_fixture(t, setup, rig_teardown);
    tcase_add_loop_test(t, test_reason, 0, ELEMENTSOF(reasons));
    tcase_add_test(t, test_others);
    suite_add_tcase(suite, t);
    return suite;
}

int main(void) {
    return unit_run(suite_new());
}
