/* Commands under shims that are killed, and under keepers that end, with a stand-in for both: how
 * every task comes to its one end. */

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fd-io.h"
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

/* ---- a control socket that closes ---- */

/* The shim was killed in between: the end is in the record, in front of the news that it has. */
START_TEST(test_record) {
    int control = keeper_rig_start_ordered(&rig, &job);

    rig_shim_say(control, "STARTED=4711\nSTATUS=first\n");
    rig_task_file(7, "exit",
                  "STATUS=last\nX_LONGRUN_DONE=9\nX_LONGRUN_TOTAL=10\nLOG_SIZE=70\n"
                  "CPU_USEC=5\nEXIT_CODE=0\n");
    keeper_rig_close_order(&rig, 0);
    keeper_rig_until_ended(&rig, &job);
    shim_rig_expect(&job, (const char *const[]){"started 4711", "status first", "progress 9/10",
                                                "status last", "log 70", "usage 5 0",
                                                "ended succeeded 0 exit code 0", NULL});
}
END_TEST

/* Without a record, the keeper's word is waited for; the record is its own then. */
START_TEST(test_lost) {
    rig_shim_say(keeper_rig_start_ordered(&rig, &job), "STARTED=4711\n");
    rig_task_file(7, "exit.new", "");
    keeper_rig_close_order(&rig, 0);
    keeper_rig_until_event(&rig, &job, "started");
    keeper_rig_settle(&rig);
    ck_assert_str_eq(shim_rig_last(&job), "started 4711");
    if (_i)
        rig_task_file(7, "exit", "LOST=1\n");
    keeper_rig_say(&rig, "LOST=6\nLOST=7\n");
    keeper_rig_until_ended(&rig, &job);
    ck_assert_str_eq(shim_rig_last(&job), RIG_LOST);
}
END_TEST

/* What a shim has said comes before the news that it is gone. */
START_TEST(test_lost_after_message) {
    int control = keeper_rig_start_ordered(&rig, &job);

    rig_shim_say(control, "STARTED=4711\n");
    for (int i = 0; i < 50; i++)
        rig_shim_say(control, "STATUS=x\n");
    rig_shim_say(control, _i ? "EXIT_CODE=0\n" : "STATUS=last\n");
    keeper_rig_close_order(&rig, 0);
    keeper_rig_say(&rig, "LOST=7\n");
    keeper_rig_until_ended(&rig, &job);
    ck_assert_uint_eq(job.n_events, 1 + 50 + (_i ? 1 : 2));
    ck_assert_str_eq(shim_rig_last(&job), _i ? "ended succeeded 0 exit code 0" : RIG_LOST);
}
END_TEST

/* The keeper's record was read, and the task started anew, before its word about the first attempt
 * came. */
START_TEST(test_lost_is_of_the_attempt_before) {
    keeper_rig_start_ordered(&rig, &job);
    rig_task_file(7, "exit", "LOST=1\n");
    keeper_rig_close_order(&rig, 0);
    keeper_rig_until_ended(&rig, &job);
    ck_assert_str_eq(shim_rig_last(&job), RIG_LOST);
    shim_rig_done(&job);
    MUST(unlink(unit_path("task-7/exit")) == 0);

    ck_assert_int_eq(keeper_rig_start(&rig, &job, 7), 0);
    keeper_rig_until_orders(&rig, 2);
    if (_i)
        rig_shim_say(rig.orders[1].control_fd, "STARTED=4711\n");
    keeper_rig_say(&rig, "LOST=7\n");
    keeper_rig_settle(&rig);
    ck_assert_uint_eq(job.n_events, _i);
    rig_shim_say(rig.orders[1].control_fd, "EXIT_CODE=5\n");
    keeper_rig_until_ended(&rig, &job);
    ck_assert_str_eq(shim_rig_last(&job), "ended failed 5 exit code 5");
}
END_TEST

/* A record that appears while nobody says so: its keeper has just executed itself anew. */
START_TEST(test_record_unannounced) {
    keeper_rig_start_ordered(&rig, &job);
    rig_task_file(7, "exit.new", "");
    keeper_rig_close_order(&rig, 0);
    keeper_rig_settle(&rig);
    rig_task_file(7, "exit", "EXIT_CODE=4\n");
    keeper_rig_until_ended(&rig, &job);
    ck_assert_str_eq(shim_rig_last(&job), "ended failed 4 exit code 4");
}
END_TEST

