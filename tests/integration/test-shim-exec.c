/* How the command is executed, with what, and what is said when it cannot be. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "tests/integration/test-shim.h"

static const struct {
    const char *script;
    const char *key;
    int value;
} ends[] = {
    {"exit 0", SHIM_EXIT_CODE, 0},
    {"exit 1", SHIM_EXIT_CODE, 1},
    {"exit 255", SHIM_EXIT_CODE, 255},
    {"kill -KILL $$", SHIM_EXIT_SIGNAL, SIGKILL},
    {"kill -SEGV $$", SHIM_EXIT_SIGNAL, SIGSEGV},
    {"kill -TERM $$", SHIM_EXIT_SIGNAL, SIGTERM},
};

START_TEST(test_end) {
    rig_shell(&rig, ends[_i].script);
    rig_start(&rig);
    rig_finish(&rig);
    rig_check_end(&rig, ends[_i].key, ends[_i].value);
    rig_check_end(&rig, SHIM_LOG_SIZE, 0);
    ck_assert_ptr_null(rig_value(&rig, SHIM_CANCELLED));
    ck_assert_ptr_null(rig_value(&rig, SHIM_KILLED));
    ck_assert_ptr_null(rig_value(&rig, SHIM_LOG_DROPPED));
    ck_assert_ptr_null(rig_value(&rig, SHIM_LOG_ERRNO));
    ck_assert_ptr_null(rig_value(&rig, SHIM_MAIN_EXITED));
}
END_TEST

#define LONG_NAME_50 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

static const struct {
    const char *argv0, *cwd, *step;
    int error;
} failures[] = {
    {"no-such-command", "/", SHIM_STEP_EXEC, ENOENT},
    {"", "/", SHIM_STEP_EXEC, ENOENT},
    {"/no/such/command", "/", SHIM_STEP_EXEC, ENOENT},
    {"/etc/passwd/command", "/", SHIM_STEP_EXEC, ENOTDIR},
    {"/etc/passwd", "/", SHIM_STEP_EXEC, EACCES},
    {"/etc", "/", SHIM_STEP_EXEC, EACCES},
    {"./no-shebang", NULL, SHIM_STEP_EXEC, ENOEXEC},
    {"no-shebang", NULL, SHIM_STEP_EXEC, ENOEXEC},
    {LONG_NAME_50 LONG_NAME_50 LONG_NAME_50 LONG_NAME_50 LONG_NAME_50 LONG_NAME_50, "/",
     SHIM_STEP_EXEC, ENAMETOOLONG},
    {"true", "/no/such/dir", SHIM_STEP_CHDIR, ENOENT},
    {"true", "/etc/passwd", SHIM_STEP_CHDIR, ENOTDIR},
};

START_TEST(test_failure) {
    rig_write_file(&rig, "no-shebang", "echo must not run\n", 0700);
    rig_add(&rig, SHIM_SPEC_ENV, "PATH=%s:/usr/bin:/bin", rig.dir);
    RIG_ARGV(&rig, failures[_i].argv0);
    rig_add(&rig, SHIM_SPEC_CWD, "%s", failures[_i].cwd ?: rig.dir);
    rig_start(&rig);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXEC_ERRNO, failures[_i].error);
    ck_assert_str_eq(rig_end(&rig, SHIM_EXEC_STEP), failures[_i].step);
    ck_assert_ptr_null(rig_value(&rig, SHIM_CANCELLED));
    ck_assert_uint_eq(rig.messages, 1);
}
END_TEST

START_TEST(test_too_long_argument) {
    enum {
        SIZE = 200 * 1024
    };
    _cleanup_free_ char *big = malloc(SIZE + 1);

    memset(big, 'x', SIZE);
    big[SIZE] = '\0';
    RIG_ARGV(&rig, "true", big);
    rig_start(&rig);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXEC_ERRNO, E2BIG);
    ck_assert_str_eq(rig_end(&rig, SHIM_EXEC_STEP), SHIM_STEP_EXEC);
}
END_TEST

#define JOB(text) text, sizeof(text) - 1

static const struct {
    const char *spec;
    size_t size;
    int error;
} bad_jobs[] = {
    {JOB(""), EINVAL},
    {JOB("id=7\0argv=true\0runtime-dir=/tmp\0log-dir=/tmp"), EINVAL}, /* not terminated */
    {JOB("id=7\0runtime-dir=/tmp\0log-dir=/tmp\0"), EINVAL},
    {JOB("id=7\0argv=true\0runtime-dir=/tmp\0"), EINVAL},
    {JOB("id=7\0argv=true\0log-dir=/tmp\0"), EINVAL},
    {JOB("argv=true\0runtime-dir=/tmp\0log-dir=/tmp\0"), EINVAL},
    {JOB("id=x\0argv=true\0runtime-dir=/tmp\0log-dir=/tmp\0"), EINVAL},
    {JOB("id=8\0argv=true\0runtime-dir=/tmp\0log-dir=/tmp\0"), EINVAL}, /* another's */
    {JOB("id=99999999999999999999\0argv=true\0runtime-dir=/tmp\0log-dir=/tmp\0"), EINVAL},
    {JOB("id=7\0argv=true\0runtime-dir=/tmp\0log-dir=/tmp\0umask=512\0"), EINVAL},
    {JOB("id=7\0argv=true\0runtime-dir=/tmp\0log-dir=/tmp\0nice=41\0"), EINVAL},
    {JOB("id=7\0argv=true\0runtime-dir=/tmp\0log-dir=/tmp\0nice=--1\0"), EINVAL},
    {JOB("id=7\0argv=true\0runtime-dir=/tmp\0log-dir=/tmp\0timeout-usec=1s\0"), EINVAL},
    {JOB("id=7\0argv=true\0runtime-dir=/tmp\0log-dir=/tmp\0colour=red\0"), EINVAL},
    {JOB("id=7\0argv=true\0runtime-dir=/tmp\0log-dir=/tmp\0noise\0"), EINVAL},
    {JOB("id=7\0argv=true\0runtime-dir=/tmp\0log-dir=/tmp\0\0"), EINVAL},
    {JOB("id=7\0stdin=argv=true\0runtime-dir=/tmp\0log-dir=/tmp\0"), EINVAL}, /* stdin is last */
};

