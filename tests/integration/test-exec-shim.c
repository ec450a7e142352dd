/* The executor of commands with the real longrun-shim: what becomes of tasks when the daemon, their
 * keeper or their shims go. The environment variable LONGRUN_SHIM names the program. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fd-io.h"
#include "common/shim-protocol.h"
#include "tests/unit/keeper-rig.h"
#include "tests/unit/unit.h"

static KeeperRig rig;
static ShimRigJob job;
static char libexec_dir[PATH_MAX];

/* ---- processes ---- */

static pid_t keeper_pid(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    struct ucred peer;
    socklen_t size = sizeof(peer);

    MUST(fd >= 0);
    strcpy(address.sun_path, unit_path(KEEPER_SOCKET));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return 0;
    MUST(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0);
    return peer.pid;
}

static pid_t parent_of(pid_t pid) {
    _cleanup_free_ char *text = NULL;
    char path[64];
    int parent;

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    MUST(file_read_all(path, 4096, &text, NULL) == 0);
    MUST(sscanf(strrchr(text, ')') + 1, " %*c %d", &parent) == 1);
    return parent;
}

/* True when it has ended, waited for by anybody or not. */
static bool is_gone(pid_t pid) {
    _cleanup_free_ char *text = NULL;
    char path[64], state;

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    if (file_read_all(path, 4096, &text, NULL) < 0)
        return true;
    MUST(sscanf(strrchr(text, ')') + 1, " %c", &state) == 1);
    return state == 'Z';
}

static bool pid_is_gone(const void *arg) {
    return is_gone(*(const pid_t *)arg);
}

static void kill_and_wait(pid_t pid) {
    MUST(kill(pid, SIGKILL) == 0);
    keeper_rig_until(&rig, pid_is_gone, &pid);
}

static pid_t started_pid(const ShimRigJob *j) {
    int pid = 0;

    keeper_rig_until_event(&rig, j, "started");
    for (size_t i = 0; i < j->n_events && pid == 0; i++)
        (void)sscanf(j->events[i], "started %d", &pid);
    MUST(pid > 0);
    return pid;
}

/* ---- the rig ---- */

static void setup(void) {
    char path[PATH_MAX];

    MUST(getenv("LONGRUN_SHIM"));
    snprintf(path, sizeof(path), "%s", getenv("LONGRUN_SHIM"));
    strcpy(libexec_dir, dirname(path));
    /* What loses its keeper comes to us, and is there to be looked at. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    keeper_rig_setup(&rig);
    keeper_rig_renew(&rig, libexec_dir);
    rig.answers = true;
}

/* A keeper goes by itself when there is neither a daemon nor a shim; shims that are left see to it
 * that their commands end. */
static void teardown(void) {
    pid_t keeper = keeper_pid();

    shim_rig_done(&job);
    if (keeper > 0) {
        kill(keeper, SIGTERM);
        keeper_rig_until(&rig, pid_is_gone, &keeper);
    }
    keeper_rig_teardown(&rig);
}

static void start_with(ShimRigJob *j, uint64_t id, const char *script, ShimSpec spec) {
    char *const argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)script, NULL};
    char *const env[] = {(char *)"PATH=/usr/bin:/bin", NULL};
    char dir[128];

    snprintf(dir, sizeof(dir), "%s/task-%" PRIu64, unit_dir, id);
    spec.id = id;
    spec.attempt = 1;
    spec.argv = argv;
    spec.env = env;
    spec.clear_env = true;
    spec.cwd = unit_dir;
    spec.log_dir = unit_dir;
    spec.log_max = MIB;
    spec.runtime_dir = dir;
    if (spec.stop_timeout_usec == 0)
        spec.stop_timeout_usec = 10 * USEC_PER_SEC;
    ck_assert_int_eq(keeper_rig_start_spec(&rig, j, &spec), 0);
}

static void start(ShimRigJob *j, uint64_t id, const char *script) {
    start_with(j, id, script, (ShimSpec){});
}

/* The daemon goes, without a word, and the next one comes. Gives whether it finds a keeper. */
static int next_daemon(void) {
    keeper_rig_renew(&rig, libexec_dir);
    shim_rig_done(&job);
    return shim_executor_connect(rig.executor);
}

static void expect_end(const char *end) {
    keeper_rig_until_ended(&rig, &job);
    ck_assert_str_eq(shim_rig_last(&job), end);
}

static bool has_record(const void *arg) {
    return unit_exists("task-7/exit");
}

/* ---- one daemon ---- */

START_TEST(test_command) {
    start(&job, 7, "echo hello; exit 3");
    expect_end("ended failed 3 exit code 3");
    size_t size;
    _cleanup_free_ char *log = unit_read("7.log", &size);
    ck_assert_str_eq(log, "hello\n");
    ck_assert_str_eq(shim_executor_isolation(rig.executor), ISOLATION_PROCESS_GROUP);
    ck_assert(unit_exists("task-7/exit"));
}
END_TEST

