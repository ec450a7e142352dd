/* The TaskContext of longrun-worker: a cancel and the sleep. What it sends and writes is tested
 * with the program, in integration/test-worker.c. */

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "daemon/worker/worker-context.h"

#define DEADLINE_MS 10000

START_TEST(test_sleep) {
    WorkerContext w;
    uint64_t start = clock_usec(CLOCK_MONOTONIC);

    worker_context_init(&w, NULL, NULL, 0);
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
    WorkerContext w;
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    worker_context_init(&w, NULL, NULL, 0);
    ck_assert_int_eq(raise(SIGTERM), 0);
    ck_assert(task_context_cancelled(&w.context));
    worker_context_done(&w);
}
END_TEST

/* Says when it is about to sleep, and sleeps. */
static void sleeper(atomic_int *about_to) {
    WorkerContext w;

    worker_context_init(&w, NULL, NULL, 0);
    atomic_store(about_to, 1);
    _exit(task_context_sleep(&w.context, USEC_PER_HOUR) == -ECANCELED ? 0 : 1);
}

static void wait_for(const atomic_int *flag) {
    for (unsigned i = 1; !atomic_load(flag); i++)
        if (i % 4096 == 0)
            sched_yield();
}

static void expect_cancelled(pid_t pid) {
    _cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd pfd = {.fd = pidfd, .events = POLLIN};
    int status;

    ck_assert_int_ge(pidfd, 0);
    if (poll(&pfd, 1, DEADLINE_MS) != 1) {
        kill(pid, SIGKILL);
        ck_abort_msg("the cancel was missed");
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status 0x%x", (unsigned)status);
}

/* Between the look at the flag and the wait there are some 100 ns in which a signal could be
 * missed: each round aims a little later, from before them to behind them. */
START_TEST(test_race) {
    atomic_int *about_to =
        mmap(NULL, sizeof(*about_to), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    ck_assert_ptr_ne(about_to, MAP_FAILED);
    for (int round = 0; round < 4000; round++) {
        atomic_store(about_to, 0);
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0)
            sleeper(about_to);
        wait_for(about_to);
        for (volatile int spin = 0; spin < round % 1000; spin++)
            ;
        ck_assert_int_eq(kill(pid, SIGTERM), 0);
        expect_cancelled(pid);
    }
    munmap(about_to, sizeof(*about_to));
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
