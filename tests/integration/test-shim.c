/* longrun-shim, the real program, through the sockets of keeper and shims. With --cgroup the same
 * once more, and what there is to test of cgroups alone. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/proc-tree.h"
#include "daemon/shim/cgroup.h"
#include "tests/integration/test-shim.h"

Rig rig;

static void setup(void) {
    rig_init(&rig);
}

static void teardown(void) {
    rig_done(&rig);
}

/* ---- cgroups ---- */

static char cgroup_base[64];

static _Noreturn void skip(const char *what) {
    printf("SKIP: %s: %s\n", what, strerror(errno));
    exit(77);
}

/* A look of our own at the cgroups (version 2), and one of them to work in. */
static void make_cgroup_base(void) {
    char cgroup[PATH_MAX] = "", line[PATH_MAX];
    static char mount_point[] = "/tmp/longrun-cgroup-XXXXXX";

    if (geteuid() != 0) {
        errno = EPERM;
        skip("a private mount of cgroup2 needs root");
    }
    _cleanup_fclose_ FILE *f = fopen("/proc/self/cgroup", "re");
    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "0::%s", cgroup) == 1)
            break;
    if (!cgroup[0]) {
        errno = ENOENT;
        skip("this kernel runs without cgroup v2");
    }
    if (!mkdtemp(mount_point))
        skip(mount_point);
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("cgroup2", mount_point, "cgroup2", 0, NULL) < 0)
        skip("a mount of cgroup2");
    if (streq(cgroup, "/"))
        cgroup[0] = '\0';
    int n = snprintf(cgroup_base, sizeof(cgroup_base), "%s%s/longrun-test-%d", mount_point, cgroup,
                     getpid());
    if (n >= (int)sizeof(cgroup_base) || mkdir(cgroup_base, 0755) < 0)
        skip(cgroup_base);
    rig_cgroup_base = cgroup_base;
}

/* With what failed tests left. */
static void remove_cgroup_base(void) {
    char *mount_point = strndup(cgroup_base, strlen("/tmp/longrun-cgroup-XXXXXX"));
    int fd = open(cgroup_base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    pid_t *pids;

    (void)cgroup_write(fd, "cgroup.kill", "1");
    for (int i = 0, none = 0; !none && i < 1000; i++) {
        none = cgroup_list(fd, &pids) == 0;
        free(pids);
        poll(NULL, 0, none ? 0 : 10);
    }
    close(fd);
    (void)cgroup_remove(cgroup_base);
    (void)umount(mount_point);
    (void)rmdir(mount_point);
    free(mount_point);
}

int main(int argc, char **argv) {
    static TCase *(*const cases[])(void) = {
        tcase_shim_exec,     tcase_shim_output, tcase_shim_notify, tcase_shim_stop,
        tcase_shim_take_up,  tcase_shim_limits, tcase_shim_pause,  tcase_shim_messages,
        tcase_shim_progress, tcase_shim_pty,    tcase_shim_stdin,  tcase_shim_journal,
        tcase_keeper,        tcase_keeper_races};

    if (argc > 1 && streq(argv[1], "--command"))
        return shim_command_main(argc, argv);
    if (argc > 1 && streq(argv[1], "--cgroup"))
        make_cgroup_base();

    Suite *suite = suite_create("shim");
    for (size_t i = 0; i < ELEMENTSOF(cases) + (rig_cgroup_base != NULL); i++) {
        TCase *tc = i < ELEMENTSOF(cases) ? cases[i]() : tcase_shim_cgroup();
        tcase_set_timeout(tc, 2 * RIG_TIMEOUT_MSEC / 1000);
        tcase_add_checked_fixture(tc, setup, teardown);
        suite_add_tcase(suite, tc);
    }
    SRunner *runner = srunner_create(suite);
    /* What a failed test leaves behind becomes ours and goes. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    srunner_run_all(runner, CK_NORMAL);
    proc_tree_signal(getpid(), SIGKILL);
    if (rig_cgroup_base)
        remove_cgroup_base();
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
