/* A shim outlives the daemon: another takes it up, or finds its exit record. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fd-io.h"
#include "tests/integration/test-shim.h"

static void start_waiting(const char *before, const char *after) {
    _cleanup_free_ char *script = NULL;

    rig_make_fifo(&rig, "go");
    rig_add(&rig, SHIM_SPEC_CWD, "%s", rig.dir);
    rig_add(&rig, SHIM_SPEC_ENV, "PATH=/usr/bin:/bin");
    ck_assert_int_ge(asprintf(&script, "%s; read x < go; %s", before, after), 0);
    rig_shell(&rig, script);
    rig_start(&rig);
}

static void check_record_has(const char *line) {
    _cleanup_free_ char *record = rig_read_record(&rig, RIG_TASK_ID);

    ck_assert_ptr_nonnull(record);
    ck_assert_msg(strstr(record, line), "no %s in %s", line, record);
}

START_TEST(test_survives_the_daemon) {
    char path[PATH_MAX];

    start_waiting("echo one", "echo two; : > ended; exit 3");
    rig_wait_log(&rig, 4);
    rig.control = close_fd(rig.control);
    rig_write_fifo(&rig, "go");
    rig_wait_record(&rig, RIG_TASK_ID);
    check_record_has("EXIT_CODE=3\n");
    check_record_has("LOG_SIZE=8\n");
    rig_path(&rig, "ended", path, sizeof(path));
    ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(test_nobody_there_from_the_start) {
    rig.control = close_fd(rig.control);
    rig_shell(&rig, "exit 4");
    rig_start(&rig);
    rig_wait_record(&rig, RIG_TASK_ID);
    check_record_has("EXIT_CODE=4\n");
}
END_TEST

/* Everything is told to whoever comes, though it was told before. */
START_TEST(test_all_is_told_again) {
    start_waiting("echo one; systemd-notify --status=half X_LONGRUN_PROGRESS=50", "exit 5");
    rig_wait_log(&rig, 4);
    rig_wait_for(&rig, NOTIFY_PROGRESS);
    pid_t command = rig.command;

    rig_take_up(&rig);
    rig_wait_for(&rig, SHIM_STARTED);
    ck_assert_int_eq(atoi(rig_value(&rig, SHIM_STARTED)), command);
    ck_assert_uint_eq(rig.messages, 1);
    ck_assert_str_eq(strempty(rig_value(&rig, SHIM_LOG_SIZE)), "4");
    ck_assert_str_eq(strempty(rig_value(&rig, NOTIFY_STATUS)), "half");
    ck_assert_str_eq(strempty(rig_value(&rig, NOTIFY_PROGRESS)), "0.500000");
    ck_assert_ptr_nonnull(rig_value(&rig, SHIM_CPU_USEC));
    ck_assert_ptr_null(rig_value(&rig, SHIM_MAIN_EXITED));
    ck_assert_ptr_null(rig_value(&rig, SHIM_PAUSED));

    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 5);
    check_record_has("STATUS=half\n");
    check_record_has("X_LONGRUN_PROGRESS=0.500000\n");
}
END_TEST

START_TEST(test_survivors_are_told_again) {
    rig_make_fifo(&rig, "go");
    rig_add(&rig, SHIM_SPEC_CWD, "%s", rig.dir);
    rig_shell(&rig, "(read x < go) & exit 6");
    rig_start(&rig);
    rig_wait_for(&rig, SHIM_MAIN_EXITED);
    rig.control = close_fd(rig.control);
    rig_take_up(&rig);
    rig_wait_for(&rig, SHIM_MAIN_EXITED);
    ck_assert_str_eq(rig_value(&rig, SHIM_MAIN_EXITED), "1");
    ck_assert_ptr_nonnull(rig_value(&rig, SHIM_STARTED));
    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 6);
}
END_TEST

