/* The keeper: who is served when, which shims there are, and what becomes of those that are killed.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fd-io.h"
#include "tests/integration/test-shim.h"
#include "version.h"

/* Another task beside the rig's own, which waits for its end; gives its control socket. */
static int spawn_sleeper(uint64_t id) {
    char spec[512];
    int fds[2];
    int n = snprintf(spec, sizeof(spec),
                     "id=%d%cargv=sleep%cargv=1000%clog-dir=%s%cruntime-dir=%s/task-%d%c", (int)id,
                     0, 0, 0, rig.dir, 0, rig.run, (int)id, 0);

    ck_assert_int_ge(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
    _cleanup_close_ int fd = memfd_new("job", spec, (size_t)n);
    rig_send_spawn(&rig, id, fd, fds[1]);
    close(fds[1]);
    return fds[0];
}

/* The next message on a control socket, or "". */
static void receive(int fd, char buf[static FIELDS_MAX + 1]) {
    struct pollfd p = {.fd = fd, .events = POLLIN};

    ck_assert_int_eq(poll(&p, 1, RIG_TIMEOUT_MSEC), 1);
    ssize_t n = recv(fd, buf, FIELDS_MAX, 0);
    buf[MAX(n, 0)] = '\0';
}

static pid_t started(int fd) {
    char message[FIELDS_MAX + 1];

    receive(fd, message);
    const char *line = strstr(message, SHIM_STARTED "=");
    ck_assert_msg(line, "%s", message);
    return atoi(line + strlen(SHIM_STARTED "="));
}

static void cancel(int fd) {
    char message[FIELDS_MAX + 1];

    ck_assert_int_eq(send(fd, SHIM_CANCEL "=1\n", 9, MSG_NOSIGNAL), 9);
    do
        receive(fd, message);
    while (message[0]);
    close(fd);
}

static void check_record(uint64_t id, const char *text) {
    _cleanup_free_ char *record = rig_read_record(&rig, id);

    ck_assert_str_eq(strempty(record), text);
}

START_TEST(test_hello) {
    rig_start_keeper(&rig);
    rig_hello(&rig, LONGRUN_VERSION);
    ck_assert_str_eq(strempty(rig_fact(&rig, KEEPER_VERSION)), LONGRUN_VERSION);
    ck_assert_str_eq(strempty(rig_fact(&rig, KEEPER_ISOLATION)),
                     rig.cgroup[0] ? ISOLATION_CGROUP : ISOLATION_PROCESS_GROUP);
    ck_assert_ptr_nonnull(rig_fact(&rig, KEEPER_CGROUP));
    ck_assert_ptr_nonnull(rig_fact(&rig, KEEPER_CONTROLLERS));
    ck_assert_uint_eq(rig.n_live, 0);
}
END_TEST

START_TEST(test_folder_is_private) {
    struct stat st;

    ck_assert_int_eq(mkdir(rig.run, 0755), 0);
    RIG_ARGV(&rig, "stat", "-c", "%a", "/proc/self/fd/1");
    rig_start(&rig);
    rig_finish(&rig);
    ck_assert_int_eq(stat(rig.run, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0700);
}
END_TEST

/* Those that live are told, those that have ended are not. */
START_TEST(test_live) {
    RIG_ARGV(&rig, "sleep", "1000");
    rig_start(&rig);
    rig_wait_for(&rig, SHIM_STARTED);
    rig_send(&rig, SHIM_CANCEL "=1\n");
    rig_finish(&rig);
    rig_wait_gone(rig.shim);
    int a = spawn_sleeper(20), b = spawn_sleeper(10);
    (void)started(a);
    (void)started(b);
    rig_connect(&rig);
    rig_hello(&rig, LONGRUN_VERSION);
    ck_assert_uint_eq(rig.n_live, 2);
    ck_assert_uint_eq(rig.live[0], 10);
    ck_assert_uint_eq(rig.live[1], 20);
    cancel(a);
    cancel(b);
}
END_TEST

/* A daemon asks for tasks and dies; the next one is there before the keeper has looked, and hears
 * of all of them. */
START_TEST(test_orders_of_a_dead_daemon) {
    rig_start_keeper(&rig);
    rig_hello(&rig, LONGRUN_VERSION);
    ck_assert_int_eq(kill(rig.keeper, SIGSTOP), 0);
    rig_wait_state(rig.keeper, 'T');
    int a = spawn_sleeper(1), b = spawn_sleeper(2);
    rig_connect(&rig);
    ck_assert_int_eq(kill(rig.keeper, SIGCONT), 0);
    rig_hello(&rig, LONGRUN_VERSION);
    ck_assert(rig_is_live(&rig, 1) && rig_is_live(&rig, 2));
    cancel(a);
    cancel(b);
}
END_TEST

/* The second has to wait for the end of the first. */
START_TEST(test_one_daemon_at_a_time) {
    char path[128];

    rig_start_keeper(&rig);
    rig_hello(&rig, LONGRUN_VERSION);
    int first = fcntl(rig.keeper_fd, F_DUPFD_CLOEXEC, 3);
    rig_connect(&rig);
    snprintf(path, sizeof(path), KEEPER_HELLO "=%s\n", LONGRUN_VERSION);
    ck_assert_int_eq(send(rig.keeper_fd, path, strlen(path), 0), (ssize_t)strlen(path));
    struct pollfd p = {.fd = rig.keeper_fd, .events = POLLIN};
    ck_assert_int_eq(poll(&p, 1, 100), 0);
    close(first);
    ck_assert_int_eq(poll(&p, 1, RIG_TIMEOUT_MSEC), 1);
}
END_TEST

static const struct {
    uint64_t id;
    int error;
} bad_spawns[] = {{0, EEXIST}, {5, EEXIST}};

START_TEST(test_bad_spawn) {
    char message[FIELDS_MAX + 1], expected[64];

    rig_start_keeper(&rig);
    rig_hello(&rig, LONGRUN_VERSION);
    int good = spawn_sleeper(5);
    int bad = spawn_sleeper(bad_spawns[_i].id);
    receive(bad, message);
    snprintf(expected, sizeof(expected), "EXEC_ERRNO=%d\nEXEC_STEP=setup\nLOG_SIZE=0\n",
             bad_spawns[_i].error);
    ck_assert_str_eq(message, expected);
    receive(bad, message);
    ck_assert_str_eq(message, "");
    close(bad);
    (void)started(good);
    cancel(good);
}
END_TEST

/* What is no order, or comes without its descriptors, is passed over. */
START_TEST(test_noise) {
    static const char *const noise[] = {"SPAWN=1\n", "noise", "SPAWN=x\n", "\n", "LOST=1\n"};

    rig_start_keeper(&rig);
    rig_hello(&rig, LONGRUN_VERSION);
    for (size_t i = 0; i < ELEMENTSOF(noise); i++)
        ck_assert_int_gt(send(rig.keeper_fd, noise[i], strlen(noise[i]), MSG_NOSIGNAL), 0);
    RIG_ARGV(&rig, "true");
    rig_start(&rig);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
}
END_TEST

/* The folder of an attempt that is over is made anew. */
START_TEST(test_folder_of_an_earlier_attempt) {
    char path[PATH_MAX];

    ck_assert_int_eq(mkdir(rig.run, 0700), 0);
    rig_path(&rig, "run/task-7", path, sizeof(path));
    ck_assert_int_eq(mkdir(path, 0700), 0);
    rig_write_file(&rig, "run/task-7/exit", "EXIT_CODE=1\n", 0600);
    rig_write_file(&rig, "run/task-7/control", "", 0600);
    rig_write_file(&rig, "run/task-7/result", "old", 0600);
    RIG_ARGV(&rig, "true");
    rig_start(&rig);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    rig_path(&rig, "run/task-7/result", path, sizeof(path));
    ck_assert_int_lt(access(path, F_OK), 0);
}
END_TEST

/* ---- lost shims ---- */

/* In the process group, in a session of its own, orphaned, and deaf to SIGTERM. */
static const char strays[] = "sleep 1000 & echo $!\n"
                             "setsid sleep 1000 & echo $!\n"
                             "sh -c 'setsid sh -c \"echo \\$\\$; exec sleep 1000\" &'\n"
                             "sh -c 'trap \"\" TERM; echo $$; exec sleep 1000' &\n"
                             "echo $$; wait";

static void wait_lines(size_t lines) {
    size_t n = 0;

    for (uint64_t size = 1; n < lines; size++) {
        rig_wait_log(&rig, size);
        size = strtoull(rig_value(&rig, SHIM_LOG_SIZE), NULL, 10);
        _cleanup_free_ char *log = NULL;
        char path[PATH_MAX];
        rig_path(&rig, "7.log", path, sizeof(path));
        ck_assert_int_eq(file_read_all(path, MIB, &log, NULL), 0);
        n = 0;
        for (const char *c = log; *c; c++)
            n += *c == '\n';
    }
}

static void check_strays_gone(void) {
    char path[PATH_MAX];
    int n = 0, pid;

    rig_path(&rig, "7.log", path, sizeof(path));
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    for (; f && fscanf(f, "%d", &pid) == 1; n++)
        ck_assert_msg(!rig_is_alive(pid), "%d lives on", pid);
    ck_assert_int_eq(n, 5);
}

START_TEST(test_killed_shim) {
    rig_shell(&rig, strays);
    rig_start(&rig);
    int other = spawn_sleeper(8);
    pid_t other_command = started(other);
    wait_lines(5);
    ck_assert_int_eq(kill(rig.shim, SIGKILL), 0);
    rig_wait_lost(&rig, RIG_TASK_ID);
    check_strays_gone();
    check_record(RIG_TASK_ID, "LOST=1\n");
    ck_assert(rig_is_alive(other_command));
    rig_connect(&rig);
    rig_hello(&rig, LONGRUN_VERSION);
    ck_assert_uint_eq(rig.n_live, 1);
    ck_assert_uint_eq(rig.live[0], 8);
    cancel(other);
}
END_TEST

/* Nobody is connected: the record tells. */
START_TEST(test_killed_shim_and_no_daemon) {
    rig_shell(&rig, strays);
    rig_start(&rig);
    wait_lines(5);
    rig.keeper_fd = close_fd(rig.keeper_fd);
    ck_assert_int_eq(kill(rig.shim, SIGKILL), 0);
    rig_wait_record(&rig, RIG_TASK_ID);
    check_strays_gone();
    check_record(RIG_TASK_ID, "LOST=1\n");
}
END_TEST

/* ---- lost keepers ---- */

static void kill_keeper(void) {
    ck_assert_int_eq(kill(rig.keeper, SIGKILL), 0);
    ck_assert_int_eq(waitpid(rig.keeper, NULL, 0), rig.keeper);
    rig.keeper = -1;
    rig.keeper_fd = close_fd(rig.keeper_fd);
}

START_TEST(test_killed_keeper) {
    rig_make_fifo(&rig, "go");
    rig_add(&rig, SHIM_SPEC_CWD, "%s", rig.dir);
    rig_shell(&rig, "read x < go; exit 9");
    rig_start(&rig);
    rig_wait_for(&rig, SHIM_STARTED);
    kill_keeper();
    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 9);
}
END_TEST

/* The next keeper knows the shims of the one before, and what became of them meanwhile. */
START_TEST(test_next_keeper) {
    RIG_ARGV(&rig, "sleep", "1000");
    rig_start(&rig);
    rig_wait_for(&rig, SHIM_STARTED);
    int ended = spawn_sleeper(1), killed = spawn_sleeper(2), later = spawn_sleeper(3);
    (void)started(ended);
    pid_t killed_command = started(killed), later_command = started(later);
    pid_t later_shim = rig_parent(later_command);
    kill_keeper();
    cancel(ended);
    ck_assert_int_eq(kill(rig_parent(killed_command), SIGKILL), 0);
    close(killed);
    /* Without a cgroup nobody knows any more whose these are. */
    if (!rig.cgroup[0])
        ck_assert_int_eq(kill(killed_command, SIGKILL), 0);

    rig_start_keeper(&rig);
    rig_hello(&rig, LONGRUN_VERSION);
    ck_assert(rig_is_live(&rig, RIG_TASK_ID) && rig_is_live(&rig, 3));
    ck_assert(!rig_is_live(&rig, 1));
    rig_wait_record(&rig, 2);
    check_record(2, "LOST=1\n");
    if (rig.cgroup[0])
        rig_wait_state(killed_command, 'Z'); /* it is nobody's here */

    ck_assert_int_eq(kill(later_shim, SIGKILL), 0);
    if (!rig.cgroup[0])
        ck_assert_int_eq(kill(later_command, SIGKILL), 0);
    rig_wait_lost(&rig, 3);
    check_record(3, "LOST=1\n");
    close(later);

    rig_send(&rig, SHIM_CANCEL "=1\n");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_CANCELLED, 1);
}
END_TEST

