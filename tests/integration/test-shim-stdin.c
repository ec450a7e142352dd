/* What the command reads: bytes and lines through a stdin that stays open, and a file. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/message-queue.h"
#include "tests/integration/test-shim.h"

static void start_open(const char *script) {
    rig_add(&rig, SHIM_SPEC_STDIN_OPEN, "1");
    rig_start_shell(&rig, script);
    rig_wait_for(&rig, SHIM_STARTED);
}

static void send_bytes(const void *data, size_t size) {
    char packet[FIELDS_MAX];
    size_t before = strlen(SHIM_STDIN "=");

    memcpy(packet, SHIM_STDIN "=", before);
    memcpy(packet + before, data, size);
    ck_assert_int_eq(send(rig.control, packet, before + size, MSG_NOSIGNAL),
                     (ssize_t)(before + size));
}

static void check_log(const void *expected, size_t expected_size) {
    size_t size;
    _cleanup_free_ char *log = rig_read_log(&rig, &size);

    ck_assert_uint_eq(size, expected_size);
    ck_assert_mem_eq(log, expected, size);
}

/* ---- bytes ---- */

/* What looks like orders is none, and neither NUL nor line feed ends anything. */
START_TEST(test_bytes) {
    static const char first[] = "\0\xff\nCANCEL=1\n\0", second[] = "STDIN_END=1";
    static const char expected[] = "\0\xff\nCANCEL=1\n\0line\nSTDIN_END=1a\n";

    start_open("cat");
    ck_assert_str_eq(strempty(rig_value(&rig, SHIM_STDIN_RECEIVED)), "0");
    ck_assert_str_eq(strempty(rig_value(&rig, SHIM_STDIN_TAKEN)), "0");
    send_bytes(first, sizeof(first) - 1);
    rig_send(&rig, SHIM_MESSAGE "=line\n");
    send_bytes(second, sizeof(second) - 1);
    send_bytes("", 0);
    send_bytes("a\n", 2);
    rig_send(&rig, SHIM_STDIN_END "=1\n");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    check_log(expected, sizeof(expected) - 1);
    ck_assert_uint_eq(rig_count(&rig, SHIM_STDIN_RECEIVED), sizeof(first) + sizeof(second));
    ck_assert_uint_eq(rig_count(&rig, SHIM_STDIN_TAKEN), sizeof(first) + sizeof(second));
}
END_TEST

/* The job's own come first, and are none of those that are counted. */
START_TEST(test_data_comes_first) {
    static const char data[] = "\0first";

    rig.stdin_data = data;
    rig.stdin_size = sizeof(data) - 1;
    start_open("cat");
    send_bytes("second", 6);
    rig_send(&rig, SHIM_STDIN_END "=1\n");
    rig_finish(&rig);
    check_log("\0firstsecond", 12);
    ck_assert_uint_eq(rig_count(&rig, SHIM_STDIN_RECEIVED), 6);
}
END_TEST

static void fill(size_t size) {
    static const char data[4096];
    uint64_t sent = 0;

    while (sent - rig_count(&rig, SHIM_STDIN_TAKEN) < SHIM_STDIN_MAX) {
        send_bytes(data, size);
        rig_wait_count(&rig, SHIM_STDIN_RECEIVED, sent += size);
    }
}

/* The pipe is full, and the shim has what it keeps: one more is dropped, orders are heeded, and
 * what was there is read when somebody reads. */
START_TEST(test_nobody_reads) {
    rig_make_fifo(&rig, "go");
    start_open("read x < go; wc -c");
    fill(4096);
    uint64_t taken = rig_count(&rig, SHIM_STDIN_TAKEN),
             received = rig_count(&rig, SHIM_STDIN_RECEIVED);
    ck_assert_uint_ge(taken, 4096);
    ck_assert_uint_eq(received - taken, SHIM_STDIN_MAX);
    send_bytes("x", 1);
    rig_wait_count(&rig, SHIM_STDIN_RECEIVED, received + 1);
    ck_assert_uint_eq(rig_count(&rig, SHIM_STDIN_TAKEN), taken + 1);

    rig_send(&rig, SHIM_STDIN_END "=1\n");
    rig_wait_for(&rig, SHIM_STDIN_ENDED);
    ck_assert_ptr_null(rig_value(&rig, SHIM_STDIN_CLOSED));
    send_bytes("too late", 8);
    rig_send(&rig, SHIM_MESSAGE "=too late\n");
    rig_wait_count(&rig, SHIM_STDIN_RECEIVED, received + 9);
    rig_write_fifo(&rig, "go");
    rig_wait_for(&rig, SHIM_STDIN_CLOSED);
    rig_wait_count(&rig, SHIM_STDIN_TAKEN, received + 9);
    rig_finish(&rig);
    char expected[32];
    int n = snprintf(expected, sizeof(expected), "%" PRIu64 "\n", received);
    check_log(expected, (size_t)n);
}
END_TEST

/* In kB; of what is the process' own. */
static unsigned long memory_of(pid_t pid) {
    char path[64], line[256];
    unsigned long kb = 0;

    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "RssAnon: %lu kB", &kb) == 1)
            break;
    ck_assert_uint_gt(kb, 0);
    return kb;
}

