/* What the command prints, on its way into log and index. */

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/integration/test-shim.h"

/* Every byte belongs to the entry before it; entries are in order. Gives the bytes of a stream. */
static uint64_t check_index(const LogIndexEntry *index, size_t count, uint64_t log_size,
                            LogStream stream) {
    uint64_t sum = 0;

    ck_assert_uint_eq(log_index_entry_offset(index), 0);
    for (size_t i = 0; i < count; i++) {
        uint64_t begin = log_index_entry_offset(index + i);
        uint64_t end = i + 1 < count ? log_index_entry_offset(index + i + 1) : log_size;
        ck_assert_uint_le(begin, end);
        if (i > 0)
            ck_assert_uint_ge(index[i].time_usec, index[i - 1].time_usec);
        if (log_index_entry_stream(index + i) == stream)
            sum += end - begin;
    }
    return sum;
}

static void check_pattern_from(const char *data, size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++)
        if ((unsigned char)data[i] != rig_pattern(i))
            ck_abort_msg("byte %zu is another", i);
}

static void check_pattern(const char *data, size_t size) {
    check_pattern_from(data, 0, size);
}

START_TEST(test_bytes_are_kept) {
    enum {
        SIZE = 1024 * 1024
    };
    _cleanup_free_ unsigned char *line = malloc(SIZE);
    size_t size;

    /* One line without an end, of all values of a byte but the line feed. */
    for (size_t i = 0; i < SIZE; i++)
        line[i] = rig_pattern(i) == '\n' ? 0 : rig_pattern(i);
    rig.stdin_data = line;
    rig.stdin_size = SIZE;
    RIG_ARGV(&rig, "cat");
    rig_start(&rig);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    _cleanup_free_ char *log = rig_read_log(&rig, &size);
    ck_assert_uint_eq(size, SIZE);
    ck_assert(memcmp(log, line, SIZE) == 0);
}
END_TEST

START_TEST(test_much_output) {
    enum {
        SIZE = 64 * 1024 * 1024
    };
    size_t size, count;

    rig_command(&rig, "pattern", "67108864");
    rig_start(&rig);
    uint64_t begin = clock_usec(CLOCK_MONOTONIC);
    rig_finish(&rig);
    uint64_t used = clock_usec(CLOCK_MONOTONIC) - begin;
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);

    _cleanup_free_ char *log = rig_read_log(&rig, &size);
    ck_assert_uint_eq(size, SIZE);
    check_pattern(log, SIZE);
    _cleanup_free_ LogIndexEntry *index = rig_read_index(&rig, &count);
    ck_assert_uint_eq(check_index(index, count, size, LOG_STREAM_STDOUT), SIZE);
    /* Start, end, and at most 20 reports of the size a second. */
    ck_assert_uint_le(rig.messages, 3 + used / (50 * USEC_PER_MSEC));
}
END_TEST

START_TEST(test_streams_in_order) {
    static const LogStream streams[] = {LOG_STREAM_STDOUT, LOG_STREAM_STDERR, LOG_STREAM_STDOUT};
    static const uint64_t offsets[] = {0, 4, 12};
    size_t size, count;

    rig_make_fifo(&rig, "a");
    rig_make_fifo(&rig, "b");
    rig_add(&rig, SHIM_SPEC_CWD, "%s", rig.dir);
    rig_shell(&rig, "echo out; read x < a; printf 'error\n..' >&2; read x < b; printf end");
    uint64_t begin = clock_usec(CLOCK_REALTIME);
    rig_start(&rig);
    rig_wait_log(&rig, 4);
    rig_write_fifo(&rig, "a");
    rig_wait_log(&rig, 12);
    rig_write_fifo(&rig, "b");
    rig_finish(&rig);

    _cleanup_free_ char *log = rig_read_log(&rig, &size);
    ck_assert_str_eq(log, "out\nerror\n..end");
    _cleanup_free_ LogIndexEntry *index = rig_read_index(&rig, &count);
    ck_assert_uint_eq(count, ELEMENTSOF(streams));
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(log_index_entry_stream(index + i), streams[i]);
        ck_assert_uint_eq(log_index_entry_offset(index + i), offsets[i]);
        ck_assert_uint_ge(index[i].time_usec, begin);
        ck_assert_uint_le(index[i].time_usec, clock_usec(CLOCK_REALTIME));
    }
}
END_TEST