START_TEST(test_second_keeper) {
    int status;

    rig_start_keeper(&rig);
    rig_hello(&rig, LONGRUN_VERSION);
    pid_t pid = fork();
    if (pid == 0) {
        execl(getenv("LONGRUN_SHIM"), "longrun-shim", "--keeper", rig.run, NULL);
        _exit(121);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE);
    RIG_ARGV(&rig, "true");
    rig_start(&rig);
    rig_finish(&rig);
}
END_TEST

/* ---- a new version ---- */

static void copy_program(const char *name) {
    char path[PATH_MAX];
    _cleanup_free_ char *data = NULL;
    size_t size;

    ck_assert_int_eq(file_read_all(getenv("LONGRUN_SHIM"), 256 * MIB, &data, &size), 0);
    rig_path(&rig, name, path, sizeof(path));
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fd_write_full(fd, data, size), 0);
}

static void program_of(pid_t pid, char buf[static PATH_MAX]) {
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/exe", pid);
    ssize_t n = readlink(path, buf, PATH_MAX - 1);
    ck_assert_int_gt(n, 0);
    buf[n] = '\0';
}

START_TEST(test_new_version) {
    char old[PATH_MAX], new[PATH_MAX], program[PATH_MAX];

    copy_program("shim");
    copy_program("shim.new");
    rig_path(&rig, "shim", old, sizeof(old));
    rig_path(&rig, "shim.new", new, sizeof(new));
    rig.program = old;
    RIG_ARGV(&rig, "sleep", "1000");
    rig_start(&rig);
    rig_wait_for(&rig, SHIM_STARTED);
    int lost = spawn_sleeper(3);
    pid_t lost_shim = rig_parent(started(lost));
    ck_assert_int_eq(rename(new, old), 0);
    rig_connect(&rig);
    rig_hello(&rig, "another");
    /* It is what it is, also when that is not what the daemon is. */
    ck_assert_str_eq(strempty(rig_fact(&rig, KEEPER_VERSION)), LONGRUN_VERSION);
    ck_assert_uint_eq(rig.n_live, 2);
    program_of(rig.keeper, program);
    ck_assert_str_eq(program, old); /* not "… (deleted)" */
    ck_assert_str_eq(strempty(rig_fact(&rig, KEEPER_CGROUP)), rig.cgroup);

    /* It makes tasks, and knows its children. */
    int more = spawn_sleeper(4);
    (void)started(more);
    cancel(more);
    ck_assert_int_eq(kill(lost_shim, SIGKILL), 0);
    rig_wait_lost(&rig, 3);
    close(lost);
    rig_send(&rig, SHIM_CANCEL "=1\n");
    rig_finish(&rig);
}
END_TEST

