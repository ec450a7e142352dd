/* Logs as those see them that read: anywhere, beyond the end, and when they are gone. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/log-file.h"
#include "daemon/logs/task-log.h"
#include "tests/unit/unit.h"

static const struct {
    uint64_t offset;
    size_t size;
    const char *text;
} reads[] = {
    {0, 100, "0123456789"},
    {0, 10, "0123456789"},
    {0, 4, "0123"},
    {0, 0, ""},
    {4, 3, "456"},
    {9, 100, "9"},
    {10, 100, ""}, /* at the end */
    {11, 100, ""},
    {INT64_MAX, 100, ""},
    {(uint64_t)INT64_MAX + 1, 100, ""},
    {UINT64_MAX, 100, ""},
};

START_TEST(test_read) {
    char buf[101] = {};
    uint64_t next;

    unit_write("42.log", "0123456789", 10);
    int n = task_log_read(unit_dir, 42, reads[_i].offset, buf, reads[_i].size, &next);
    ck_assert_int_eq(n, (int)strlen(reads[_i].text));
    ck_assert_uint_eq(next, reads[_i].offset + strlen(reads[_i].text));
    ck_assert_str_eq(buf, reads[_i].text);
}
END_TEST

START_TEST(test_read_cap) {
    size_t size = TASK_LOG_READ_MAX + 100;
    uint64_t next;
    _cleanup_free_ char *data = calloc(1, size), *buf = malloc(size);

    unit_write("42.log", data, size);
    memset(buf, 'x', size);
    ck_assert_int_eq(task_log_read(unit_dir, 42, 0, buf, size, &next), TASK_LOG_READ_MAX);
    ck_assert_int_eq(buf[TASK_LOG_READ_MAX - 1], 0);
    ck_assert_int_eq(buf[TASK_LOG_READ_MAX], 'x');
    ck_assert_int_eq(task_log_read(unit_dir, 42, TASK_LOG_READ_MAX, buf, size, &next), 100);
}
END_TEST

/* A log above its cap: what is asked for in the gap is read behind it. */
START_TEST(test_read_gap) {
    static char data[200000], buf[200000];
    uint64_t next;
    LogFile f;

    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (char)('a' + i % 26);
    log_file_init(&f, unit_dir, 42, 64 * KIB);
    log_file_append(&f, LOG_STREAM_STDOUT, 1, data, sizeof(data));
    log_file_done(&f);
    uint64_t head = 32 * KIB, end = f.log.end;
    const struct {
        uint64_t offset, begin, next; /* what is read, at the most a thousand bytes */
    } gaps[] = {
        {0, 0, 1000},
        {head - 96, head - 96, head},
        {head - 1, head - 1, head},
        {head, end, end + 1000},
        {head + 1, end, end + 1000},
        {head + 5000, end, end + 1000},
        {end - 1, end, end + 1000},
        {end, end, end + 1000},
        {end + 1, end + 1, end + 1001},
        {sizeof(data) - 10, sizeof(data) - 10, sizeof(data)},
        {sizeof(data), sizeof(data), sizeof(data)},
        {sizeof(data) + 10, sizeof(data) + 10, sizeof(data) + 10},
    };
    for (size_t i = 0; i < ELEMENTSOF(gaps); i++) {
        int n = task_log_read(unit_dir, 42, gaps[i].offset, buf, 1000, &next);
        ck_assert_uint_eq(next, gaps[i].next);
        ck_assert_uint_eq((uint64_t)n, gaps[i].next - gaps[i].begin);
        if (n > 0 && gaps[i].begin != head - 96 && gaps[i].begin != head - 1)
            ck_assert_mem_eq(buf, data + gaps[i].begin, (size_t)n);
    }
    /* All of it, page by page. */
    size_t total = 0;
    int n = 0;
    for (uint64_t at = 0; (n = task_log_read(unit_dir, 42, at, buf, 777, &next)) > 0; at = next) {
        MUST(!memchr(buf, 0, (size_t)n));
        total += (size_t)n;
    }
    ck_assert_int_eq(n, 0);
    ck_assert_uint_eq(total, f.kept);
    ck_assert_uint_eq(total, head + sizeof(data) - end);
}
END_TEST

START_TEST(test_kept) {
    static char data[100000];
    LogFile f;

    ck_assert_uint_eq(task_log_kept(unit_dir, 42), 0);
    log_file_init(&f, unit_dir, 42, 64 * KIB);
    log_file_append(&f, LOG_STREAM_STDOUT, 1, "x", 1);
    uint64_t both = task_log_kept(unit_dir, 42);
    ck_assert_uint_ge(both, 2 * 512); /* log and index */
    for (int i = 0; i < 100; i++)
        log_file_append(&f, LOG_STREAM_STDOUT, 1, data, sizeof(data));
    log_file_done(&f);
    ck_assert_uint_ge(task_log_kept(unit_dir, 42), f.kept);
    ck_assert_uint_le(task_log_kept(unit_dir, 42), 64 * KIB + both);
    ck_assert_uint_eq(task_log_kept("/nonexistent", 42), 0);
}
END_TEST