START_TEST(test_streams_at_once) {
    size_t size, count;

    rig_command(&rig, "two-streams", "20000");
    rig_start(&rig);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    _cleanup_free_ char *log = rig_read_log(&rig, &size);
    _cleanup_free_ LogIndexEntry *index = rig_read_index(&rig, &count);
    ck_assert_uint_eq(check_index(index, count, size, LOG_STREAM_STDOUT), 4 * 20000);
    ck_assert_uint_eq(check_index(index, count, size, LOG_STREAM_STDERR), 6 * 20000);

    /* What is the one's is nowhere the other's. */
    for (size_t i = 0; i < count; i++) {
        uint64_t end = i + 1 < count ? log_index_entry_offset(index + i + 1) : size;
        bool is_out = log_index_entry_stream(index + i) == LOG_STREAM_STDOUT;
        for (uint64_t at = log_index_entry_offset(index + i); at < end; at++)
            ck_assert_ptr_nonnull(strchr(is_out ? "out\n" : "error\n", log[at]));
    }
}
END_TEST

START_TEST(test_size_limit) {
    enum {
        SIZE = 1000000,
        HEAD = 50000 / 4096 * 4096 - LOG_MARK_SIZE
    };
    size_t size;
    struct stat st;

    rig_add(&rig, SHIM_SPEC_LOG_MAX, "100000");
    rig_command(&rig, "pattern", "1000000");
    rig_start(&rig);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    rig_check_end(&rig, SHIM_LOG_SIZE, SIZE);
    ck_assert_ptr_null(rig_value(&rig, SHIM_LOG_ERRNO));

    /* With NULs for what is left out. */
    _cleanup_free_ char *log = rig_read_log(&rig, &size);
    ck_assert_uint_eq(size, SIZE);
    check_pattern(log, HEAD);
    int dropped = 0;
    ck_assert_int_eq(
        sscanf(log + HEAD, "\n[longrun] %d bytes are left out here (log-max 97.7K)", &dropped), 1);
    rig_check_end(&rig, SHIM_LOG_DROPPED, dropped);
    check_pattern_from(log, HEAD + (size_t)dropped, SIZE);
    char path[4096];
    ck_assert_int_eq(log_file_path(path, sizeof(path), rig.dir, RIG_TASK_ID, ".log"), 0);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_le(st.st_blocks * 512, 100000 + 4096);
}
END_TEST

static void limit_file_size(void) {
    /* Not a whole number of index entries either. */
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = 100010, .rlim_max = 100010});
}

START_TEST(test_file_size_limit_of_the_system) {
    size_t size, count;

    rig.before = limit_file_size;
    rig_command(&rig, "pattern", "300000");
    rig_start(&rig);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    rig_check_end(&rig, SHIM_LOG_ERRNO, EFBIG);
    rig_check_end(&rig, SHIM_LOG_DROPPED, 300000 - 100010);
    _cleanup_free_ char *log = rig_read_log(&rig, &size);
    ck_assert_uint_eq(size, 100010);
    check_pattern(log, size);
    _cleanup_free_ LogIndexEntry *index = rig_read_index(&rig, &count);
    ck_assert_uint_eq(check_index(index, count, size, LOG_STREAM_STDOUT), size);
}
END_TEST

/* The soft limit alone: the record must get past it. */
static void limit_to_one_entry_and_a_half(void) {
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = 24, .rlim_max = RLIM_INFINITY});
}

/* The index is full first: no half of an entry stays in it. */
START_TEST(test_file_size_limit_in_the_index) {
    size_t size, count;

    rig.before = limit_to_one_entry_and_a_half;
    rig_make_fifo(&rig, "go");
    rig_add(&rig, SHIM_SPEC_CWD, "%s", rig.dir);
    rig_shell(&rig, "echo out; read x < go; echo error >&2");
    rig_start(&rig);
    rig_wait_log(&rig, 4);
    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_LOG_ERRNO, EFBIG);
    rig_check_end(&rig, SHIM_LOG_DROPPED, 6);
    _cleanup_free_ char *log = rig_read_log(&rig, &size);
    ck_assert_str_eq(log, "out\n");
    _cleanup_free_ LogIndexEntry *index = rig_read_index(&rig, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(check_index(index, count, size, LOG_STREAM_STDOUT), 4);
}
END_TEST

