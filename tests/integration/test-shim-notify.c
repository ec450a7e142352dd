/* NOTIFY_SOCKET: what the command says about itself. */

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/integration/test-shim.h"

static void start_with_socket(void) {
    rig_add(&rig, SHIM_SPEC_ENV, "NOTIFY_SOCKET=/somebody/elses");
    rig_add(&rig, SHIM_SPEC_ENV, "PATH=/usr/bin:/bin");
    rig_start(&rig);
}

static void check_socket_is_gone(void) {
    char path[PATH_MAX];

    rig_path(&rig, "run/task-7/notify", path, sizeof(path));
    ck_assert_int_lt(access(path, F_OK), 0);
}

static void check_value(const char *key, const char *expected) {
    const char *value = rig_value(&rig, key);

    if (expected)
        ck_assert_str_eq(strempty(value), expected);
    else
        ck_assert_ptr_null(value);
}

static const struct {
    const char *datagrams;
    const char *status, *progress, *done, *total, *phase, *final;
} notes[] = {
    {"STATUS=hello", .status = "hello"},
    {"READY=1\nSTATUS=a=b \nX_LONGRUN_PROGRESS=42%", .status = "a=b ", .progress = "0.420000"},
    {"X_LONGRUN_DONE=3\nX_LONGRUN_TOTAL=4\nX_LONGRUN_PHASE=second", .progress = "0.750000",
     .done = "3", .total = "4", .phase = "second"},
    {"STATUS=one|STATUS=two|X_LONGRUN_DONE=1|STATUS=", .status = "", .done = "1"},
    {"X_LONGRUN_FINAL_MESSAGE=all is well\n", .final = "all is well"},
    {"WATCHDOG=1\nstatus=no\n=x\nnoise\nSTATUS", .status = NULL},
    {"", .status = NULL},
};

START_TEST(test_values) {
    rig_command(&rig, "notify", notes[_i].datagrams);
    start_with_socket();
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    check_value(NOTIFY_STATUS, notes[_i].status);
    check_value(NOTIFY_PROGRESS, notes[_i].progress);
    check_value(NOTIFY_DONE, notes[_i].done);
    check_value(NOTIFY_TOTAL, notes[_i].total);
    check_value(NOTIFY_PHASE, notes[_i].phase);
    check_value(NOTIFY_FINAL_MESSAGE, notes[_i].final);
    ck_assert_ptr_null(rig_value(&rig, "READY"));
    check_socket_is_gone();
}
END_TEST

START_TEST(test_long_value_is_cut) {
    char text[4000] = "STATUS=", expected[NOTIFY_VALUE_MAX] = "";

    /* 2-byte characters, shifted by one: the limit is in the middle of one. */
    memset(text + 7, 'x', 1);
    for (size_t i = 8; i + 2 < sizeof(text); i += 2)
        memcpy(text + i, "é", 2);
    memcpy(expected, text + 7, NOTIFY_VALUE_MAX - 1);
    rig_command(&rig, "notify", text);
    start_with_socket();
    rig_finish(&rig);
    check_value(NOTIFY_STATUS, expected);
}
END_TEST

START_TEST(test_flood_is_coalesced) {
    rig_command(&rig, "notify-flood", "20000");
    uint64_t begin = clock_usec(CLOCK_MONOTONIC);
    start_with_socket();
    rig_finish(&rig);
    uint64_t used = clock_usec(CLOCK_MONOTONIC) - begin;
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    check_value(NOTIFY_DONE, "20000");
    /* Start, first value, last value, end, and 20 a second between. */
    ck_assert_uint_le(rig.messages, 4 + used / (50 * USEC_PER_MSEC));
}
END_TEST

START_TEST(test_bad_datagrams) {
    rig_command(&rig, "notify-bad", "");
    start_with_socket();
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    check_value(NOTIFY_STATUS, NULL);
}
END_TEST

START_TEST(test_descriptors_are_closed) {
    rig_command(&rig, "notify-fds", "");
    start_with_socket();
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    check_value(NOTIFY_STATUS, "with descriptors");
}
END_TEST

START_TEST(test_socket_is_private) {
    char expected[PATH_MAX];

    rig_command(&rig, "notify-stat", "");
    start_with_socket();
    rig_finish(&rig);
    snprintf(expected, sizeof(expected), "%s/task-7/notify %o", rig.run, S_IFSOCK | 0600);
    rig_check_log(&rig, expected);
    check_socket_is_gone();
}
END_TEST

/* Where no socket can be, none is promised. */
START_TEST(test_impossible_socket) {
    char spec[1024], self[PATH_MAX];
    int n = (int)readlink("/proc/self/exe", self, sizeof(self) - 1);

    ck_assert_int_gt(n, 0);
    n = snprintf(spec, sizeof(spec),
                 "id=7%cargv=%.*s%cargv=--command%cargv=notify-stat%cargv=%clog-dir=%s%c"
                 "runtime-dir=%s/%0120d%c",
                 0, n, self, 0, 0, 0, 0, rig.dir, 0, rig.dir, 0, 0);
    rig_start_raw(&rig, spec, (size_t)n);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    rig_check_log(&rig, "none");
}
END_TEST

START_TEST(test_value_comes_while_running) {
    rig_make_fifo(&rig, "go");
    rig_add(&rig, SHIM_SPEC_CWD, "%s", rig.dir);
    rig_shell(&rig, "systemd-notify --status=waiting; read x < go");
    start_with_socket();
    rig_wait_for(&rig, NOTIFY_STATUS);
    check_value(NOTIFY_STATUS, "waiting");
    ck_assert_ptr_null(rig_value(&rig, SHIM_EXIT_CODE));
    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
}
END_TEST

/* A daemon that does not read: the task goes on and ends, and what was not read yet is the newest
 * of each and the end. */
START_TEST(test_stopped_reader) {
    static const int smallest = 1;
    char path[PATH_MAX];

    ck_assert_int_eq(
        setsockopt(rig.shim_control, SOL_SOCKET, SO_SNDBUF, &smallest, sizeof(smallest)), 0);
    rig_make_fifo(&rig, "end");
    rig_path(&rig, "end", path, sizeof(path));
    rig_command(&rig, "chatter", path);
    start_with_socket();

    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    char byte;
    ck_assert_int_eq(read(fd, &byte, 1), 1);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    rig_check_end(&rig, SHIM_LOG_SIZE, 40);
    check_value(NOTIFY_DONE, "40");
    /* In 0.8 s there would have been 16 of each: the socket was full. */
    ck_assert_uint_lt(rig.messages, 14);
}
END_TEST

TCase *tcase_shim_notify(void) {
    TCase *tc = tcase_create("notify");

    tcase_add_loop_test(tc, test_values, 0, ELEMENTSOF(notes));
    tcase_add_test(tc, test_long_value_is_cut);
    tcase_add_test(tc, test_flood_is_coalesced);
    tcase_add_test(tc, test_bad_datagrams);
    tcase_add_test(tc, test_descriptors_are_closed);
    tcase_add_test(tc, test_socket_is_private);
    tcase_add_test(tc, test_impossible_socket);
    tcase_add_test(tc, test_value_comes_while_running);
    tcase_add_test(tc, test_stopped_reader);
    return tc;
}