START_TEST(test_new_version_is_gone) {
    char path[PATH_MAX];

    copy_program("shim");
    rig_path(&rig, "shim", path, sizeof(path));
    rig.program = path;
    rig_start_keeper(&rig);
    ck_assert_int_eq(unlink(path), 0);
    rig_hello(&rig, "another");
    RIG_ARGV(&rig, "true");
    rig_start(&rig);
    rig_finish(&rig);
}
END_TEST

/* ---- the end ---- */

/* It stays as long as there is a task, without a daemon too, and goes when nobody is left. */
START_TEST(test_goes_when_idle) {
    char path[PATH_MAX];
    int status;

    if (rig.cgroup[0])
        return; /* a service stays */
    rig_make_fifo(&rig, "go");
    rig_add(&rig, SHIM_SPEC_CWD, "%s", rig.dir);
    rig_shell(&rig, "read x < go");
    rig_start(&rig);
    rig_wait_for(&rig, SHIM_STARTED);
    rig.keeper_fd = close_fd(rig.keeper_fd);
    poll(NULL, 0, 100);
    ck_assert_int_eq(waitpid(rig.keeper, &status, WNOHANG), 0);
    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
    ck_assert_int_eq(waitpid(rig.keeper, &status, 0), rig.keeper);
    ck_assert_int_eq(status, 0);
    rig.keeper = -1;
    rig_path(&rig, "run/keeper", path, sizeof(path));
    ck_assert_int_lt(access(path, F_OK), 0);
}
END_TEST