START_TEST(test_bad_job) {
    rig_start_raw(&rig, bad_jobs[_i].spec, bad_jobs[_i].size);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXEC_ERRNO, bad_jobs[_i].error);
    ck_assert_str_eq(rig_end(&rig, SHIM_EXEC_STEP), SHIM_STEP_SETUP);
}
END_TEST

/* One that could be waited for for ever. */
START_TEST(test_job_is_a_pipe) {
    int fds[2];

    rig_start_keeper(&rig);
    rig_connect(&rig);
    ck_assert_int_ge(pipe2(fds, O_CLOEXEC), 0);
    rig_send_spawn(&rig, RIG_TASK_ID, fds[0], rig.shim_control);
    close(fds[0]);
    rig.shim_control = close_fd(rig.shim_control);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXEC_ERRNO, EINVAL);
    close(fds[1]);
}
END_TEST

START_TEST(test_job_too_large) {
    static char zeros[SHIM_SPEC_MAX]; /* with the keys before it just too much */

    RIG_ARGV(&rig, "true");
    rig.stdin_data = zeros;
    rig.stdin_size = sizeof(zeros);
    rig_start(&rig);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXEC_ERRNO, EFBIG);
    ck_assert_str_eq(rig_end(&rig, SHIM_EXEC_STEP), SHIM_STEP_SETUP);
}
END_TEST