START_TEST(test_full_disk) {
    size_t size;

    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", rig.dir, "tmpfs", 0, "size=256k,mode=0700") < 0) {
        fprintf(stderr, "SKIP test_full_disk: cannot mount a small file system: %m\n");
        return;
    }
    rig_command(&rig, "pattern", "10000000");
    rig_start(&rig);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    rig_check_end(&rig, SHIM_LOG_ERRNO, ENOSPC);
    _cleanup_free_ char *log = rig_read_log(&rig, &size);
    rig_check_end(&rig, SHIM_LOG_DROPPED, (int)(10000000 - size));
    ck_assert_uint_lt(size, 256 * KIB);
    check_pattern(log, size);
    rig_end_keeper(&rig);
    ck_assert_int_eq(umount(rig.dir), 0);
}
END_TEST

START_TEST(test_no_place_for_the_log) {
    rig.log_dir = "/no/such/dir";
    rig_shell(&rig, "echo lost; exit 3");
    rig_start(&rig);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 3);
    rig_check_end(&rig, SHIM_LOG_SIZE, 0);
    rig_check_end(&rig, SHIM_LOG_ERRNO, ENOENT);
    rig_check_end(&rig, SHIM_LOG_DROPPED, 5);
}
END_TEST

START_TEST(test_closed_output) {
    rig_make_fifo(&rig, "go");
    rig_add(&rig, SHIM_SPEC_CWD, "%s", rig.dir);
    rig_shell(&rig, "echo bye; exec > /dev/null 2>&1; read x < go; exit 4");
    rig_start(&rig);
    rig_wait_log(&rig, 4);

    rig_check_idle(&rig);
    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 4);
    rig_check_end(&rig, SHIM_LOG_SIZE, 4);
}
END_TEST

START_TEST(test_background_child) {
    size_t size;

    rig_make_fifo(&rig, "go");
    rig_add(&rig, SHIM_SPEC_CWD, "%s", rig.dir);
    rig_shell(&rig, "(read x < go; echo late; : > ended) & echo early; exit 3");
    rig_start(&rig);
    rig_wait_for(&rig, SHIM_MAIN_EXITED);
    ck_assert_str_eq(rig_value(&rig, SHIM_MAIN_EXITED), "1");
    ck_assert_ptr_null(rig_value(&rig, SHIM_EXIT_CODE));
    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 3);
    _cleanup_free_ char *log = rig_read_log(&rig, &size);
    ck_assert_str_eq(log, "early\nlate\n");
}
END_TEST

/* Somebody who is no part of the task keeps the pipe open, and writes. */
START_TEST(test_pipe_held_outside) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    char byte;
    struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof(control)};
    size_t size;

    rig_path(&rig, "socket", address.sun_path, sizeof(address.sun_path));
    _cleanup_close_ int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    rig_command(&rig, "give-stdout", address.sun_path);
    rig_start(&rig);

    _cleanup_close_ int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_eq(recvmsg(fd, &msg, MSG_CMSG_CLOEXEC), 1);
    ck_assert_int_eq(control.header.cmsg_type, SCM_RIGHTS);
    _cleanup_close_ int out = -EBADF;
    memcpy(&out, CMSG_DATA(&control.header), sizeof(int));
    ck_assert_int_eq(write(out, "outside", 7), 7);
    ck_assert_int_eq(write(fd, "", 1), 1);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    _cleanup_free_ char *log = rig_read_log(&rig, &size);
    ck_assert_str_eq(log, "outside");
}
END_TEST

/* The first output is reported at once, and what follows while nothing new comes too. */
START_TEST(test_size_is_reported) {
    rig_make_fifo(&rig, "go");
    rig_add(&rig, SHIM_SPEC_CWD, "%s", rig.dir);
    rig_shell(&rig, "echo 1; echo 2; echo 3; read x < go");
    rig_start(&rig);
    rig_wait_log(&rig, 6);
    ck_assert_ptr_nonnull(rig_value(&rig, SHIM_STARTED));
    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_LOG_SIZE, 6);
}
END_TEST

TCase *tcase_shim_output(void) {
    TCase *tc = tcase_create("output");

    tcase_add_test(tc, test_bytes_are_kept);
    tcase_add_test(tc, test_much_output);
    tcase_add_test(tc, test_streams_in_order);
    tcase_add_test(tc, test_streams_at_once);
    tcase_add_test(tc, test_size_limit);
    tcase_add_test(tc, test_file_size_limit_of_the_system);
    tcase_add_test(tc, test_file_size_limit_in_the_index);
    tcase_add_test(tc, test_full_disk);
    tcase_add_test(tc, test_no_place_for_the_log);
    tcase_add_test(tc, test_closed_output);
    tcase_add_test(tc, test_background_child);
    tcase_add_test(tc, test_pipe_held_outside);
    tcase_add_test(tc, test_size_is_reported);
    return tc;
}
