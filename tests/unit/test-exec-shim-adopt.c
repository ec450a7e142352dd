/* What the next daemon takes up, with a stand-in for the keeper and the shims that it finds. */

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/keeper-rig.h"
#include "tests/unit/unit.h"

static KeeperRig rig;
static ShimRigJob job;

static void setup(void) {
    keeper_rig_setup(&rig);
}

static void teardown(void) {
    shim_rig_done(&job);
    keeper_rig_teardown(&rig);
}

/* A shim that lives tells everything anew, with its keeper or without. */
START_TEST(test_adopt_live) {
    int listener = rig_task_listen(7);

    if (_i) {
        keeper_rig_listen(&rig);
        rig.live[0] = 3;
        rig.live[1] = 7;
        ck_assert_int_eq(keeper_rig_find(&rig), 1);
    } else
        ck_assert_int_eq(shim_executor_connect(rig.executor), 0);
    ck_assert_int_eq(keeper_rig_adopt(&rig, &job, 7), 0);
    ck_assert_uint_eq(job.n_events, 0);
    int control = accept(listener, NULL, NULL);
    ck_assert_int_ge(control, 0);
    close(listener);
    rig_shim_say(control, "STARTED=4711\nSTATUS=now\n");
    rig_shim_say(control, "EXIT_CODE=0\n");
    keeper_rig_until_ended(&rig, &job);
    shim_rig_expect(&job, (const char *const[]){"started 4711", "status now",
                                                "ended succeeded 0 exit code 0", NULL});
    close(control);
}
END_TEST

/* One that ended while there was no daemon. */
START_TEST(test_adopt_ended) {
    rig_task_file(7, "exit", "STATUS=done\nEXIT_SIGNAL=15\nSTOPPED=1\n");
    if (_i) {
        keeper_rig_listen(&rig);
        ck_assert_int_eq(keeper_rig_find(&rig), 1);
    }
    ck_assert_int_eq(keeper_rig_adopt(&rig, &job, 7), 0);
    ck_assert_uint_eq(job.n_events, 0);
    keeper_rig_until_ended(&rig, &job);
    ck_assert_str_eq(job.events[0], "status done");
    ck_assert(strncmp(job.events[1], "ended interrupted 143", 21) == 0);
}
END_TEST

/* Nothing of it was ever started, and will not be. */
START_TEST(test_adopt_never_started) {
    if (_i & 1) {
        keeper_rig_listen(&rig);
        ck_assert_int_eq(keeper_rig_find(&rig), 1);
    }
    if (_i & 2)
        rig_task_file(7, "result", "1");
    ck_assert_int_eq(keeper_rig_adopt(&rig, &job, 7), -ENOENT);
    ck_assert_ptr_null(job.job);
    keeper_rig_settle(&rig);
}
END_TEST

/* A keeper is there that does not answer: nobody knows what it is about to start. */
START_TEST(test_adopt_early) {
    keeper_rig_listen(&rig);
    rig.deaf = true;
    /* Without its thread nobody answers; this would wait for seconds, so the loop connects. */
    ck_assert_int_eq(keeper_rig_start(&rig, &job, 6), 0);
    shim_executor_use_unit(rig.executor, true, NULL);
    ShimRigJob late;
    while (rig.fd < 0)
        MUST(sd_event_run(rig.event, USEC_PER_SEC) >= 0);
    ck_assert_int_eq(keeper_rig_adopt(&rig, &late, 7), 0);
    keeper_rig_settle(&rig);
    ck_assert_uint_eq(late.n_events, 0);

    int listener = rig_task_listen(7);
    rig.live[0] = 7;
    keeper_rig_hear(&rig);
    keeper_rig_until_orders(&rig, 1);
    keeper_rig_until_asked(&rig, 1);
    int control = -1;
    while ((control = accept4(listener, NULL, NULL, 0)) < 0)
        MUST(sd_event_run(rig.event, USEC_PER_SEC) >= 0);
    rig_shim_say(control, "EXIT_CODE=0\n");
    keeper_rig_until_ended(&rig, &late);
    ck_assert_str_eq(shim_rig_last(&late), "ended succeeded 0 exit code 0");
    close(control);
    close(listener);
    shim_rig_done(&late);
}
END_TEST

/* The same, and it was not about to start anything; or it has gone. */
START_TEST(test_adopt_early_never_started) {
    keeper_rig_listen(&rig);
    rig.deaf = true;
    ck_assert_int_eq(keeper_rig_start(&rig, &job, 6), 0);
    shim_executor_use_unit(rig.executor, true, NULL);
    while (rig.fd < 0)
        MUST(sd_event_run(rig.event, USEC_PER_SEC) >= 0);
    ShimRigJob late;
    ck_assert_int_eq(keeper_rig_adopt(&rig, &late, 7), 0);
    keeper_rig_settle(&rig);
    pid_t stray = _i ? rig_spawn_stray(7, unit_dir) : 0;
    keeper_rig_hear(&rig);
    keeper_rig_until_ended(&rig, &late);
    ck_assert_str_eq(shim_rig_last(&late),
                     _i ? RIG_LOST
                        : "ended interrupted -1 (never started) its processes are gone, and "
                          "nothing tells how they ended");
    if (_i)
        ck_assert_int_eq(rig_wait_signal(stray), SIGKILL);
    shim_rig_done(&late);
}
END_TEST

/* The shim is gone, and only the files are left. */
START_TEST(test_adopt_lost) {
    pid_t stray = rig_spawn_stray(7, unit_dir);

    close(rig_task_listen(7)); /* "control" is there, nobody listens */
    if (_i) {
        keeper_rig_listen(&rig);
        ck_assert_int_eq(keeper_rig_find(&rig), 1);
    }
    ck_assert_int_eq(keeper_rig_adopt(&rig, &job, 7), 0);
    keeper_rig_until_ended(&rig, &job);
    ck_assert_str_eq(shim_rig_last(&job), RIG_LOST);
    ck_assert_int_eq(rig_wait_signal(stray), SIGKILL);
}
END_TEST

/* The keeper is about to end the processes of one whose shim is gone. */
START_TEST(test_adopt_being_lost) {
    keeper_rig_listen(&rig);
    rig.live[0] = 7;
    ck_assert_int_eq(keeper_rig_find(&rig), 1);
    close(rig_task_listen(7));
    ck_assert_int_eq(keeper_rig_adopt(&rig, &job, 7), 0);
    keeper_rig_settle(&rig);
    ck_assert_uint_eq(job.n_events, 0);
    keeper_rig_say(&rig, "LOST=7\n");
    keeper_rig_until_ended(&rig, &job);
    ck_assert_str_eq(shim_rig_last(&job), RIG_LOST);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("exec-shim-adopt");
    TCase *t = tcase_create("exec-shim-adopt");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, test_adopt_live, 0, 2);
    tcase_add_loop_test(t, test_adopt_ended, 0, 2);
    tcase_add_loop_test(t, test_adopt_never_started, 0, 4);
    tcase_add_test(t, test_adopt_early);
    tcase_add_loop_test(t, test_adopt_early_never_started, 0, 2);
    tcase_add_loop_test(t, test_adopt_lost, 0, 2);
    tcase_add_test(t, test_adopt_being_lost);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
