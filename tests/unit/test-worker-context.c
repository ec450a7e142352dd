/* The TaskContext of longrun-worker: a cancel and the sleep. What it sends and writes is tested
 * with the program, in integration/test-worker.c. */

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "daemon/worker/worker-context.h"

#define SKIP 77

START_TEST(test_sleep) {
    WorkerInput input = {.fd = -EBADF};
    WorkerContext w;
    uint64_t start = clock_usec(CLOCK_MONOTONIC);

    worker_context_init(&w, NULL, &input, NULL, 0);
    ck_assert_int_eq(task_context_sleep(&w.context, 0), 0);
    ck_assert_int_eq(task_context_sleep(&w.context, 20 * USEC_PER_MSEC), 0);
    ck_assert_uint_ge(clock_usec(CLOCK_MONOTONIC) - start, 20 * USEC_PER_MSEC);
    ck_assert(!task_context_cancelled(&w.context));

    /* From then on no sleep, however long or short. */
    ck_assert_int_eq(raise(SIGTERM), 0);
    ck_assert(task_context_cancelled(&w.context));
    ck_assert_int_eq(task_context_sleep(&w.context, 0), -ECANCELED);
    ck_assert_int_eq(task_context_sleep(&w.context, USEC_PER_DAY), -ECANCELED);
    worker_context_done(&w);
}
END_TEST

/* Whoever started the worker may have blocked the signals. */
START_TEST(test_blocked_before) {
    WorkerInput input = {.fd = -EBADF};
    WorkerContext w;
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    worker_context_init(&w, NULL, &input, NULL, 0);
    ck_assert_int_eq(raise(SIGTERM), 0);
    ck_assert(task_context_cancelled(&w.context));
    worker_context_done(&w);
}
END_TEST

/* ---- a signal at any point on the way into the sleep: none is missed ----
 *
 * From the look at the flag to the wait it is some 100 instructions. The sleeper is led there one
 * by one, and each time gets the signal a little later. */

#define SLEEP_USEC (2 * USEC_PER_SEC)
#define STEPS_BETWEEN 16
#define SOON_USEC (1 * USEC_PER_SEC) /* far from the sleep's whole time, also on a busy machine */

static pid_t sleeper_new(void) {
    WorkerInput input = {.fd = -EBADF};
    WorkerContext w;
    int status;

    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        worker_context_init(&w, NULL, &input, NULL, 0);
        /* The first time the way leads through the dynamic linker, which is long. */
        task_context_sleep(&w.context, 1);
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
            _exit(SKIP);
        raise(SIGSTOP);
        _exit(task_context_sleep(&w.context, SLEEP_USEC) == -ECANCELED ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    if (WIFSTOPPED(status))
        return pid;
    ck_assert_int_eq(WEXITSTATUS(status), SKIP);
    return 0;
}

/* One instruction, or one system call; false when it took as long as the sleep. */
static bool step(pid_t pid) {
    uint64_t start = clock_usec(CLOCK_MONOTONIC);
    int status;

    ck_assert_int_eq(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSTOPPED(status));
    return clock_usec(CLOCK_MONOTONIC) - start < SOON_USEC;
}

static void end(pid_t pid) {
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

/* Sends SIGTERM behind so many steps: the sleep must end early. False when it was over before: the
 * number of steps differs by some from one time to the next. */
static bool expect_cancel_behind(unsigned steps) {
    pid_t pid = sleeper_new();
    int status;

    for (unsigned i = 0; i < steps; i++)
        if (!step(pid)) {
            end(pid);
            return false;
        }
    uint64_t start = clock_usec(CLOCK_MONOTONIC);
    ck_assert_int_eq(ptrace(PTRACE_DETACH, pid, NULL, (void *)(intptr_t)SIGTERM), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status 0x%x", (unsigned)status);
    ck_assert_msg(clock_usec(CLOCK_MONOTONIC) - start < SOON_USEC,
                  "a signal behind step %u was missed", steps);
    return true;
}

START_TEST(test_race) {
    pid_t pid = sleeper_new();

    if (pid == 0) {
        puts("SKIP test_race: ptrace(2) is not allowed here");
        return;
    }
    end(pid);
    unsigned steps = 0;
    while (expect_cancel_behind(steps))
        steps += STEPS_BETWEEN;
    ck_assert_uint_ge(steps, 100);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("worker-context");
    TCase *t = tcase_create("sleep");

    tcase_set_timeout(t, 120);
    tcase_add_test(t, test_sleep);
    tcase_add_test(t, test_blocked_before);
    tcase_add_test(t, test_race);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    SRunner *runner = srunner_create(suite_new());

    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
