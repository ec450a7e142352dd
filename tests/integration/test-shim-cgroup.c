/* A cgroup for each task. */

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fd-io.h"
#include "tests/integration/test-shim.h"
#include "version.h"

static void leaf_path(const char *name, char *buf, size_t size) {
    ck_assert_int_lt(snprintf(buf, size, "%s/task-%d%s", rig.cgroup, RIG_TASK_ID, name), (int)size);
}

static bool leaf_is_there(void) {
    char path[PATH_MAX];

    leaf_path("", path, sizeof(path));
    return access(path, F_OK) >= 0;
}

START_TEST(test_facts) {
    rig_start_keeper(&rig);
    rig_hello(&rig, LONGRUN_VERSION);
    ck_assert_str_eq(strempty(rig_fact(&rig, KEEPER_ISOLATION)), ISOLATION_CGROUP);
    ck_assert_str_eq(strempty(rig_fact(&rig, KEEPER_CGROUP)), rig.cgroup);
    ck_assert_ptr_nonnull(rig_fact(&rig, KEEPER_CONTROLLERS));
}
END_TEST

/* The command is born there; the shim stays outside. */
START_TEST(test_membership) {
    char expected[64], path[64];
    size_t size;

    RIG_ARGV(&rig, "grep", "^0::", "/proc/self/cgroup");
    rig_start(&rig);
    rig_finish(&rig);
    _cleanup_free_ char *log = rig_read_log(&rig, &size);
    snprintf(expected, sizeof(expected), "/%d/task-%d\n", getpid(), RIG_TASK_ID);
    ck_assert_msg(strstr(log, expected), "%s is not in %s", log, expected);
    ck_assert(!leaf_is_there());

    snprintf(path, sizeof(path), "/proc/%d/cgroup", rig.keeper);
    _cleanup_free_ char *own = NULL;
    ck_assert_int_eq(file_read_all(path, 64 * KIB, &own, NULL), 0);
    snprintf(expected, sizeof(expected), "/%d/keeper\n", getpid());
    ck_assert_msg(strstr(own, expected), "%s is not in %s", own, expected);
}
END_TEST

START_TEST(test_leaf_is_there_and_goes) {
    RIG_ARGV(&rig, "sleep", "1000");
    rig_start(&rig);
    rig_wait_for(&rig, SHIM_STARTED);
    ck_assert(leaf_is_there());
    rig_send(&rig, SHIM_CANCEL "=1\n");
    rig_finish(&rig);
    ck_assert(!leaf_is_there());
}
END_TEST

/* No leaf is left of a command that could not be executed. */
START_TEST(test_no_command) {
    RIG_ARGV(&rig, "/no/such/command");
    rig_start(&rig);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXEC_ERRNO, ENOENT);
    ck_assert(!leaf_is_there());
}
END_TEST

/* The command makes cgroups of its own and puts processes there, one of which ignores SIGTERM. */
static const char nested[] =
    "cd %s/task-7 && mkdir -p one/two && "
    "(echo 0 > one/cgroup.procs; exec setsid sleep 1000) & "
    "cd %s/task-7; (until echo 0 2> /dev/null > one/two/cgroup.procs; do :; "
    "done; trap '' TERM; echo ready; while :; do sleep 1; done) & %s";

static const struct {
    const char *end, *order;
    bool killed;
} nests[] = {
    {"wait", SHIM_CANCEL "=1\n", true},
    {"exit 5", SHIM_CANCEL "=1\n", true},
    {"wait", SHIM_KILL "=9\n", false},
};

START_TEST(test_nested) {
    _cleanup_free_ char *script = NULL;

    ck_assert_int_ge(asprintf(&script, nested, rig.cgroup, rig.cgroup, nests[_i].end), 0);
    rig_add(&rig, SHIM_SPEC_STOP_TIMEOUT, "200000");
    rig_shell(&rig, script);
    rig_start(&rig);
    rig_wait_log(&rig, 6);
    rig_send(&rig, nests[_i].order);
    rig_finish(&rig);
    ck_assert_int_eq(rig_value(&rig, SHIM_KILLED) != NULL, nests[_i].killed);
    ck_assert(!leaf_is_there());
}
END_TEST

