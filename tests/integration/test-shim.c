/* longrun-shim, the real program, through its control socket. */

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/proc-tree.h"
#include "tests/integration/test-shim.h"

Rig rig;

static void setup(void) {
    rig_init(&rig);
}

static void teardown(void) {
    rig_done(&rig);
}

int main(int argc, char **argv) {
    static TCase *(*const cases[])(void) = {tcase_keeper_races, tcase_shim_exec, tcase_shim_output,
                                            tcase_shim_notify, tcase_shim_stop};

    if (argc > 1 && streq(argv[1], "--command"))
        return shim_command_main(argc, argv);

    Suite *suite = suite_create("shim");
    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        TCase *tc = cases[i]();
        tcase_set_timeout(tc, 2 * RIG_TIMEOUT_MSEC / 1000);
        tcase_add_checked_fixture(tc, setup, teardown);
        suite_add_tcase(suite, tc);
    }
    SRunner *runner = srunner_create(suite);
    /* What a failed test leaves behind becomes ours and goes. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    srunner_run_all(runner, CK_NORMAL);
    proc_tree_signal(getpid(), SIGKILL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