/* Sanitizers keep what was freed. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* However small the pieces are; and when all is read, it goes. */
START_TEST(test_memory) {
    char piece[64] = "";
    uint64_t sent = 0;

    rig_make_fifo(&rig, "go");
    rig_make_fifo(&rig, "end");
    start_open("read x < go; head -c 192000 | wc -c; read x < end");
    unsigned long before = memory_of(rig.shim);
    while (sent < 192000) {
        for (int i = 0; i < 10; i++, sent += sizeof(piece))
            send_bytes(piece, sizeof(piece));
        rig_wait_count(&rig, SHIM_STDIN_RECEIVED, sent);
    }
    unsigned long full = memory_of(rig.shim);
    rig_write_fifo(&rig, "go");
    rig_wait_count(&rig, SHIM_STDIN_TAKEN, sent);
    unsigned long after = memory_of(rig.shim);
    if (!SANITIZED)
        ck_assert_uint_lt(full, before + 2 * 192);
    if (!SANITIZED)
        ck_assert_uint_le(after, before + 64);
    rig_write_fifo(&rig, "end");
    rig_finish(&rig);
    check_log("192000\n", 7);
}
END_TEST

START_TEST(test_reader_is_gone) {
    rig_make_fifo(&rig, "go");
    start_open("exec < /dev/null; read x < go");
    rig_wait_for(&rig, SHIM_STDIN_CLOSED);
    ck_assert_ptr_null(rig_value(&rig, SHIM_STDIN_ENDED));
    send_bytes("too late", 8);
    rig_wait_count(&rig, SHIM_STDIN_RECEIVED, 8);
    ck_assert_uint_eq(rig_count(&rig, SHIM_STDIN_TAKEN), 8);
    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
}
END_TEST

/* What waits then is of no use any more. */
START_TEST(test_reader_goes) {
    rig_make_fifo(&rig, "go");
    rig_make_fifo(&rig, "end");
    start_open("read x < go; exec < /dev/null; read x < end");
    fill(4096);
    uint64_t received = rig_count(&rig, SHIM_STDIN_RECEIVED);
    rig_write_fifo(&rig, "go");
    rig_wait_for(&rig, SHIM_STDIN_CLOSED);
    ck_assert_uint_eq(rig_count(&rig, SHIM_STDIN_TAKEN), received);
    rig_write_fifo(&rig, "end");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
}
END_TEST

/* What the shim has is read, and the next daemon is told how much it has got, and that it ends. */
START_TEST(test_next_daemon) {
    rig_make_fifo(&rig, "go");
    start_open("read x < go; cat");
    send_bytes("one", 3);
    rig_take_up(&rig);
    rig_wait_for(&rig, SHIM_STARTED);
    ck_assert_uint_eq(rig_count(&rig, SHIM_STDIN_RECEIVED), 3);
    ck_assert_ptr_null(rig_value(&rig, SHIM_STDIN_ENDED));
    fill(4096);
    rig_send(&rig, SHIM_STDIN_END "=1\n");
    rig_take_up(&rig);
    rig_wait_for(&rig, SHIM_STARTED);
    ck_assert_str_eq(strempty(rig_value(&rig, SHIM_STDIN_ENDED)), "1");
    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
}
END_TEST

/* Nobody reads what comes: the command has another stdin. */
START_TEST(test_stdin_is_not_open) {
    rig_make_fifo(&rig, "go");
    rig_start_shell(&rig, "read x < go; wc -c");
    rig_wait_for(&rig, SHIM_STARTED);
    send_bytes("nobody reads it", 15);
    rig_send(&rig, SHIM_STDIN_END "=1\n");
    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
    ck_assert_ptr_null(rig_value(&rig, SHIM_STDIN_RECEIVED));
    check_log("0\n", 2);
}
END_TEST

/* ---- a file ---- */

static void start_with_file(const char *name) {
    char path[128];

    rig_path(&rig, name, path, sizeof(path));
    rig_add(&rig, SHIM_SPEC_STDIN_FILE, "%s", name[0] == '/' ? name : path);
    rig_start_shell(&rig, "cat; cat");
}

START_TEST(test_file) {
    rig_write_file(&rig, "in", "of the file\n", 0600);
    start_with_file("in");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    check_log("of the file\n", 12);
}
END_TEST

START_TEST(test_device) {
    start_with_file("/dev/null");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    check_log("", 0);
}
END_TEST

static const struct {
    const char *name;
    int error;
} bad_files[] = {
    {"nothing", ENOENT}, {"in/nothing", ENOTDIR}, {"folder", EISDIR},
    {"fifo", ESPIPE},    {"link", ENOENT},
};

/* None of them is waited for. */
START_TEST(test_bad_file) {
    char path[128];

    rig_write_file(&rig, "in", "", 0600);
    rig_make_fifo(&rig, "fifo");
    rig_path(&rig, "folder", path, sizeof(path));
    ck_assert_int_eq(mkdir(path, 0700), 0);
    rig_path(&rig, "link", path, sizeof(path));
    ck_assert_int_eq(symlink("nothing", path), 0);
    start_with_file(bad_files[_i].name);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXEC_ERRNO, bad_files[_i].error);
    ck_assert_str_eq(strempty(rig_value(&rig, SHIM_EXEC_STEP)), SHIM_STEP_STDIN);
}
END_TEST

TCase *tcase_shim_stdin(void) {
    TCase *tc = tcase_create("stdin");

    tcase_add_test(tc, test_bytes);
    tcase_add_test(tc, test_data_comes_first);
    tcase_add_test(tc, test_nobody_reads);
    tcase_add_test(tc, test_memory);
    tcase_add_test(tc, test_reader_is_gone);
    tcase_add_test(tc, test_reader_goes);
    tcase_add_test(tc, test_next_daemon);
    tcase_add_test(tc, test_stdin_is_not_open);
    tcase_add_test(tc, test_file);
    tcase_add_test(tc, test_device);
    tcase_add_loop_test(tc, test_bad_file, 0, ELEMENTSOF(bad_files));
    return tc;
}
