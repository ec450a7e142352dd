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

/* Moves this process to the n-th of the CPUs it may use, or to the last: two that spin and wait for
 * each other on one CPU never run side by side. */
static void use_cpu(const cpu_set_t *allowed, int n) {
    cpu_set_t one;
    int cpu = -1;

    for (int i = 0; i < CPU_SETSIZE && n >= 0; i++)
        if (CPU_ISSET(i, allowed)) {
            cpu = i;
            n--;
        }
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof(one), &one);
}

#define ENDED_EARLY 0 /* the signal was there before the sleep began */
#define ENDED_ASLEEP 1
#define ENDED_MISSED 2

/* Says that it is about to sleep, and after some turns sleeps. */
static void sleeper(atomic_int *about_to, int turns) {
    WorkerContext w;

    worker_context_init(&w, NULL, NULL, 0);
    atomic_store(about_to, 1);
    for (volatile int i = 0; i < turns; i++)
        ;
    bool early = task_context_cancelled(&w.context);
    if (task_context_sleep(&w.context, USEC_PER_HOUR) != -ECANCELED)
        _exit(ENDED_MISSED);
    _exit(early ? ENDED_EARLY : ENDED_ASLEEP);
}

static void wait_for(const atomic_int *flag) {
    for (unsigned i = 1; !atomic_load(flag); i++)
        if (i % 4096 == 0)
            sched_yield();
}

static int wait_for_end(pid_t pid) {
    _cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd pfd = {.fd = pidfd, .events = POLLIN};
    int status;

    ck_assert_int_ge(pidfd, 0);
    if (poll(&pfd, 1, DEADLINE_MS) != 1) {
        kill(pid, SIGKILL);
        ck_abort_msg("the cancel was missed");
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status), "status 0x%x", (unsigned)status);
    return WEXITSTATUS(status);
}

/* Between the look at the flag and the wait there are some 100 ns in which a signal could be
 * missed. A signal takes microseconds to arrive, not always the same: the sleeper waits for it for
 * a number of turns that is led to the point at which it comes just before the sleep, and then
 * takes up to SPREAD turns less, so that it comes from just before those 100 ns to just behind
 * them. */
START_TEST(test_race) {
    enum {
        ROUNDS = 3000,
        SPREAD = 512,
        STEP = 16
    };
    atomic_int *about_to =
        mmap(NULL, sizeof(*about_to), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int turns = SPREAD, early = 0, asleep = 0;
    cpu_set_t cpus;

    ck_assert_ptr_ne(about_to, MAP_FAILED);
    ck_assert_int_eq(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
    use_cpu(&cpus, 0);
    for (int round = 0; round < ROUNDS; round++) {
        bool led = round % 2 == 0;
        atomic_store(about_to, 0);
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
            use_cpu(&cpus, 1);
            sleeper(about_to, MAX(led ? turns : turns - round % SPREAD, 0));
        }
        wait_for(about_to);
        ck_assert_int_eq(kill(pid, SIGTERM), 0);
        int end = wait_for_end(pid);
        ck_assert_int_ne(end, ENDED_MISSED);
        early += end == ENDED_EARLY;
        asleep += end == ENDED_ASLEEP;
        if (led)
            turns += end == ENDED_EARLY ? -STEP : STEP;
    }
    printf("the signal came before the sleep %d times, in it %d times\n", early, asleep);
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
