/* Commands under shims, with a stand-in for the keeper and the shims: who is asked for what, and
 * what is told of a task up to its end. */

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
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

/* ---- the ordinary way ---- */

START_TEST(test_start) {
    _cleanup_free_ char *text = NULL;
    int control;

    keeper_rig_listen(&rig);
    ck_assert_int_eq(keeper_rig_start(&rig, &job, 7), 0);
    ck_assert_uint_eq(rig.asked, 1);
    ck_assert_str_eq(shim_executor_isolation(rig.executor), "");
    keeper_rig_settle(&rig);
    ck_assert_uint_eq(rig.hellos, 0); /* it has not been answered */

    shim_executor_use_unit(rig.executor, true, NULL);
    keeper_rig_until_orders(&rig, 1);
    ck_assert_uint_eq(rig.orders[0].id, 7);
    ck_assert_int_eq(fd_read_all(rig.orders[0].job_fd, MIB, &text, NULL), 0);
    ck_assert_str_eq(text, "id=7"); /* up to the first NUL */
    ck_assert_str_eq(shim_executor_isolation(rig.executor), "process-group");
    ck_assert_uint_eq(rig.isolations, 1);

    control = rig.orders[0].control_fd;
    rig_shim_say(control, "STARTED=4711\n");
    rig_shim_say(control, "X_LONGRUN_PHASE=scan\nX_LONGRUN_DONE=3\nX_LONGRUN_TOTAL=10\n");
    rig_shim_say(control, "STATUS=copying\nLOG_SIZE=5\nCPU_USEC=100\n");
    rig_shim_say(control, "PAUSED=1\n");
    rig_shim_say(control, "PAUSED=0\nMEMORY_PEAK=4096\n");
    rig_shim_say(control, "MAIN_EXITED=2\n");
    rig_shim_say(control, "EXIT_CODE=3\nLOG_SIZE=9\nCPU_USEC=300\n");
    keeper_rig_until_ended(&rig, &job);
    shim_rig_expect(&job, (const char *const[]){
                              "started 4711", "phase scan", "progress 3/10", "status copying",
                              "log 5", "usage 100 0", "paused", "resumed", "usage 100 4096",
                              "reason the command has ended; 2 processes that it left still run",
                              "log 9", "usage 300 4096", "ended failed 3 exit code 3", NULL});
}
END_TEST

/* The second command finds the keeper there. */
START_TEST(test_second) {
    ShimRigJob second;

    rig_shim_say(keeper_rig_start_ordered(&rig, &job), "EXIT_CODE=0\n");
    keeper_rig_until_ended(&rig, &job);
    ck_assert_int_eq(keeper_rig_start(&rig, &second, 8), 0);
    keeper_rig_until_orders(&rig, 2);
    ck_assert_uint_eq(rig.orders[1].id, 8);
    rig_shim_say(rig.orders[1].control_fd, "EXEC_ERRNO=2\nEXEC_STEP=exec\n");
    keeper_rig_until_ended(&rig, &second);
    ck_assert_str_eq(shim_rig_last(&second), "ended failed 127 prog: not found in PATH");
    ck_assert_uint_eq(rig.asked, 1);
    ck_assert_uint_eq(rig.hellos, 1);
    shim_rig_done(&second);
}
END_TEST

/* An answer that comes late, or twice, does not touch the keeper that is there. */
START_TEST(test_answered_twice) {
    int control = keeper_rig_start_ordered(&rig, &job);

    shim_executor_use_unit(rig.executor, true, NULL);
    shim_executor_use_unit(rig.executor, false, "the test says so");
    keeper_rig_settle(&rig);
    ck_assert_uint_eq(rig.hellos, 1);
    rig_shim_say(control, "EXIT_CODE=0\n");
    keeper_rig_until_ended(&rig, &job);
    ck_assert_str_eq(shim_rig_last(&job), "ended succeeded 0 exit code 0");
}
END_TEST

/* What is wanted of a shim is not lost, be the shim there already or not. */
START_TEST(test_wishes) {
    int control = keeper_rig_start_ordered(&rig, &job);

    ck_assert_int_eq(exec_job_pause(job.job, true), 0);
    ck_assert_int_eq(exec_job_kill(job.job, SIGUSR1), 0);
    exec_job_cancel(job.job);
    exec_job_cancel(job.job);
    static const char *const said[] = {"PAUSE=1\n", "KILL=10\n", "CANCEL=1\n"};
    for (size_t i = 0; i < ELEMENTSOF(said); i++) {
        _cleanup_free_ char *text = rig_shim_hear(control);
        ck_assert_str_eq(strempty(text), said[i]);
    }
    _cleanup_free_ char *more = rig_shim_hear(control);
    ck_assert_ptr_null(more);
}
END_TEST

/* Nor is it where the shim is slow to read. */
START_TEST(test_wish_waits) {
    int control = keeper_rig_start_ordered(&rig, &job), r;
    bool cancelled = false, paused = false;

    while ((r = exec_job_kill(job.job, SIGUSR1)) == 0)
        ;
    ck_assert_int_eq(r, -EAGAIN);
    ck_assert_int_eq(exec_job_pause(job.job, true), 0);
    exec_job_cancel(job.job);
    while (!cancelled || !paused) {
        for (char *text; (text = rig_shim_hear(control)); free(text)) {
            cancelled |= streq(text, "CANCEL=1\n");
            paused |= streq(text, "PAUSE=1\n");
        }
        MUST(sd_event_run(rig.event, 0) >= 0);
    }
}
END_TEST

