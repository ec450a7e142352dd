/* Commands under shims, with a stand-in for the keeper and the shims: who is asked for what, and
 * how every task comes to its one end, whoever dies. */

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fd-io.h"
#include "common/message-queue.h"
#include "common/shim-protocol.h"
#include "tests/unit/keeper-rig.h"
#include "tests/unit/unit.h"

static KeeperRig rig;
static ShimRigJob job;

#define LOST                                                                                       \
    "ended interrupted -1 its supervisor, longrun-shim, was killed; the processes that it left "   \
    "have been ended"

static void setup(void) {
    keeper_rig_setup(&rig);
}

static void teardown(void) {
    shim_rig_done(&job);
    keeper_rig_teardown(&rig);
}

/* Up to where the keeper has the order, and the shim could begin. */
static int start(void) {
    keeper_rig_listen(&rig);
    ck_assert_int_eq(keeper_rig_start(&rig, &job, 7), 0);
    shim_executor_use_unit(rig.executor, true, NULL);
    keeper_rig_until_orders(&rig, 1);
    return rig.orders[0].control_fd;
}

static void close_order(size_t i) {
    rig.orders[i].control_fd = close_fd(rig.orders[i].control_fd);
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

    rig_shim_say(start(), "EXIT_CODE=0\n");
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
    int control = start();

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
    int control = start();

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
    int control = start(), r;
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

    start();
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

/* ---- a control socket that closes ---- */

/* The shim was killed in between: the end is in the record, in front of the news that it has. */
START_TEST(test_record) {
    int control = start();

    rig_shim_say(control, "STARTED=4711\nSTATUS=first\n");
    rig_task_file(7, "exit",
                  "STATUS=last\nX_LONGRUN_DONE=9\nX_LONGRUN_TOTAL=10\nLOG_SIZE=70\n"
                  "CPU_USEC=5\nEXIT_CODE=0\n");
    close_order(0);
    keeper_rig_until_ended(&rig, &job);
    shim_rig_expect(&job, (const char *const[]){"started 4711", "status first", "progress 9/10",
                                                "status last", "log 70", "usage 5 0",
                                                "ended succeeded 0 exit code 0", NULL});
}
END_TEST

/* Without a record, the keeper's word is waited for; the record is its own then. */
START_TEST(test_lost) {
    rig_shim_say(start(), "STARTED=4711\n");
    rig_task_file(7, "exit.new", "");
    close_order(0);
    keeper_rig_until_event(&rig, &job, "started");
    keeper_rig_settle(&rig);
    ck_assert_str_eq(shim_rig_last(&job), "started 4711");
    if (_i)
        rig_task_file(7, "exit", "LOST=1\n");
    keeper_rig_say(&rig, "LOST=6\nLOST=7\n");
    keeper_rig_until_ended(&rig, &job);
    ck_assert_str_eq(shim_rig_last(&job), LOST);
}
END_TEST

/* What a shim has said comes before the news that it is gone. */
START_TEST(test_lost_after_message) {
    int control = start();

    rig_shim_say(control, "STARTED=4711\n");
    for (int i = 0; i < 50; i++)
        rig_shim_say(control, "STATUS=x\n");
    rig_shim_say(control, _i ? "EXIT_CODE=0\n" : "STATUS=last\n");
    close_order(0);
    keeper_rig_say(&rig, "LOST=7\n");
    keeper_rig_until_ended(&rig, &job);
    ck_assert_uint_eq(job.n_events, 1 + 50 + (_i ? 1 : 2));
    ck_assert_str_eq(shim_rig_last(&job), _i ? "ended succeeded 0 exit code 0" : LOST);
}
END_TEST

/* The keeper's record was read, and the task started anew, before its word about the first attempt
 * came. */
START_TEST(test_lost_is_of_the_attempt_before) {
    start();
    rig_task_file(7, "exit", "LOST=1\n");
    close_order(0);
    keeper_rig_until_ended(&rig, &job);
    ck_assert_str_eq(shim_rig_last(&job), LOST);
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
    start();
    rig_task_file(7, "exit.new", "");
    close_order(0);
    keeper_rig_settle(&rig);
    rig_task_file(7, "exit", "EXIT_CODE=4\n");
    keeper_rig_until_ended(&rig, &job);
    ck_assert_str_eq(shim_rig_last(&job), "ended failed 4 exit code 4");
}
END_TEST

/* A shim that somebody else has connected to. */
START_TEST(test_reconnect) {
    int listener = rig_task_listen(7);

    start();
    exec_job_cancel(job.job);
    ck_assert_int_eq(exec_job_pause(job.job, true), 0);
    close_order(0);
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

static bool was_asked(const void *arg) {
    return rig.asked >= *(const unsigned *)arg;
}

/* With the order unread: the next keeper gets it, and what was wanted of the shim. */
START_TEST(test_spawn_again) {
    rig.deaf = true;
    keeper_rig_listen(&rig);
    ck_assert_int_eq(keeper_rig_start(&rig, &job, 7), 0);
    shim_executor_use_unit(rig.executor, true, NULL);
    keeper_rig_settle(&rig);
    keeper_rig_hear(&rig);
    keeper_rig_until(&rig, was_asked, &(unsigned){1});
    keeper_rig_until_orders(&rig, 1);
    exec_job_cancel(job.job);

    close_order(0);
    keeper_rig_close(&rig);
    keeper_rig_until(&rig, was_asked, &(unsigned){2});
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
    int control = start();

    if (_i)
        exec_job_cancel(job.job);
    rig_shim_say(control, "EXEC_ERRNO=125\nEXEC_STEP=setup\nLOG_SIZE=0\nSTOPPED=1\n");
    close_order(0);
    if (_i) {
        keeper_rig_until_ended(&rig, &job);
        ck_assert_str_eq(shim_rig_last(&job), "ended cancelled -1 cancelled before it was started");
        return;
    }
    keeper_rig_settle(&rig);
    keeper_rig_close(&rig);
    keeper_rig_until(&rig, was_asked, &(unsigned){2});
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
    int control = start();

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
        close_order(i - 1);
        keeper_rig_close(&rig);
        if (i < 3)
            keeper_rig_until(&rig, was_asked, &(unsigned){i + 1});
    }
    keeper_rig_until_ended(&rig, &job);
    ck_assert_str_eq(shim_rig_last(&job), LOST);
}
END_TEST

/* A shim that outlives its keeper goes on, and so do its news. */
START_TEST(test_keeper_gone) {
    int control = start();

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
    close_order(0);
    keeper_rig_until_ended(&rig, &job);
    ck_assert_str_eq(shim_rig_last(&job), _i == 0 ? LOST : "ended succeeded 0 exit code 0");
}
END_TEST

/* A keeper that drops the connection and lives: what it has lost meanwhile shows in its answer. */
START_TEST(test_keeper_again) {
    start();
    rig_task_file(7, "exit.new", "");
    rig.live[0] = _i ? 7 : 0;
    close_order(0);
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
    ck_assert_str_eq(shim_rig_last(&job), LOST);
    ck_assert_uint_eq(rig.asked, 1);
}
END_TEST

/* ---- what a lost shim leaves behind ---- */

static pid_t spawn_stray(uint64_t id, const char *dir) {
    char id_text[64], result[256];
    int ready[2];
    char c;

    MUST(pipe(ready) == 0);
    snprintf(id_text, sizeof(id_text), "LONGRUN_TASK_ID=%" PRIu64, id);
    snprintf(result, sizeof(result), "LONGRUN_RESULT=%s/task-%" PRIu64 "/result", dir, id);
    pid_t pid = fork();
    MUST(pid >= 0);
    if (pid == 0) {
        close(ready[0]);
        dup2(ready[1], STDOUT_FILENO);
        char *env[] = {id_text, result, NULL};
        execle("/bin/sh", "sh", "-c", "echo; trap '' TERM; while :; do sleep 100; done", NULL, env);
        _exit(1);
    }
    close(ready[1]);
    MUST(read(ready[0], &c, 1) == 1);
    close(ready[0]);
    return pid;
}

static int wait_for(pid_t pid) {
    int status;

    MUST(waitpid(pid, &status, 0) == pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

START_TEST(test_strays) {
    pid_t stray = spawn_stray(7, unit_dir), other = spawn_stray(8, unit_dir);
    pid_t elsewhere = spawn_stray(7, "/run/user/1/longrun");

    start();
    rig_task_file(7, "exit.new", "");
    keeper_rig_close(&rig);
    close_order(0);
    keeper_rig_until_ended(&rig, &job);
    ck_assert_str_eq(shim_rig_last(&job), LOST);
    ck_assert_int_eq(waitpid(stray, NULL, WNOHANG), stray); /* gone when that is told */
    ck_assert_int_eq(waitpid(other, NULL, WNOHANG), 0);
    ck_assert_int_eq(waitpid(elsewhere, NULL, WNOHANG), 0);
    kill(other, SIGKILL);
    kill(elsewhere, SIGKILL);
    wait_for(other);
    wait_for(elsewhere);
}
END_TEST

/* ---- taking up ---- */

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
    keeper_rig_until(&rig, was_asked, &(unsigned){1});
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
    pid_t stray = _i ? spawn_stray(7, unit_dir) : 0;
    keeper_rig_hear(&rig);
    keeper_rig_until_ended(&rig, &late);
    ck_assert_str_eq(shim_rig_last(&late),
                     _i ? LOST
                        : "ended interrupted -1 (never started) its processes are gone, and "
                          "nothing tells how they ended");
    if (_i)
        ck_assert_int_eq(wait_for(stray), SIGKILL);
    shim_rig_done(&late);
}
END_TEST

/* The shim is gone, and only the files are left. */
START_TEST(test_adopt_lost) {
    pid_t stray = spawn_stray(7, unit_dir);

    close(rig_task_listen(7)); /* "control" is there, nobody listens */
    if (_i) {
        keeper_rig_listen(&rig);
        ck_assert_int_eq(keeper_rig_find(&rig), 1);
    }
    ck_assert_int_eq(keeper_rig_adopt(&rig, &job, 7), 0);
    keeper_rig_until_ended(&rig, &job);
    ck_assert_str_eq(shim_rig_last(&job), LOST);
    ck_assert_int_eq(wait_for(stray), SIGKILL);
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
    ck_assert_str_eq(shim_rig_last(&job), LOST);
}
END_TEST

/* ---- the daemon's end ---- */

/* The executor may go first; the shims see their control sockets close. */
START_TEST(test_free) {
    int control = start();

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

    rig_shim_say(start(), "STARTED=1\n");
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

/* ---- messages ---- */

static int start_open(void) {
    char *const argv[] = {(char *)"prog", NULL}, *const env[] = {NULL};
    char dir[128];
    ShimSpec spec = {.id = 7,
                     .attempt = 1,
                     .argv = argv,
                     .env = env,
                     .cwd = "/",
                     .stdin_open = true,
                     .log_dir = unit_dir,
                     .runtime_dir = dir};

    snprintf(dir, sizeof(dir), "%s/task-7", unit_dir);
    keeper_rig_listen(&rig);
    ck_assert_int_eq(keeper_rig_start_spec(&rig, &job, &spec), 0);
    shim_executor_use_unit(rig.executor, true, NULL);
    keeper_rig_until_orders(&rig, 1);
    return rig.orders[0].control_fd;
}

static void expect_heard(int fd, const char *text) {
    _cleanup_free_ char *heard = rig_shim_hear(fd);

    if (text)
        ck_assert_str_eq(strempty(heard), text);
    else
        ck_assert_ptr_null(heard);
}

/* They wait until the shim has told that it takes some, then come in their order. */
START_TEST(test_send) {
    int control = start_open();

    ck_assert_int_eq(exec_job_send(job.job, "one"), 0);
    keeper_rig_settle(&rig);
    expect_heard(control, NULL);
    rig_shim_say(control, "STARTED=4711\nMESSAGES_RECEIVED=0\nMESSAGES_TAKEN=0\n");
    keeper_rig_until_event(&rig, &job, "started 4711");
    expect_heard(control, "MESSAGE=one\n");
    ck_assert_int_eq(exec_job_send(job.job, "two = 2"), 0);
    expect_heard(control, "MESSAGE=two = 2\n");
    rig_shim_say(control, "EXIT_CODE=0\n");
    keeper_rig_until_ended(&rig, &job);
}
END_TEST

static void fill(unsigned n) {
    for (unsigned i = 0; i < n; i++)
        ck_assert_int_eq(exec_job_send(job.job, "text"), 0);
    ck_assert_int_eq(exec_job_send(job.job, "one too many"), -ENOBUFS);
}

START_TEST(test_inbox_is_full) {
    int control = start_open();

    fill(MESSAGE_QUEUE_MAX); /* here */
    rig_shim_say(control, "STARTED=4711\nMESSAGES_RECEIVED=0\nMESSAGES_TAKEN=0\n");
    keeper_rig_until_event(&rig, &job, "started 4711");
    ck_assert_int_eq(exec_job_send(job.job, "one too many"), -ENOBUFS); /* there */
    rig_shim_say(control, "MESSAGES_RECEIVED=100\nMESSAGES_TAKEN=3\n");
    rig_shim_say(control, "STATUS=told\n");
    keeper_rig_until_event(&rig, &job, "status told");
    fill(3);
    /* What the pipe cannot take is of no use when nobody reads it. */
    rig_shim_say(control, "MESSAGES_RECEIVED=103\nMESSAGES_TAKEN=103\nSTDIN_CLOSED=1\n");
    rig_shim_say(control, "STATUS=closed\n");
    keeper_rig_until_event(&rig, &job, "status closed");
    ck_assert_int_eq(exec_job_send(job.job, "text"), -EPIPE);
    rig_shim_say(control, "EXIT_CODE=0\n");
    keeper_rig_until_ended(&rig, &job);
}
END_TEST

START_TEST(test_takes_no_messages) {
    int control = start();

    ck_assert_int_eq(exec_job_send(job.job, "text"), -EOPNOTSUPP);
    rig_shim_say(control, "EXIT_CODE=0\n");
    keeper_rig_until_ended(&rig, &job);
}
END_TEST

/* A shim of a version before that tells nothing of an inbox: it would pass over what it is sent. */
START_TEST(test_older_shim) {
    int control = start_open();

    ck_assert_int_eq(exec_job_send(job.job, "text"), 0);
    rig_shim_say(control, "STARTED=4711\n");
    keeper_rig_until_event(&rig, &job, "started 4711");
    expect_heard(control, NULL);
    ck_assert_int_eq(exec_job_send(job.job, "text"), -EOPNOTSUPP);
    rig_shim_say(control, "EXIT_CODE=0\n");
    keeper_rig_until_ended(&rig, &job);
}
END_TEST

START_TEST(test_messages) {
    int control = start();

    rig_shim_say(control, "STARTED=4711\n");
    rig_shim_say(control, "X_LONGRUN_MESSAGE=one\nX_LONGRUN_MESSAGE=\nX_LONGRUN_MESSAGE=a=b\n"
                          "X_LONGRUN_MESSAGE=no UTF-8: \xff\n");
    rig_shim_say(control, "MESSAGES_DROPPED=3\n");
    rig_shim_say(control, "EXIT_CODE=0\n");
    keeper_rig_until_ended(&rig, &job);
    shim_rig_expect(&job, (const char *const[]){"started 4711", "message one", "message ",
                                                "message a=b", "message no UTF-8: \uFFFD",
                                                "ended succeeded 0 exit code 0", NULL});
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("exec-shim");
    TCase *t = tcase_create("exec-shim");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_start);
    tcase_add_test(t, test_second);
    tcase_add_test(t, test_send);
    tcase_add_test(t, test_inbox_is_full);
    tcase_add_test(t, test_takes_no_messages);
    tcase_add_test(t, test_older_shim);
    tcase_add_test(t, test_messages);
    tcase_add_test(t, test_answered_twice);
    tcase_add_test(t, test_wishes);
    tcase_add_test(t, test_wish_waits);
    tcase_add_test(t, test_cancel_before_keeper);
    tcase_add_loop_test(t, test_no_keeper, 0, 2);
    tcase_add_test(t, test_twice);
    tcase_add_test(t, test_many);
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
    tcase_add_loop_test(t, test_adopt_live, 0, 2);
    tcase_add_loop_test(t, test_adopt_ended, 0, 2);
    tcase_add_loop_test(t, test_adopt_never_started, 0, 4);
    tcase_add_test(t, test_adopt_early);
    tcase_add_loop_test(t, test_adopt_early_never_started, 0, 2);
    tcase_add_loop_test(t, test_adopt_lost, 0, 2);
    tcase_add_test(t, test_adopt_being_lost);
    tcase_add_test(t, test_free);
    tcase_add_test(t, test_no_descriptors);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