/* The new daemon takes the place of the old one, whose orders still count. */
START_TEST(test_one_daemon_at_a_time) {
    char byte;

    RIG_ARGV(&rig, "sleep", "1000");
    rig_start(&rig);
    rig_wait_for(&rig, SHIM_STARTED);
    int old = fcntl(rig.control, F_DUPFD_CLOEXEC, 3);
    rig_take_up(&rig);
    rig_wait_for(&rig, SHIM_STARTED);
    struct pollfd p = {.fd = old, .events = POLLIN};
    ck_assert_int_eq(poll(&p, 1, RIG_TIMEOUT_MSEC), 1);
    ck_assert_int_eq(recv(old, &byte, 1, 0), 0);
    close(old);
    rig_send(&rig, SHIM_CANCEL "=1\n");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_CANCELLED, 1);
}
END_TEST

/* A daemon gives an order and dies, with something unread; the next one is there before the shim
 * looks. */
START_TEST(test_order_of_a_dead_daemon) {
    start_waiting("echo", "echo; exec sleep 1000");
    rig_wait_log(&rig, 1);
    rig_write_fifo(&rig, "go");
    struct pollfd p = {.fd = rig.control, .events = POLLIN};
    ck_assert_int_eq(poll(&p, 1, RIG_TIMEOUT_MSEC), 1);
    ck_assert_int_eq(kill(rig.shim, SIGSTOP), 0);
    rig_wait_state(rig.shim, 'T');
    int old = fcntl(rig.control, F_DUPFD_CLOEXEC, 3);
    rig_take_up(&rig);
    ck_assert_int_eq(send(old, SHIM_CANCEL "=1\n", 9, MSG_NOSIGNAL), 9);
    close(old);
    ck_assert_int_eq(kill(rig.shim, SIGCONT), 0);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_CANCELLED, 1);
    rig_check_end(&rig, SHIM_EXIT_SIGNAL, SIGTERM);
}
END_TEST

START_TEST(test_record_comes_first) {
    rig_shell(&rig, "exit 7");
    rig_start(&rig);
    rig_wait_for(&rig, SHIM_EXIT_CODE);
    check_record_has("EXIT_CODE=7\n");
    rig_finish(&rig);
}
END_TEST

/* Neither the file nor the room for it has to be made when it is needed. */
START_TEST(test_record_on_a_full_disk) {
    static char filler[64 * KIB];
    char path[PATH_MAX];

    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", rig.dir, "tmpfs", 0, "size=256k,mode=0700") < 0) {
        fprintf(stderr, "SKIP test_record_on_a_full_disk: cannot mount a small file system: %m\n");
        return;
    }
    start_waiting("systemd-notify --status=\"$(printf '%01000d' 0)\"; echo ready", "exit 8");
    rig_wait_log(&rig, 6);
    rig_wait_for(&rig, NOTIFY_STATUS);
    rig_path(&rig, "filler", path, sizeof(path));
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    for (size_t n = sizeof(filler); n > 0; n /= 2)
        while (write(fd, filler, n) > 0)
            ;
    ck_assert_int_eq(errno, ENOSPC);
    close(fd);
    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 8);
    check_record_has("STATUS=0000000000");
    rig_end_keeper(&rig);
    ck_assert_int_eq(umount(rig.dir), 0);
}
END_TEST

/* Nobody is listened to when all is said. */
START_TEST(test_too_late_to_connect) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    RIG_ARGV(&rig, "true");
    rig_start(&rig);
    rig_finish(&rig);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/task-7/" SHIM_CONTROL_NAME, rig.run);
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    ck_assert_int_lt(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(errno, ECONNREFUSED);
}
END_TEST

TCase *tcase_shim_take_up(void) {
    TCase *tc = tcase_create("take-up");

    tcase_add_test(tc, test_survives_the_daemon);
    tcase_add_test(tc, test_nobody_there_from_the_start);
    tcase_add_test(tc, test_all_is_told_again);
    tcase_add_test(tc, test_survivors_are_told_again);
    tcase_add_test(tc, test_one_daemon_at_a_time);
    tcase_add_test(tc, test_order_of_a_dead_daemon);
    tcase_add_test(tc, test_record_comes_first);
    tcase_add_test(tc, test_record_on_a_full_disk);
    tcase_add_test(tc, test_too_late_to_connect);
    return tc;
}