START_TEST(test_cancel_before_keeper) {
    keeper_rig_listen(&rig);
    ck_assert_int_eq(keeper_rig_start(&rig, &job, 7), 0);
    exec_job_cancel(job.job);
    ck_assert_uint_eq(job.n_events, 0);
    keeper_rig_until_ended(&rig, &job);
    ck_assert_str_eq(shim_rig_last(&job), "ended cancelled -1 cancelled before it was started");
    shim_executor_use_unit(rig.executor, true, NULL);
    keeper_rig_settle(&rig);
    ck_assert_uint_eq(rig.n_orders, 0);
}
END_TEST

/* Its keeper is nowhere, and there is no program to start one of. */
START_TEST(test_no_keeper) {
    ck_assert_int_eq(keeper_rig_start(&rig, &job, 7), 0);
    shim_executor_use_unit(rig.executor, _i, "the test says so");
    keeper_rig_until_ended(&rig, &job);
    ck_assert_str_eq(shim_rig_last(&job),
                     "ended failed 127 cannot prepare the command: No such file or directory");
    /* The next one asks again. */
    shim_rig_done(&job);
    ck_assert_int_eq(keeper_rig_start(&rig, &job, 8), 0);
    ck_assert_uint_eq(rig.asked, 2);
}
END_TEST

START_TEST(test_twice) {
    ShimRigJob second;

    keeper_rig_start_ordered(&rig, &job);
    ck_assert_int_eq(keeper_rig_start(&rig, &second, 7), -EEXIST);
}
END_TEST

/* More than the keeper's socket takes: they wait for room. */
START_TEST(test_many) {
    static ShimRigJob jobs[1000];

    rig.deaf = true;
    keeper_rig_listen(&rig);
    for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
        ck_assert_int_eq(keeper_rig_start(&rig, &jobs[i], i + 1), 0);
    ck_assert_uint_eq(rig.asked, 1);
    shim_executor_use_unit(rig.executor, true, NULL);
    keeper_rig_settle(&rig);
    keeper_rig_hear(&rig);
    keeper_rig_until_orders(&rig, ELEMENTSOF(jobs));
    for (size_t i = 0; i < ELEMENTSOF(jobs); i++) {
        MUST(rig.orders[i].id == i + 1);
        rig_shim_say(rig.orders[i].control_fd, "EXIT_CODE=0\n");
    }
    for (size_t i = 0; i < ELEMENTSOF(jobs); i++) {
        keeper_rig_until_ended(&rig, &jobs[i]);
        MUST(streq(shim_rig_last(&jobs[i]), "ended succeeded 0 exit code 0"));
        shim_rig_done(&jobs[i]);
    }
}
END_TEST

/* ---- the daemon's end ---- */

/* The executor may go first; the shims see their control sockets close. */
START_TEST(test_free) {
    int control = keeper_rig_start_ordered(&rig, &job);

    rig.executor = shim_executor_free(rig.executor);
    exec_job_cancel(job.job);
    ck_assert_int_eq(exec_job_pause(job.job, true), -ESRCH);
    shim_rig_done(&job);
    char c;
    ck_assert_int_eq(recv(control, &c, 1, 0), 0);
}
END_TEST

/* Descriptors run out: the task fails, in words, and nothing hangs. */
START_TEST(test_no_descriptors) {
    struct rlimit before, limit;
    ShimRigJob second;

    rig_shim_say(keeper_rig_start_ordered(&rig, &job), "STARTED=1\n");
    keeper_rig_until_event(&rig, &job, "started");
    getrlimit(RLIMIT_NOFILE, &before);
    limit = before;
    limit.rlim_cur = (rlim_t)dup(0) + 2; /* one for the job, one for half of a pair */
    setrlimit(RLIMIT_NOFILE, &limit);
    int r = keeper_rig_start(&rig, &second, 8);
    if (r == 0)
        keeper_rig_until_ended(&rig, &second);
    setrlimit(RLIMIT_NOFILE, &before);
    if (r == 0)
        ck_assert_str_eq(shim_rig_last(&second),
                         "ended failed 126 cannot prepare the command: Too many open files");
    else
        ck_assert_int_eq(r, -EMFILE);
    ck_assert_uint_eq(rig.n_orders, 1);
    shim_rig_done(&second);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("exec-shim");
    TCase *t = tcase_create("exec-shim");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_start);
    tcase_add_test(t, test_second);
    tcase_add_test(t, test_answered_twice);
    tcase_add_test(t, test_wishes);
    tcase_add_test(t, test_wish_waits);
    tcase_add_test(t, test_cancel_before_keeper);
    tcase_add_loop_test(t, test_no_keeper, 0, 2);
    tcase_add_test(t, test_twice);
    tcase_add_test(t, test_many);
    tcase_add_test(t, test_free);
    tcase_add_test(t, test_no_descriptors);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