START_TEST(test_service_stays) {
    int status;

    if (!rig.cgroup[0])
        return;
    rig_start_keeper(&rig);
    rig_hello(&rig, LONGRUN_VERSION);
    rig.keeper_fd = close_fd(rig.keeper_fd);
    poll(NULL, 0, 100);
    ck_assert_int_eq(waitpid(rig.keeper, &status, WNOHANG), 0);
    rig_hello(&rig, LONGRUN_VERSION);
}
END_TEST

/* All tasks are ended, each in its own way, and none is begun. */
START_TEST(test_sigterm) {
    char message[FIELDS_MAX + 1], expected[128];
    int status;

    rig_add(&rig, SHIM_SPEC_CWD, "%s", rig.dir);
    rig_make_fifo(&rig, "go");
    rig_shell(&rig, "trap 'echo term; read x < go; exit 6' TERM; echo ready; "
                    "while :; do sleep 0.01; done");
    rig_start(&rig);
    rig_wait_log(&rig, 6);
    int other = spawn_sleeper(8);
    (void)started(other);
    ck_assert_int_eq(kill(rig.keeper, SIGTERM), 0);
    rig_wait_log(&rig, 11);
    int late = spawn_sleeper(9);
    receive(late, message);
    snprintf(expected, sizeof(expected), "EXEC_ERRNO=%d\nEXEC_STEP=setup\nLOG_SIZE=0\nSTOPPED=1\n",
             ECANCELED);
    ck_assert_str_eq(message, expected);
    close(late);
    ck_assert_int_eq(waitpid(rig.keeper, &status, WNOHANG), 0);
    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 6);
    rig_check_end(&rig, SHIM_STOPPED, 1);
    ck_assert_int_eq(waitpid(rig.keeper, &status, 0), rig.keeper);
    ck_assert_int_eq(status, 0);
    rig.keeper = -1;
    _cleanup_free_ char *record = rig_read_record(&rig, 8);
    ck_assert_ptr_nonnull(strstr(strempty(record), "EXIT_SIGNAL=15\nSTOPPED=1\n"));
    close(other);
}
END_TEST