START_TEST(test_cannot_execute) {
    char *const argv[] = {(char *)"nonesuch", NULL}, *const env[] = {NULL};
    ShimSpec spec = {.id = 7, .argv = argv, .env = env, .clear_env = true, .cwd = "/"};

    spec.log_dir = unit_dir;
    spec.runtime_dir = unit_path("task-7");
    ck_assert_int_eq(keeper_rig_start_spec(&rig, &job, &spec), 0);
    expect_end("ended failed 127 nonesuch: not found in PATH");
}
END_TEST

START_TEST(test_cancel) {
    start(&job, 7, "sleep 100 & sleep 100");
    pid_t pid = started_pid(&job);
    exec_job_cancel(job.job);
    expect_end("ended cancelled 143 cancelled: ended by signal 15 (SIGTERM)");
    ck_assert(is_gone(pid));
}
END_TEST

START_TEST(test_pause) {
    start(&job, 7, "sleep 100");
    started_pid(&job);
    ck_assert_int_eq(exec_job_pause(job.job, true), 0);
    keeper_rig_until_event(&rig, &job, "paused");
    ck_assert_int_eq(exec_job_pause(job.job, false), 0);
    keeper_rig_until_event(&rig, &job, "resumed");
    ck_assert_int_eq(exec_job_kill(job.job, SIGKILL), 0);
    expect_end("ended failed 137 ended by signal 9 (SIGKILL)");
}
END_TEST

START_TEST(test_timeout) {
    start_with(&job, 7, "sleep 100", (ShimSpec){.timeout_usec = 200 * USEC_PER_MSEC});
    keeper_rig_until_ended(&rig, &job);
    ck_assert_msg(strncmp(shim_rig_last(&job), "ended timed-out 143 timeout: it ran for 2", 41) ==
                      0,
                  "%s", shim_rig_last(&job));
}
END_TEST

START_TEST(test_many) {
    static ShimRigJob jobs[200];

    for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
        start(&jobs[i], i + 1, "exit 5");
    for (size_t i = 0; i < ELEMENTSOF(jobs); i++) {
        keeper_rig_until_ended(&rig, &jobs[i]);
        MUST(streq(shim_rig_last(&jobs[i]), "ended failed 5 exit code 5"));
        shim_rig_done(&jobs[i]);
    }
}
END_TEST

/* ---- the next daemon ---- */

START_TEST(test_adopt_live) {
    start(&job, 7, "exec sleep 100");
    pid_t pid = started_pid(&job);
    ck_assert_int_eq(next_daemon(), 1);
    ck_assert_int_eq(keeper_rig_adopt(&rig, &job, 7), 0);
    ck_assert_int_eq(started_pid(&job), pid);
    exec_job_cancel(job.job);
    expect_end("ended cancelled 143 cancelled: ended by signal 15 (SIGTERM)");
}
END_TEST