/* In "one" the tool is there and may not be executed, in "two" it may. */
static const struct {
    const char *path; /* "%" stands for the test's directory; NULL: no PATH */
    const char *name, *key;
    int value;
} searches[] = {
    {"%/one:%/two", "tool", SHIM_EXIT_CODE, 2},
    {"%/two:%/three", "tool", SHIM_EXIT_CODE, 2},
    {"%/three:%/two", "tool", SHIM_EXIT_CODE, 3},
    {"%/one:%/none", "tool", SHIM_EXEC_ERRNO, EACCES},
    {"%/none", "tool", SHIM_EXEC_ERRNO, ENOENT},
    {"%/four:%/two", "tool", SHIM_EXEC_ERRNO, ENOEXEC},
    {"/etc/passwd:%/two", "tool", SHIM_EXIT_CODE, 2},
    {"%/none:", "tool", SHIM_EXIT_CODE, 5}, /* the working directory */
    {"", "tool", SHIM_EXIT_CODE, 5},
    {"%/none", "two/tool", SHIM_EXIT_CODE, 2},
    {NULL, "true", SHIM_EXIT_CODE, 0},
    {NULL, "tool", SHIM_EXEC_ERRNO, ENOENT},
};

static void make_tools(void) {
    static const char *const dirs[] = {"one", "two", "three", "four"};

    for (size_t i = 0; i < ELEMENTSOF(dirs); i++) {
        char path[128];
        rig_path(&rig, dirs[i], path, sizeof(path));
        ck_assert_int_eq(mkdir(path, 0700), 0);
    }
    rig_write_file(&rig, "one/tool", "#!/bin/sh\nexit 1\n", 0600);
    rig_write_file(&rig, "two/tool", "#!/bin/sh\nexit 2\n", 0700);
    rig_write_file(&rig, "three/tool", "#!/bin/sh\nexit 3\n", 0700);
    rig_write_file(&rig, "four/tool", "exit 4\n", 0700);
    rig_write_file(&rig, "tool", "#!/bin/sh\nexit 5\n", 0700);
}

START_TEST(test_path) {
    char path[256] = "";

    make_tools();
    for (const char *p = searches[_i].path; p && *p; p++) {
        char piece[2] = {*p};
        strcat(path, *p == '%' ? rig.dir : piece);
    }
    if (searches[_i].path)
        rig_add(&rig, SHIM_SPEC_ENV, "PATH=%s", path);
    rig_add(&rig, SHIM_SPEC_CWD, "%s", rig.dir);
    RIG_ARGV(&rig, searches[_i].name);
    rig_start(&rig);
    rig_finish(&rig);
    rig_check_end(&rig, searches[_i].key, searches[_i].value);
}
END_TEST

START_TEST(test_environment_is_exact) {
    char expected[256];

    rig_add(&rig, SHIM_SPEC_ENV, "B=2");
    rig_add(&rig, SHIM_SPEC_ENV, "A=with = and spaces ");
    rig_add(&rig, SHIM_SPEC_ENV, "EMPTY=");
    RIG_ARGV(&rig, "env");
    rig_start(&rig);
    rig_finish(&rig);
    snprintf(expected, sizeof(expected),
             "B=2\nA=with = and spaces \nEMPTY=\nNOTIFY_SOCKET=%s/task-7/notify\n", rig.run);
    rig_check_log(&rig, expected);
}
END_TEST

START_TEST(test_arguments_are_exact) {
    RIG_ARGV(&rig, "printf", "<%s>", "", "a b", "$HOME;*", "\xff\n", "argv=x");
    rig_start(&rig);
    rig_finish(&rig);
    rig_check_log(&rig, "<><a b><$HOME;*><\xff\n><argv=x>");
}
END_TEST

START_TEST(test_umask_and_cwd) {
    rig_shell(&rig, "umask; pwd -P");
    rig_add(&rig, SHIM_SPEC_UMASK, "%d", 0127);
    rig_add(&rig, SHIM_SPEC_CWD, "/usr/share");
    rig_start(&rig);
    rig_finish(&rig);
    rig_check_log(&rig, "0127\n/usr/share\n");
}
END_TEST