/* A shim that somebody else has connected to. */
START_TEST(test_reconnect) {
    int listener = rig_task_listen(7);

    keeper_rig_start_ordered(&rig, &job);
    exec_job_cancel(job.job);
    ck_assert_int_eq(exec_job_pause(job.job, true), 0);
    keeper_rig_close_order(&rig, 0);
    keeper_rig_settle(&rig);
    rig.orders[0].control_fd = accept(listener, NULL, NULL);
    ck_assert_int_ge(rig.orders[0].control_fd, 0);
    _cleanup_free_ char *cancel = rig_shim_hear(rig.orders[0].control_fd);
    _cleanup_free_ char *pause = rig_shim_hear(rig.orders[0].control_fd);
    ck_assert_str_eq(strempty(cancel), "CANCEL=1\n");
    ck_assert_str_eq(strempty(pause), "PAUSE=1\n");
    rig_shim_say(rig.orders[0].control_fd, "EXIT_CODE=0\nCANCELLED=1\n");
    keeper_rig_until_ended(&rig, &job);
    ck_assert_str_eq(shim_rig_last(&job), "ended cancelled 0 cancelled: exit code 0");
    close(listener);
}
END_TEST

/* ---- a keeper that ends ---- */

/* With the order unread: the next keeper gets it, and what was wanted of the shim. */
START_TEST(test_spawn_again) {
    rig.deaf = true;
    keeper_rig_listen(&rig);
    ck_assert_int_eq(keeper_rig_start(&rig, &job, 7), 0);
    shim_executor_use_unit(rig.executor, true, NULL);
    keeper_rig_settle(&rig);
    keeper_rig_hear(&rig);
    keeper_rig_until_asked(&rig, 1);
    keeper_rig_until_orders(&rig, 1);
    exec_job_cancel(job.job);

    keeper_rig_close_order(&rig, 0);
    keeper_rig_close(&rig);
    keeper_rig_until_asked(&rig, 2);
    ck_assert_uint_eq(job.n_events, 0);

    keeper_rig_listen(&rig);
    shim_executor_use_unit(rig.executor, true, NULL);
    keeper_rig_until_orders(&rig, 2);
    ck_assert_uint_eq(rig.orders[1].id, 7);
    _cleanup_free_ char *text = NULL, *said = rig_shim_hear(rig.orders[1].control_fd);
    ck_assert_int_eq(fd_read_all(rig.orders[1].job_fd, MIB, &text, NULL), 0);
    ck_assert_str_eq(text, "id=7");
    ck_assert_str_eq(strempty(said), "CANCEL=1\n");
    rig_shim_say(rig.orders[1].control_fd, "EXIT_CODE=0\n");
    keeper_rig_until_ended(&rig, &job);
}
END_TEST

/* A keeper that is being stopped makes no shims: what it is asked for waits for the next. */
START_TEST(test_refused) {
    int control = keeper_rig_start_ordered(&rig, &job);

    if (_i)
        exec_job_cancel(job.job);
    rig_shim_say(control, "EXEC_ERRNO=125\nEXEC_STEP=setup\nLOG_SIZE=0\nSTOPPED=1\n");
    keeper_rig_close_order(&rig, 0);
    if (_i) {
        keeper_rig_until_ended(&rig, &job);
        ck_assert_str_eq(shim_rig_last(&job), "ended cancelled -1 cancelled before it was started");
        return;
    }
    keeper_rig_settle(&rig);
    keeper_rig_close(&rig);
    keeper_rig_until_asked(&rig, 2);
    keeper_rig_listen(&rig);
    shim_executor_use_unit(rig.executor, true, NULL);
    keeper_rig_until_orders(&rig, 2);
    rig_shim_say(rig.orders[1].control_fd, "EXIT_CODE=0\n");
    keeper_rig_until_ended(&rig, &job);
    ck_assert_uint_eq(job.n_events, 1);
}
END_TEST

/* But a shim that was stopped in front of its command has written the end down. */
START_TEST(test_stopped_early) {
    int control = keeper_rig_start_ordered(&rig, &job);

    rig_task_file(7, "exit", "EXEC_ERRNO=125\nEXEC_STEP=setup\nSTOPPED=1\n");
    rig_shim_say(control, "EXEC_ERRNO=125\nEXEC_STEP=setup\nSTOPPED=1\n");
    keeper_rig_until_ended(&rig, &job);
    ck_assert_str_eq(shim_rig_last(&job), "ended interrupted -1 its supervisor, longrun-shim, was "
                                          "told to stop by a signal before it was started");
}
END_TEST

