/* Output that goes to the journal, too: to a socket of the test's own. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/integration/test-shim.h"

static int open_journal(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    rig_path(&rig, "journal", address.sun_path, sizeof(address.sun_path));
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void start_shell(const char *script) {
    rig_add(&rig, SHIM_SPEC_JOURNAL, "%s/journal", rig.dir);
    rig_add(&rig, SHIM_SPEC_LABEL, "a label");
    rig_add(&rig, SHIM_SPEC_IDENTIFIER, "sh");
    rig_start_shell(&rig, script);
}

#define FIELDS "SYSLOG_IDENTIFIER=sh\nTASK_ID=7\nTASK_LABEL=a label\n"
#define STDOUT FIELDS "PRIORITY=6\nTASK_STREAM=stdout\nMESSAGE="
#define STDERR FIELDS "PRIORITY=4\nTASK_STREAM=stderr\nMESSAGE="

static void expect(int fd, const char *message) {
    char buf[FIELDS_MAX + 1];
    ssize_t n = recv(fd, buf, sizeof(buf) - 1, 0);

    buf[MAX(n, 0)] = '\0';
    ck_assert_str_eq(buf, message);
}

START_TEST(test_lines) {
    _cleanup_close_ int fd = open_journal();

    /* One each: who reads the same one again may find the writer before still there, and go on. */
    rig_make_fifo(&rig, "go");
    rig_make_fifo(&rig, "end");
    start_shell("echo one; read x < go; echo two >&2; read x < end; printf '10%%\\r20%%'");
    rig_wait_log(&rig, 4);
    expect(fd, STDOUT "one\n");
    rig_write_fifo(&rig, "go");
    rig_wait_log(&rig, 8);
    expect(fd, STDERR "two\n");
    rig_write_fifo(&rig, "end");
    rig_finish(&rig);
    expect(fd, STDOUT "20%\n");
    expect(fd, "");
}
END_TEST

/* The descriptor is none of the command's. */
START_TEST(test_terminal) {
    _cleanup_close_ int fd = open_journal();

    rig_add(&rig, SHIM_SPEC_TERMINAL, "80x24");
    start_shell("echo one >&2; ls /proc/self/fd | wc -l");
    rig_finish(&rig);
    expect(fd, STDOUT "one\n");
    expect(fd, STDOUT "4\n");
}
END_TEST

/* journald reads nothing: the log has all of it, no later than without. */
START_TEST(test_nobody_reads) {
    _cleanup_close_ int fd = open_journal();
    uint64_t begin = clock_usec(CLOCK_MONOTONIC);
    size_t size;

    start_shell("yes | head -c 20000000");
    rig_finish(&rig);
    ck_assert_uint_lt(clock_usec(CLOCK_MONOTONIC) - begin, 20 * USEC_PER_SEC);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    _cleanup_free_ char *log = rig_read_log(&rig, &size);
    ck_assert_uint_eq(size, 20000000);
    ck_assert_mem_eq(log + size - 4, "y\ny\n", 4);
    expect(fd, STDOUT "y\n");
}
END_TEST

START_TEST(test_no_journal) {
    start_shell("echo one");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    rig_check_end(&rig, SHIM_LOG_SIZE, 4);
}
END_TEST

TCase *tcase_shim_journal(void) {
    TCase *tc = tcase_create("journal");

    tcase_add_test(tc, test_lines);
    tcase_add_test(tc, test_terminal);
    tcase_add_test(tc, test_nobody_reads);
    tcase_add_test(tc, test_no_journal);
    return tc;
}
