/* Processes that a lost shim leaves behind: found by their environment, and by their cgroup. */

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "daemon/exec/cgroup-leaf.h"
#include "daemon/exec/stray-search.h"
#include "tests/unit/unit.h"

static pid_t child;

static void setup(void) {
    child = 0;
}

static void teardown(void) {
    if (child > 0) {
        kill(child, SIGKILL);
        MUST(waitpid(child, NULL, 0) == child);
    }
}

/* A process with these variables, which is executed by then. "%s" stands for the folder. */
static void spawn(const char *const *variables) {
    char buf[4][256], *env[5] = {};
    int ready[2];
    char c;

    for (size_t i = 0; i < 4 && variables[i]; i++) {
        snprintf(buf[i], sizeof(buf[i]), variables[i], unit_dir);
        env[i] = buf[i];
    }
    MUST(pipe(ready) == 0);
    child = fork();
    MUST(child >= 0);
    if (child == 0) {
        dup2(ready[1], STDOUT_FILENO);
        close(ready[0]);
        close(ready[1]);
        execle("/bin/sh", "sh", "-c", "echo; exec sleep 100", NULL, env);
        _exit(1);
    }
    close(ready[1]);
    MUST(read(ready[0], &c, 1) == 1);
    close(ready[0]);
}

/* ---- by environment ---- */

static uint64_t found_id;
static unsigned n_found;

static void on_stray(void *userdata, uint64_t id, int pidfd) {
    found_id = id;
    n_found++;
    if (userdata)
        MUST(pidfd_send_signal(pidfd, SIGKILL, NULL, 0) == 0);
}

static const struct {
    const char *variables[5];
    uint64_t id; /* 0: is none of ours */
} environments[] = {
    {{"LONGRUN_TASK_ID=7", "LONGRUN_RESULT=%s/task-7/result"}, 7},
    {{"A=b", "LONGRUN_RESULT=%s/task-18446744073709551615/result",
      "LONGRUN_TASK_ID=18446744073709551615", "Z="},
     UINT64_MAX},
    {{NULL}, 0},
    {{"A=b"}, 0},
    {{"LONGRUN_TASK_ID=7"}, 0},
    {{"LONGRUN_RESULT=%s/task-7/result"}, 0},
    {{"LONGRUN_TASK_ID=8", "LONGRUN_RESULT=%s/task-7/result"}, 0},
    {{"LONGRUN_TASK_ID=", "LONGRUN_RESULT=%s/task-/result"}, 0},
    {{"LONGRUN_TASK_ID=x", "LONGRUN_RESULT=%s/task-x/result"}, 0},
    {{"LONGRUN_TASK_ID=07", "LONGRUN_RESULT=%s/task-07/result"}, 0},
    {{"LONGRUN_TASK_ID=7", "LONGRUN_RESULT=%s/task-7/result2"}, 0},
    {{"LONGRUN_TASK_ID=7", "LONGRUN_RESULT=%s/task-7"}, 0},
    {{"LONGRUN_TASK_ID=7", "LONGRUN_RESULT=/run/user/1/longrun/task-7/result"}, 0},
    {{"XLONGRUN_TASK_ID=7", "XLONGRUN_RESULT=%s/task-7/result"}, 0},
};

START_TEST(test_environment) {
    spawn(environments[_i].variables);
    ck_assert_int_eq(stray_search(unit_dir, on_stray, NULL), 0);
    ck_assert_uint_eq(n_found, environments[_i].id > 0);
    ck_assert_uint_eq(found_id, environments[_i].id);
}
END_TEST

/* The descriptor is of the process. One that has ended is found no more, reaped or not. */
START_TEST(test_kill) {
    siginfo_t si;

    spawn((const char *const[]){"LONGRUN_TASK_ID=7", "LONGRUN_RESULT=%s/task-7/result", NULL});
    ck_assert_int_eq(stray_search(unit_dir, on_stray, &child), 0);
    ck_assert_uint_eq(n_found, 1);
    MUST(waitid(P_PID, (id_t)child, &si, WEXITED | WNOWAIT) == 0);
    ck_assert_int_eq(si.si_status, SIGKILL);
    ck_assert_int_eq(stray_search(unit_dir, on_stray, &child), 0);
    ck_assert_uint_eq(n_found, 1);
}
END_TEST

/* ---- by cgroup ---- */

/* With files as the kernel has them in a cgroup. */
START_TEST(test_leaf) {
    char path[128], short_buf[8];

    ck_assert_int_eq(cgroup_leaf_path(path, sizeof(path), unit_dir, 7), 0);
    ck_assert_str_eq(path, unit_path("task-7"));
    ck_assert_int_eq(cgroup_leaf_path(short_buf, sizeof(short_buf), "/x", 7), -ENAMETOOLONG);
    ck_assert_int_eq(cgroup_leaf_end(path), 0); /* gone, or never made */

    MUST(mkdir(path, 0700) == 0);
    ck_assert_int_eq(cgroup_leaf_end(path), 0);
    unit_write("task-7/cgroup.kill", "", 0);
    unit_write("task-7/cgroup.events", "populated 1\nfrozen 0\n", 21);
    ck_assert_int_eq(cgroup_leaf_end(path), 1);
    _cleanup_free_ char *written = unit_read("task-7/cgroup.kill", NULL);
    ck_assert_str_eq(written, "1");
    unit_write("task-7/cgroup.kill", "", 0);
    unit_write("task-7/cgroup.events", "populated 0\nfrozen 1\n", 21);
    ck_assert_int_eq(cgroup_leaf_end(path), 0);
    _cleanup_free_ char *left = unit_read("task-7/cgroup.kill", NULL);
    ck_assert_str_eq(left, "");
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("stray-search");
    TCase *t = tcase_create("stray-search");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, test_environment, 0, ELEMENTSOF(environments));
    tcase_add_test(t, test_kill);
    tcase_add_test(t, test_leaf);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