START_TEST(test_nested_pause) {
    _cleanup_free_ char *script = NULL;

    ck_assert_int_ge(asprintf(&script, nested, rig.cgroup, rig.cgroup, "wait"), 0);
    rig_add(&rig, SHIM_SPEC_STOP_TIMEOUT, "200000");
    rig_shell(&rig, script);
    rig_start(&rig);
    rig_wait_log(&rig, 6);
    rig_send(&rig, SHIM_PAUSE "=1\n");
    rig_wait_for(&rig, SHIM_PAUSED);
    rig_send(&rig, SHIM_CANCEL "=1\n");
    rig_finish(&rig);
    ck_assert_str_eq(rig_value(&rig, SHIM_PAUSED), "0");
}
END_TEST

/* Whoever is in the cgroup belongs to the task, though it is no child of the shim. */
START_TEST(test_guest) {
    char path[PATH_MAX];

    rig_make_fifo(&rig, "go");
    rig_add(&rig, SHIM_SPEC_CWD, "%s", rig.dir);
    rig_shell(&rig, "read x < go; exit 3");
    rig_start(&rig);
    rig_wait_for(&rig, SHIM_STARTED);
    pid_t guest = fork();
    if (guest == 0) {
        pause();
        _exit(0);
    }
    leaf_path("/cgroup.procs", path, sizeof(path));
    FILE *f = fopen(path, "we");
    ck_assert_int_gt(fprintf(f, "%d", guest), 0);
    ck_assert_int_eq(fclose(f), 0);
    rig_write_fifo(&rig, "go");
    rig_wait_for(&rig, SHIM_MAIN_EXITED);
    ck_assert_str_eq(rig_value(&rig, SHIM_MAIN_EXITED), "1");
    struct pollfd p = {.fd = rig.control, .events = POLLIN};
    ck_assert_int_eq(poll(&p, 1, 100), 0);
    ck_assert_int_eq(kill(guest, SIGKILL), 0);
    ck_assert_int_eq(waitpid(guest, NULL, 0), guest);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 3);
}
END_TEST

/* What left the cgroup is still a child. */
START_TEST(test_runaway) {
    _cleanup_free_ char *script = NULL;

    ck_assert_int_ge(asprintf(&script,
                              "(echo 0 > %s/keeper/cgroup.procs; trap '' TERM; echo ready; "
                              "while :; do sleep 1; done) & exit 3",
                              rig.cgroup),
                     0);
    rig_add(&rig, SHIM_SPEC_STOP_TIMEOUT, "200000");
    rig_shell(&rig, script);
    rig_start(&rig);
    rig_wait_log(&rig, 6);
    rig_wait_for(&rig, SHIM_MAIN_EXITED);
    rig_send(&rig, SHIM_CANCEL "=1\n");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 3);
    rig_check_end(&rig, SHIM_KILLED, 1);
}
END_TEST

START_TEST(test_memory_max) {
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/cgroup.controllers", rig.cgroup);
    _cleanup_free_ char *controllers = NULL;
    ck_assert_int_eq(file_read_all(path, 4 * KIB, &controllers, NULL), 0);
    if (!strstr(controllers, "memory")) {
        fprintf(stderr, "SKIP test_memory_max: the memory controller is not on cgroup v2 here\n");
        return;
    }
    rig_add(&rig, SHIM_SPEC_MEMORY_MAX, "%d", (int)(30 * MIB));
    rig_command(&rig, "eat", "60");
    rig_start(&rig);
    rig_finish(&rig);
    ck_assert_str_eq(strempty(rig_end(&rig, SHIM_LIMIT)), "memory-max");
    rig_check_end(&rig, SHIM_EXIT_SIGNAL, SIGKILL);
    ck_assert_uint_le(strtoull(strempty(rig_end(&rig, SHIM_MEMORY_PEAK)), NULL, 10), 31 * MIB);
}
END_TEST

TCase *tcase_shim_cgroup(void) {
    TCase *tc = tcase_create("cgroup");

    tcase_add_test(tc, test_facts);
    tcase_add_test(tc, test_membership);
    tcase_add_test(tc, test_leaf_is_there_and_goes);
    tcase_add_test(tc, test_no_command);
    tcase_add_loop_test(tc, test_nested, 0, ELEMENTSOF(nests));
    tcase_add_test(tc, test_nested_pause);
    tcase_add_test(tc, test_guest);
    tcase_add_test(tc, test_runaway);
    tcase_add_test(tc, test_memory_max);
    return tc;
}
