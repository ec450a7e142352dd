/* Shims that end at a moment that does not suit their keeper. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd-io.h"
#include "common/remove-tree.h"
#include "tests/integration/test-shim.h"
#include "version.h"

static int listen_at(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 16) < 0)
        _exit(120);
    return fd;
}

/* A shim that ends while its keeper is being replaced: the signal has come, and nobody read it. */
static pid_t dead_shim(void) {
    siginfo_t info;
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(1);
    if (pid < 0 || waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0)
        _exit(120);
    return pid;
}

static _Noreturn void exec_anew(const char *socket_path) {
    const char *path = getenv("LONGRUN_SHIM");
    char state[256], fd[16];
    int n = snprintf(state, sizeof(state),
                     "dir=%d\nlisten=%d\ndaemon=-1\nstopping=0\ncgroup=\ncontrollers=\n"
                     "shim=3 %d -9\n",
                     open(rig.run, O_RDONLY | O_DIRECTORY), listen_at(socket_path), dead_shim());

    snprintf(fd, sizeof(fd), "%d", dup(memfd_new("keeper", state, (size_t)n)));
    execl(path, path, "--keeper", rig.run, "--state", fd, NULL);
    _exit(121);
}

START_TEST(test_shim_died_meanwhile) {
    char path[64], folder[64], record[80];

    snprintf(path, sizeof(path), "%s/" KEEPER_SOCKET, rig.run);
    snprintf(folder, sizeof(folder), "%s/task-3", rig.run);
    snprintf(record, sizeof(record), "%s/" SHIM_EXIT_NEW_NAME, folder);
    ck_assert_int_eq(mkdir(rig.run, 0700), 0);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    int fd = open(record, O_WRONLY | O_CREAT | O_CLOEXEC, 0600); /* as every shim has it */
    ck_assert_int_ge(fd, 0);
    close(fd);
    rig.keeper = fork();
    ck_assert_int_ge(rig.keeper, 0);
    if (rig.keeper == 0)
        exec_anew(path);
    rig_wait_record(&rig, 3);
    rig_end_keeper(&rig); /* there is nobody left to work for */
}
END_TEST

static void new_job(void) {
    int fds[2];

    ck_assert_int_ge(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
    rig.control = fds[0];
    rig.shim_control = fds[1];
    free(rig.spec);
    rig.spec = NULL;
    rig.spec_size = 0;
}

/* The end has been read from the record, and the task is started again, before the shim is gone: it
 * waits for room for its last message. */
START_TEST(test_next_attempt) {
    static const int small = 1;
    char path[64];
    int control = rig.control;

    ck_assert_int_ge(setsockopt(rig.shim_control, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
    rig_shell(&rig, "for i in 1 2 3 4 5 6 7 8 9; do echo $i; sleep 0.1; done");
    rig_start(&rig);
    rig_wait_record(&rig, RIG_TASK_ID);
    rig_hello(&rig, LONGRUN_VERSION);
    ck_assert(rig_is_live(&rig, RIG_TASK_ID));

    snprintf(path, sizeof(path), "%s/task-%d", rig.run, RIG_TASK_ID);
    if (_i)
        remove_tree(path, NULL);
    new_job();
    rig_shell(&rig, "exit 5");
    rig_start(&rig);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 5);
    close(control);
}
END_TEST

/* Without its folder it is the task of somebody who lost its memory: it is not to be forgotten. */
START_TEST(test_next_attempt_of_one_that_runs) {
    char path[64];

    rig_shell(&rig, "exec sleep 1000");
    rig_start(&rig);
    rig_wait_for(&rig, SHIM_STARTED);
    pid_t command = rig.command;
    int control = rig.control;
    snprintf(path, sizeof(path), "%s/task-%d", rig.run, RIG_TASK_ID);
    remove_tree(path, NULL);
    rig.command = 0;
    new_job();
    rig_shell(&rig, "exit 5");
    rig_start(&rig);
    while (rig_receive(&rig))
        ;
    rig_check_end(&rig, SHIM_EXEC_ERRNO, EEXIST);
    ck_assert(rig_is_alive(command));
    ck_assert_int_eq(send(control, SHIM_CANCEL "=1\n", 9, MSG_NOSIGNAL), 9);
    rig_wait_gone(command);
    close(control);
}
END_TEST

TCase *tcase_keeper_races(void) {
    TCase *t = tcase_create("keeper-races");

    tcase_add_test(t, test_shim_died_meanwhile);
    tcase_add_loop_test(t, test_next_attempt, 0, 2);
    tcase_add_test(t, test_next_attempt_of_one_that_runs);
    return t;
}