static int connect_as(const char *path, uid_t uid) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char byte;

    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (setresuid(uid, uid, uid) < 0 ||
        connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return 1;
    (void)send(fd, "HELLO=1\nCANCEL=1\n", 17, MSG_NOSIGNAL);
    return recv(fd, &byte, 1, 0) <= 0 ? 0 : 2;
}

static const char *const sockets[] = {"run/keeper", "run/task-7/control"};

/* Where the modes of files have failed: another user is turned away. */
START_TEST(test_another_user) {
    char path[PATH_MAX];
    int status;

    if (geteuid() != 0) {
        fprintf(stderr, "SKIP test_another_user: needs root\n");
        return;
    }
    RIG_ARGV(&rig, "sleep", "1000");
    rig_start(&rig);
    rig_wait_for(&rig, SHIM_STARTED);
    rig.keeper_fd = close_fd(rig.keeper_fd);
    ck_assert_int_eq(chmod(rig.dir, 0755), 0);
    ck_assert_int_eq(chmod(rig.run, 0755), 0);
    rig_path(&rig, "run/task-7", path, sizeof(path));
    ck_assert_int_eq(chmod(path, 0755), 0);
    rig_path(&rig, sockets[_i], path, sizeof(path));
    ck_assert_int_eq(chmod(path, 0666), 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(connect_as(path, 65534));
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    rig_send(&rig, SHIM_KILL "=9\n");
    rig_finish(&rig);
    ck_assert_ptr_null(rig_value(&rig, SHIM_CANCELLED));
}
END_TEST

TCase *tcase_keeper(void) {
    TCase *tc = tcase_create("keeper");

    tcase_add_test(tc, test_hello);
    tcase_add_test(tc, test_folder_is_private);
    tcase_add_test(tc, test_live);
    tcase_add_test(tc, test_orders_of_a_dead_daemon);
    tcase_add_test(tc, test_one_daemon_at_a_time);
    tcase_add_loop_test(tc, test_bad_spawn, 0, ELEMENTSOF(bad_spawns));
    tcase_add_test(tc, test_noise);
    tcase_add_test(tc, test_folder_of_an_earlier_attempt);
    tcase_add_test(tc, test_killed_shim);
    tcase_add_test(tc, test_killed_shim_and_no_daemon);
    tcase_add_test(tc, test_killed_keeper);
    tcase_add_test(tc, test_next_keeper);
    tcase_add_test(tc, test_second_keeper);
    tcase_add_test(tc, test_new_version);
    tcase_add_test(tc, test_new_version_is_gone);
    tcase_add_test(tc, test_goes_when_idle);
    tcase_add_test(tc, test_service_stays);
    tcase_add_test(tc, test_sigterm);
    tcase_add_loop_test(tc, test_another_user, 0, ELEMENTSOF(sockets));
    return tc;
}