/* A task that has not printed anything has no log; no reader is told of an error. */
START_TEST(test_read_none) {
    uint64_t next = 77;
    char buf[8];

    ck_assert_int_eq(task_log_read(unit_dir, 42, 0, buf, sizeof(buf), &next), 0);
    ck_assert(!unit_exists("42.log"));
    ck_assert_int_eq(task_log_read("/nonexistent", 42, 0, buf, sizeof(buf), &next), 0);
}
END_TEST

START_TEST(test_read_bad) {
    _cleanup_free_ char *deep = malloc(5001);
    uint64_t next = 77;
    char buf[8];

    unit_write("other", "secret", 6);
    ck_assert_int_eq(symlink("other", unit_path("42.log")), 0);
    ck_assert_int_eq(task_log_read(unit_dir, 42, 0, buf, sizeof(buf), &next), -ELOOP);
    ck_assert_int_eq(task_log_open(unit_dir, 42), -ELOOP);
    memset(deep, 'd', 5000);
    deep[5000] = '\0';
    ck_assert_int_eq(task_log_read(deep, 42, 0, buf, sizeof(buf), &next), -ENAMETOOLONG);
    ck_assert_int_eq(task_log_open(deep, 42), -ENAMETOOLONG);
}
END_TEST

/* Opened before there is anything in it: what comes is seen. */
START_TEST(test_open) {
    char buf[8] = {};
    struct stat st;

    umask(0);
    _cleanup_close_ int fd = task_log_open(unit_dir, 42);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    ck_assert_int_eq(fstat(fd, &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0600);
    ck_assert_int_eq(read(fd, buf, sizeof(buf)), 0);

    int writer = open(unit_path("42.log"), O_WRONLY | O_APPEND | O_CLOEXEC);
    ck_assert_int_eq(write(writer, "new", 3), 3);
    close(writer);
    ck_assert_int_eq(read(fd, buf, sizeof(buf)), 3);
    ck_assert_str_eq(buf, "new");
    ck_assert_int_eq(task_log_open("/nonexistent", 42), -ENOENT);
}
END_TEST

START_TEST(test_open_index) {
    unit_write("42.idx", "0123456789abcdef", 16);
    char buf[32];

    for (uint64_t id = 42; id <= 43; id++) {
        _cleanup_close_ int fd = task_log_open_index(unit_dir, id);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
        ck_assert_int_eq(read(fd, buf, sizeof(buf)), id == 42 ? 16 : 0);
    }
    ck_assert(unit_exists("43.idx") && !unit_exists("43.log"));
    ck_assert_int_eq(task_log_open_index("/nonexistent", 42), -ENOENT);
}
END_TEST

START_TEST(test_path) {
    _cleanup_free_ char *path = task_log_path("/state/logs", 42);
    _cleanup_free_ char *latin = task_log_path("/st\xe4te/logs", 42);

    ck_assert_str_eq(path, "/state/logs/42.log");
    ck_assert_str_eq(latin, "");
}
END_TEST

START_TEST(test_remove) {
    unit_write("42.log", "", 0);
    unit_write("42.idx", "", 0);
    unit_write("421.log", "", 0);
    unit_write("4.log", "", 0);
    task_log_remove(unit_dir, 42);
    ck_assert(!unit_exists("42.log") && !unit_exists("42.idx"));
    ck_assert(unit_exists("421.log") && unit_exists("4.log"));
    task_log_remove(unit_dir, 42); /* none there is fine */
    task_log_remove("/nonexistent", 42);
}
END_TEST

/* Names that are no log of ours are passed over. */
static const struct {
    const char *name;
    uint64_t highest;
} files[] = {
    {"lock", 0},
    {"12.txt", 0},
    {"-1.log", 0},
    {".log", 0},
    {"x12.log", 0},
    {"7.log", 7},
    {"3.log", 7},
    {"12.idx", 7},
    {"12.log.bak", 7},
    {"1000.log", 1000},
    {"99999999999999999999999.log", 1000},
    {"999.log", 1000},
};

START_TEST(test_highest_id) {
    ck_assert_uint_eq(task_log_highest_id("/nonexistent"), 0);
    ck_assert_uint_eq(task_log_highest_id(unit_dir), 0);
    for (size_t i = 0; i < ELEMENTSOF(files); i++) {
        unit_write(files[i].name, "", 0);
        ck_assert_uint_eq(task_log_highest_id(unit_dir), files[i].highest);
    }
}
END_TEST

START_TEST(test_size) {
    ck_assert_uint_eq(task_log_size(unit_dir, 5), 0);
    unit_write("5.log", "hello", 5);
    ck_assert_uint_eq(task_log_size(unit_dir, 5), 5);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("task-log");
    TCase *t = tcase_create("task-log");

    unit_use_dir(t);
    tcase_add_loop_test(t, test_read, 0, ELEMENTSOF(reads));
    tcase_add_test(t, test_read_cap);
    tcase_add_test(t, test_read_gap);
    tcase_add_test(t, test_kept);
    tcase_add_test(t, test_read_none);
    tcase_add_test(t, test_read_bad);
    tcase_add_test(t, test_open);
    tcase_add_test(t, test_open_index);
    tcase_add_test(t, test_path);
    tcase_add_test(t, test_remove);
    tcase_add_test(t, test_highest_id);
    tcase_add_test(t, test_size);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