/* A keeper that dies of the task, each time: it is not tried for ever. */
START_TEST(test_spawn_no_more) {
    ck_assert_int_eq(keeper_rig_start(&rig, &job, 7), 0);
    for (unsigned i = 1; i <= 3; i++) {
        ck_assert_uint_eq(rig.asked, i);
        keeper_rig_listen(&rig);
        shim_executor_use_unit(rig.executor, true, NULL);
        keeper_rig_until_orders(&rig, i);
        keeper_rig_close_order(&rig, i - 1);
        keeper_rig_close(&rig);
        if (i < 3)
            keeper_rig_until_asked(&rig, i + 1);
    }
    keeper_rig_until_ended(&rig, &job);
    ck_assert_str_eq(shim_rig_last(&job), RIG_LOST);
}
END_TEST

/* A shim that outlives its keeper goes on, and so do its news. */
START_TEST(test_keeper_gone) {
    int control = keeper_rig_start_ordered(&rig, &job);

    rig_task_file(7, "exit.new", "");
    rig_shim_say(control, "STARTED=4711\n");
    keeper_rig_until_event(&rig, &job, "started");
    keeper_rig_close(&rig);
    keeper_rig_settle(&rig);
    rig_shim_say(control, "STATUS=still there\n");
    keeper_rig_until_event(&rig, &job, "status");
    ck_assert_uint_eq(rig.asked, 1); /* nobody needs one */

    if (_i == 1)
        rig_task_file(7, "exit", "EXIT_CODE=0\n");
    if (_i == 2)
        rig_shim_say(control, "EXIT_CODE=0\n");
    keeper_rig_close_order(&rig, 0);
    keeper_rig_until_ended(&rig, &job);
    ck_assert_str_eq(shim_rig_last(&job), _i == 0 ? RIG_LOST : "ended succeeded 0 exit code 0");
}
END_TEST

/* A keeper that drops the connection and lives: what it has lost meanwhile shows in its answer. */
START_TEST(test_keeper_again) {
    keeper_rig_start_ordered(&rig, &job);
    rig_task_file(7, "exit.new", "");
    rig.live[0] = _i ? 7 : 0;
    keeper_rig_close_order(&rig, 0);
    rig.source = sd_event_source_disable_unref(rig.source);
    rig.fd = close_fd(rig.fd);
    if (_i) {
        while (rig.hellos < 2)
            MUST(sd_event_run(rig.event, USEC_PER_SEC) >= 0);
        keeper_rig_settle(&rig);
        ck_assert_uint_eq(job.n_events, 0);
        keeper_rig_say(&rig, "LOST=7\n");
    }
    keeper_rig_until_ended(&rig, &job);
    ck_assert_str_eq(shim_rig_last(&job), RIG_LOST);
    ck_assert_uint_eq(rig.asked, 1);
}
END_TEST

/* ---- what a lost shim leaves behind ---- */

START_TEST(test_strays) {
    pid_t stray = rig_spawn_stray(7, unit_dir), other = rig_spawn_stray(8, unit_dir);
    pid_t elsewhere = rig_spawn_stray(7, "/run/user/1/longrun");

    keeper_rig_start_ordered(&rig, &job);
    rig_task_file(7, "exit.new", "");
    keeper_rig_close(&rig);
    keeper_rig_close_order(&rig, 0);
    keeper_rig_until_ended(&rig, &job);
    ck_assert_str_eq(shim_rig_last(&job), RIG_LOST);
    ck_assert_int_eq(waitpid(stray, NULL, WNOHANG), stray); /* gone when that is told */
    ck_assert_int_eq(waitpid(other, NULL, WNOHANG), 0);
    ck_assert_int_eq(waitpid(elsewhere, NULL, WNOHANG), 0);
    kill(other, SIGKILL);
    kill(elsewhere, SIGKILL);
    rig_wait_signal(other);
    rig_wait_signal(elsewhere);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("exec-shim-lost");
    TCase *t = tcase_create("exec-shim-lost");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_record);
    tcase_add_loop_test(t, test_lost, 0, 2);
    tcase_add_loop_test(t, test_lost_after_message, 0, 2);
    tcase_add_loop_test(t, test_lost_is_of_the_attempt_before, 0, 2);
    tcase_add_test(t, test_record_unannounced);
    tcase_add_test(t, test_reconnect);
    tcase_add_test(t, test_spawn_again);
    tcase_add_loop_test(t, test_refused, 0, 2);
    tcase_add_test(t, test_stopped_early);
    tcase_add_test(t, test_spawn_no_more);
    tcase_add_loop_test(t, test_keeper_gone, 0, 3);
    tcase_add_loop_test(t, test_keeper_again, 0, 2);
    tcase_add_test(t, test_strays);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