static void spoil_process(void) {
    sigset_t usr1;

    /* Neither a stray descriptor nor an ignored or blocked signal may reach the command, nor a
     * closed stdin, stdout or stderr get in the way. */
    (void)!dup2(STDOUT_FILENO, 5);
    (void)!dup2(STDOUT_FILENO, 2000 < sysconf(_SC_OPEN_MAX) ? 2000 : 200);
    signal(SIGINT, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    close(STDIN_FILENO);
    close(STDERR_FILENO);
}

START_TEST(test_descriptors) {
    rig.before = spoil_process;
    rig_command(&rig, "fds", "");
    rig_start(&rig);
    rig_finish(&rig);
    rig_check_log(&rig, "0 1 2 ");
}
END_TEST

START_TEST(test_signals_are_reset) {
    rig.before = spoil_process;
    RIG_ARGV(&rig, "sed", "-n", "/^Sig[BIC]/p", "/proc/self/status");
    rig_start(&rig);
    rig_finish(&rig);
    rig_check_log(
        &rig, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nSigCgt:\t0000000000000000\n");
}
END_TEST

START_TEST(test_session) {
    int pid, parent, group, session;
    size_t size;

    rig_make_fifo(&rig, "go");
    rig_add(&rig, SHIM_SPEC_CWD, "%s", rig.dir);
    rig_shell(&rig, "read stat < /proc/$$/stat; echo \"$stat\"; read x < go");
    rig_start(&rig);
    rig_wait_for(&rig, SHIM_STARTED);
    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
    _cleanup_free_ char *log = rig_read_log(&rig, &size);
    ck_assert_int_eq(sscanf(log, "%d (sh) R %d %d %d", &pid, &parent, &group, &session), 4);
    ck_assert_int_eq(pid, rig.command);
    ck_assert_int_eq(parent, rig.shim);
    ck_assert_int_eq(group, pid);
    ck_assert_int_eq(session, pid);
}
END_TEST

START_TEST(test_no_stdin) {
    RIG_ARGV(&rig, "readlink", "/proc/self/fd/0");
    rig_start(&rig);
    rig_finish(&rig);
    rig_check_log(&rig, "/dev/null\n");
}
END_TEST

static const struct {
    const char *data;
    size_t size;
} stdins[] = {
    {JOB("")}, {JOB("one line\n")}, {JOB("\0")}, {JOB("a\0argv=b\0\0\xff\n\0")}, {JOB("stdin=x")},
};

START_TEST(test_stdin) {
    size_t size;

    RIG_ARGV(&rig, "cat");
    rig.stdin_data = stdins[_i].data;
    rig.stdin_size = stdins[_i].size;
    rig_start(&rig);
    rig_finish(&rig);
    _cleanup_free_ char *log = rig_read_log(&rig, &size);
    ck_assert_uint_eq(size, stdins[_i].size);
    ck_assert_mem_eq(log, stdins[_i].data, size);
}
END_TEST

TCase *tcase_shim_exec(void) {
    TCase *tc = tcase_create("exec");

    tcase_add_loop_test(tc, test_end, 0, ELEMENTSOF(ends));
    tcase_add_loop_test(tc, test_failure, 0, ELEMENTSOF(failures));
    tcase_add_loop_test(tc, test_bad_job, 0, ELEMENTSOF(bad_jobs));
    tcase_add_loop_test(tc, test_path, 0, ELEMENTSOF(searches));
    tcase_add_loop_test(tc, test_stdin, 0, ELEMENTSOF(stdins));
    tcase_add_test(tc, test_too_long_argument);
    tcase_add_test(tc, test_job_is_a_pipe);
    tcase_add_test(tc, test_job_too_large);
    tcase_add_test(tc, test_environment_is_exact);
    tcase_add_test(tc, test_arguments_are_exact);
    tcase_add_test(tc, test_umask_and_cwd);
    tcase_add_test(tc, test_descriptors);
    tcase_add_test(tc, test_signals_are_reset);
    tcase_add_test(tc, test_session);
    tcase_add_test(tc, test_no_stdin);
    return tc;
}