START_TEST(test_adopt_ended) {
    MUST(mkfifo(unit_path("fifo"), 0600) == 0);
    start(&job, 7, "read x < fifo; exit 3");
    started_pid(&job);
    keeper_rig_renew(&rig, libexec_dir);
    shim_rig_done(&job);
    if (_i) /* its keeper goes as well, and the shim is on its own */
        kill_and_wait(keeper_pid());
    _cleanup_close_ int fd = open(unit_path("fifo"), O_WRONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    fd = close_fd(fd);
    keeper_rig_until(&rig, has_record, NULL);
    ck_assert_int_ge(shim_executor_connect(rig.executor), 0);
    ck_assert_int_eq(keeper_rig_adopt(&rig, &job, 7), 0);
    expect_end("ended failed 3 exit code 3");
}
END_TEST

START_TEST(test_adopt_nothing) {
    ck_assert_int_eq(shim_executor_connect(rig.executor), 0);
    ck_assert_int_eq(keeper_rig_adopt(&rig, &job, 7), -ENOENT);
}
END_TEST

/* However the daemon went just after it had asked for the start: the task has run, or never will.
 */
START_TEST(test_adopt_early) {
    start(&job, 7, "echo x >> starts");
    keeper_rig_until_ended(&rig, &job);
    shim_rig_done(&job);
    for (uint64_t id = 8; id < 60; id++) {
        start(&job, id, "echo x >> starts");
        ck_assert_int_eq(next_daemon(), 1);
        /* The order was sent before the daemon went, so it is carried out. */
        ck_assert_int_eq(keeper_rig_adopt(&rig, &job, id), 0);
        expect_end("ended succeeded 0 exit code 0");
        shim_rig_done(&job);
    }
    size_t size;
    _cleanup_free_ char *starts = unit_read("starts", &size);
    ck_assert_uint_eq(size, 2 * 53);
    ck_assert(strncmp(starts, "x\nx\n", 4) == 0);
}
END_TEST

START_TEST(test_adopt_hundred) {
    static ShimRigJob jobs[100];

    for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
        start(&jobs[i], i + 1, "exec sleep 100");
    for (size_t i = 0; i < ELEMENTSOF(jobs); i++) {
        keeper_rig_until_event(&rig, &jobs[i], "started");
    }
    keeper_rig_renew(&rig, libexec_dir);
    for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
        shim_rig_done(&jobs[i]);

    uint64_t begin = clock_usec(CLOCK_MONOTONIC);
    ck_assert_int_eq(shim_executor_connect(rig.executor), 1);
    for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
        ck_assert_int_eq(keeper_rig_adopt(&rig, &jobs[i], i + 1), 0);
    for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
        keeper_rig_until_event(&rig, &jobs[i], "started");
    uint64_t usec = clock_usec(CLOCK_MONOTONIC) - begin;
    printf("100 running tasks taken up in %" PRIu64 " us\n", usec);

    for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
        exec_job_cancel(jobs[i].job);
    for (size_t i = 0; i < ELEMENTSOF(jobs); i++) {
        keeper_rig_until_ended(&rig, &jobs[i]);
        shim_rig_done(&jobs[i]);
    }
}
END_TEST

/* ---- without a keeper ---- */

/* The shim goes on, for this daemon and the next; another keeper is there for the next task, and
 * ends what the shim leaves behind. */
START_TEST(test_keeper_killed) {
    ShimRigJob second;

    start(&job, 7, "sleep 100");
    pid_t pid = started_pid(&job), shim = parent_of(pid);
    kill_and_wait(keeper_pid());
    if (_i) {
        ck_assert_int_eq(next_daemon(), 0);
        ck_assert_int_eq(keeper_rig_adopt(&rig, &job, 7), 0);
        ck_assert_int_eq(started_pid(&job), pid);
    }
    start(&second, 8, "exit 4");
    keeper_rig_until_ended(&rig, &second);
    ck_assert_str_eq(shim_rig_last(&second), "ended failed 4 exit code 4");
    shim_rig_done(&second);
    ck_assert_ptr_nonnull(job.job); /* this one has not ended */
    kill_and_wait(shim);
    expect_end(RIG_LOST);
    keeper_rig_until(&rig, pid_is_gone, &pid);
}
END_TEST

/* Keeper and shim are gone: what is left is known by its environment, setsid or not. */
START_TEST(test_strays) {
    start(&job, 7, "setsid sleep 100 & exec sleep 100");
    pid_t pid = started_pid(&job), shim = parent_of(pid);
    kill_and_wait(keeper_pid());
    if (_i) {
        keeper_rig_renew(&rig, libexec_dir);
        shim_rig_done(&job);
    }
    kill_and_wait(shim);
    if (_i) {
        ck_assert_int_eq(shim_executor_connect(rig.executor), 0);
        ck_assert_int_eq(keeper_rig_adopt(&rig, &job, 7), 0);
    }
    expect_end(RIG_LOST);
    ck_assert(is_gone(pid));
    for (int status; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        ;
    ck_assert_int_eq(pid, -1); /* nothing is left */
    ck_assert_int_eq(errno, ECHILD);
}
END_TEST

/* ---- signals to supervisors ---- */

START_TEST(test_shim_killed) {
    start(&job, 7, "setsid sleep 100 & exec sleep 100");
    pid_t pid = started_pid(&job);
    MUST(kill(parent_of(pid), SIGKILL) == 0);
    expect_end(RIG_LOST);
    ck_assert(is_gone(pid));
}
END_TEST

START_TEST(test_keeper_stopped) {
    start(&job, 7, "sleep 100");
    started_pid(&job);
    MUST(kill(keeper_pid(), SIGTERM) == 0);
    expect_end("ended interrupted 143 its supervisor, longrun-shim, was told to stop by a signal: "
               "ended by signal 15 (SIGTERM)");
}
END_TEST

static TCase *case_new(Suite *s, const char *name) {
    TCase *t = tcase_create(name);

    unit_use_dir(t);
    tcase_add_checked_fixture(t, setup, teardown);
    suite_add_tcase(s, t);
    return t;
}

static Suite *suite_new(void) {
    Suite *s = suite_create("exec-shim");
    TCase *t = case_new(s, "one-daemon");

    tcase_add_test(t, test_command);
    tcase_add_test(t, test_cannot_execute);
    tcase_add_test(t, test_cancel);
    tcase_add_test(t, test_pause);
    tcase_add_test(t, test_timeout);
    tcase_add_test(t, test_many);

    t = case_new(s, "next-daemon");
    tcase_add_test(t, test_adopt_live);
    tcase_add_loop_test(t, test_adopt_ended, 0, 2);
    tcase_add_test(t, test_adopt_nothing);
    tcase_add_test(t, test_adopt_early);
    tcase_add_test(t, test_adopt_hundred);

    t = case_new(s, "keeper");
    tcase_add_loop_test(t, test_keeper_killed, 0, 2);
    tcase_add_loop_test(t, test_strays, 0, 2);
    tcase_add_test(t, test_shim_killed);
    tcase_add_test(t, test_keeper_stopped);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
