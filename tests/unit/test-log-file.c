/* The writer of a task's log: bytes, index, cap, and disks that take no more. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/log-file.h"
#include "tests/unit/unit.h"

#define START UINT64_C(1700000000000000)
#define ID 42

static void append(LogFile *f, LogStream stream, uint64_t msec, const char *text) {
    log_file_append(f, stream, START + msec * USEC_PER_MSEC, text, strlen(text));
}

static void expect_log(const char *text) {
    size_t size;
    _cleanup_free_ char *log = unit_read("42.log", &size);

    ck_assert_uint_eq(size, strlen(text));
    ck_assert_str_eq(log, text);
}

typedef struct Mark {
    uint64_t msec, offset;
    LogStream stream;
} Mark;

static void expect_index(const Mark *marks, size_t n) {
    size_t size;
    _cleanup_free_ char *data = unit_read("42.idx", &size);

    ck_assert_uint_eq(size, n * sizeof(LogIndexEntry));
    for (size_t i = 0; i < n; i++) {
        LogIndexEntry entry;
        memcpy(&entry, data + i * sizeof(entry), sizeof(entry));
        ck_assert_uint_eq(entry.time_usec, START + marks[i].msec * USEC_PER_MSEC);
        ck_assert_uint_eq(log_index_entry_offset(&entry), marks[i].offset);
        ck_assert_int_eq(log_index_entry_stream(&entry), marks[i].stream);
    }
}

START_TEST(test_nothing) {
    LogFile f;

    log_file_init(&f, unit_dir, ID, MIB);
    log_file_done(&f);
    log_file_done(&f);
    ck_assert(!unit_exists("42.log"));
    ck_assert(!unit_exists("42.idx"));
}
END_TEST

START_TEST(test_append) {
    static const Mark marks[] = {
        {0, 0, LOG_STREAM_STDOUT},   /* "one", "two" and "three" within 10 ms share it */
        {10, 11, LOG_STREAM_STDOUT}, /* "four" */
        {10, 15, LOG_STREAM_STDERR}, /* "five": another stream */
        {11, 19, LOG_STREAM_LONGRUN}, {11, 22, LOG_STREAM_STDOUT},
        {5, 27, LOG_STREAM_STDOUT}, /* the clock was set back */
    };
    struct stat st;
    LogFile f;

    umask(0);
    log_file_init(&f, unit_dir, ID, MIB);
    append(&f, LOG_STREAM_STDOUT, 0, "one");
    append(&f, LOG_STREAM_STDOUT, 0, "two");
    append(&f, LOG_STREAM_STDOUT, 9, "three");
    append(&f, LOG_STREAM_STDOUT, 10, "four");
    append(&f, LOG_STREAM_STDERR, 10, "five");
    append(&f, LOG_STREAM_LONGRUN, 11, "six");
    append(&f, LOG_STREAM_STDOUT, 11, "seven");
    append(&f, LOG_STREAM_STDOUT, 5, "eight");
    expect_log("onetwothreefourfivesixseveneight");
    expect_index(marks, ELEMENTSOF(marks));
    ck_assert_uint_eq(f.size, 32);
    ck_assert_uint_eq(f.dropped, 0);
    ck_assert_int_eq(f.error, 0);
    ck_assert_int_eq(stat(unit_path("42.log"), &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0600);
    ck_assert_int_eq(stat(unit_path("42.idx"), &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0600);
    log_file_done(&f);
}
END_TEST

START_TEST(test_bytes_as_they_are) {
    static const char data[] = "\0\xff\x1b[0m\r\n\0";
    size_t size;
    LogFile f;

    log_file_init(&f, unit_dir, ID, MIB);
    log_file_append(&f, LOG_STREAM_STDOUT, START, data, sizeof(data));
    log_file_done(&f);
    _cleanup_free_ char *log = unit_read("42.log", &size);
    ck_assert_uint_eq(size, sizeof(data));
    ck_assert_mem_eq(log, data, size);
}
END_TEST

/* A second writer, after the first, goes on behind it. */
START_TEST(test_reopen) {
    static const Mark marks[] = {{0, 0, LOG_STREAM_STDOUT}, {1, 5, LOG_STREAM_STDOUT}};
    LogFile f;

    log_file_init(&f, unit_dir, ID, MIB);
    append(&f, LOG_STREAM_STDOUT, 0, "first");
    log_file_done(&f);
    log_file_init(&f, unit_dir, ID, MIB);
    append(&f, LOG_STREAM_STDOUT, 1, "second");
    ck_assert_uint_eq(f.size, 11);
    log_file_done(&f);
    expect_log("firstsecond");
    expect_index(marks, ELEMENTSOF(marks));
}
END_TEST

/* ---- the cap ---- */

START_TEST(test_nothing_kept) {
    static const Mark marks[] = {{0, 0, LOG_STREAM_LONGRUN}};
    LogFile f;

    log_file_init(&f, unit_dir, ID, 0);
    append(&f, LOG_STREAM_STDOUT, 0, "abc");
    append(&f, LOG_STREAM_STDOUT, 0, "def");
    expect_log("\n[longrun] the log is full (log-max 0B): what follows is not kept\n");
    expect_index(marks, 1);
    ck_assert_uint_eq(f.dropped, 6);
    ck_assert(f.full);
    ck_assert_int_eq(f.error, 0);
    log_file_done(&f);
}
END_TEST

START_TEST(test_no_limit) {
    LogFile f;

    log_file_init(&f, unit_dir, ID, UINT64_MAX);
    append(&f, LOG_STREAM_STDOUT, 0, "abc");
    expect_log("abc");
    ck_assert_uint_eq(f.kept, 3);
    log_file_done(&f);
}
END_TEST

/* ---- the index's own cap ---- */

static uint64_t disk_size(const char *name) {
    struct stat st;

    MUST(stat(unit_path(name), &st) == 0);
    return (uint64_t)st.st_blocks * 512;
}

static size_t index_size(void) {
    size_t size;

    free(unit_read("42.idx", &size));
    return size;
}

/* Two streams in turns, a byte each: the index would be sixteen times as large as the log. */
START_TEST(test_index_cap) {
    LogFile f;

    log_file_init(&f, unit_dir, ID, MIB);
    for (int i = 0; i < 100000; i++)
        log_file_append(&f, i % 2 == 0 ? LOG_STREAM_STDOUT : LOG_STREAM_STDERR, START, "x", 1);
    ck_assert_int_eq(f.error, 0);
    ck_assert_uint_eq(f.size, 100000);
    ck_assert_uint_eq(f.dropped, 0);
    ck_assert_uint_eq(index_size(), 100000 * sizeof(LogIndexEntry));
    ck_assert_uint_le(disk_size("42.idx"), MIB / 8 + 16 * KIB);
    log_file_done(&f);
}
END_TEST

/* A dot now and then: more and more of them share an entry. */
START_TEST(test_index_of_dots) {
    LogFile f;

    log_file_init(&f, unit_dir, ID, MIB);
    for (uint64_t i = 0; i < 100000; i++)
        append(&f, LOG_STREAM_STDOUT, i * 10, ".");
    ck_assert_uint_le(index_size(), 64 * KIB + 100000 / 8 + 1000 * sizeof(LogIndexEntry));
    ck_assert_uint_ge(index_size(), 64 * KIB);
    log_file_done(&f);
}
END_TEST

/* What is left of entries that lost their bytes, or half an entry, does not stay in the way. */
START_TEST(test_index_trimmed) {
    static const LogIndexEntry odd[] = {{START, 0 << 8 | LOG_STREAM_STDERR},
                                        {START, 4 << 8 | LOG_STREAM_STDOUT},
                                        {START, 9 << 8 | LOG_STREAM_STDERR},
                                        {0, 0}};
    static const Mark marks[] = {
        {0, 0, LOG_STREAM_STDERR}, {0, 4, LOG_STREAM_STDOUT}, {7, 5, LOG_STREAM_STDERR}};
    LogFile f;

    unit_write("42.log", "12345", 5);
    unit_write("42.idx", odd, sizeof(odd) - 3);
    log_file_init(&f, unit_dir, ID, MIB);
    append(&f, LOG_STREAM_STDERR, 7, "x");
    log_file_done(&f);
    expect_log("12345x");
    expect_index(marks, ELEMENTSOF(marks));
}
END_TEST

/* ---- what a disk does ---- */

#define LOST(bytes) "\n[longrun] " bytes " bytes were lost: File too large\n"

static struct rlimit limit_before;

/* No file may grow above that size; writing more is an error, not a signal. */
static void limit_files(rlim_t size) {
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    MUST(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit_before = limit;
    limit.rlim_cur = size;
    MUST(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static void unlimit_files(void) {
    MUST(setrlimit(RLIMIT_FSIZE, &limit_before) == 0);
}

START_TEST(test_log_write_fails) {
    LogFile f;

    log_file_init(&f, unit_dir, ID, MIB);
    limit_files(20);
    append(&f, LOG_STREAM_STDOUT, 0, "0123456789");
    append(&f, LOG_STREAM_STDOUT, 1, "abcdefghijKLMNO"); /* ten of them fit */
    append(&f, LOG_STREAM_STDOUT, 2, "PQR");
    unlimit_files();
    expect_log("0123456789abcdefghij");
    ck_assert_uint_eq(f.size, 20);
    ck_assert_uint_eq(f.dropped, 8);
    ck_assert_int_eq(f.error, -EFBIG);
    ck_assert(!f.full);

    /* There is room again: it goes on. */
    append(&f, LOG_STREAM_STDOUT, 3, "room");
    expect_log("0123456789abcdefghij" LOST("8") "room");
    ck_assert_uint_eq(f.dropped, 8);
    ck_assert_uint_eq(f.lost, 0);
    log_file_done(&f);
}
END_TEST

/* What nobody came to say while the task ran is said at its end. */
START_TEST(test_lost_at_the_end) {
    static const Mark marks[] = {{0, 0, LOG_STREAM_STDOUT}};
    LogFile f;

    log_file_init(&f, unit_dir, ID, MIB);
    append(&f, LOG_STREAM_STDOUT, 0, "0123456789");
    expect_index(marks, 1);
    limit_files(20);
    append(&f, LOG_STREAM_STDOUT, 0, "abcdefghijKLMNO");
    unlimit_files();
    log_file_done(&f);
    expect_log("0123456789abcdefghij" LOST("5"));
}
END_TEST

/* There is room for a part of the note alone: none of it is written. */
START_TEST(test_note_does_not_fit) {
    LogFile f;

    log_file_init(&f, unit_dir, ID, MIB);
    limit_files(50);
    append(&f, LOG_STREAM_STDOUT, 0, "0123456789");
    f.lost = 3;
    f.error = -EFBIG;
    append(&f, LOG_STREAM_STDOUT, 0, "abc");
    unlimit_files();
    expect_log("0123456789");
    ck_assert_uint_eq(f.size, 10);
    ck_assert_uint_eq(f.lost, 6);
    append(&f, LOG_STREAM_STDOUT, 0, "x");
    expect_log("0123456789" LOST("6") "x");
    log_file_done(&f);
}
END_TEST

/* Half an index entry would make all behind it unreadable. */
START_TEST(test_index_write_fails) {
    static const Mark before[] = {{0, 0, LOG_STREAM_STDOUT}};
    static const Mark after[] = {{0, 0, LOG_STREAM_STDOUT},
                                 {2, 1, LOG_STREAM_LONGRUN},
                                 {2, 1 + strlen(LOST("1")), LOG_STREAM_STDERR}};
    LogFile f;

    log_file_init(&f, unit_dir, ID, MIB);
    limit_files(sizeof(LogIndexEntry) * 3 / 2);
    append(&f, LOG_STREAM_STDOUT, 0, "a");
    append(&f, LOG_STREAM_STDERR, 1, "b"); /* its entry does not fit whole */
    unlimit_files();
    expect_index(before, ELEMENTSOF(before));
    expect_log("a");
    ck_assert_uint_eq(f.dropped, 1);
    ck_assert_int_eq(f.error, -EFBIG);

    append(&f, LOG_STREAM_STDERR, 2, "c");
    expect_index(after, ELEMENTSOF(after));
    expect_log("a" LOST("1") "c");
    log_file_done(&f);
}
END_TEST

START_TEST(test_cannot_open) {
    LogFile f;

    log_file_init(&f, "/nonexistent/folder", ID, MIB);
    append(&f, LOG_STREAM_STDOUT, 0, "abc");
    append(&f, LOG_STREAM_STDOUT, 0, "de");
    ck_assert_uint_eq(f.dropped, 5);
    ck_assert_int_eq(f.error, -ENOENT);
    log_file_done(&f);

    /* A link that somebody put there is not followed. */
    unit_write("other", "", 0);
    ck_assert_int_eq(symlink("other", unit_path("42.log")), 0);
    log_file_init(&f, unit_dir, ID, MIB);
    append(&f, LOG_STREAM_STDOUT, 0, "abc");
    ck_assert_int_eq(f.error, -ELOOP);
    log_file_done(&f);
    _cleanup_free_ char *other = unit_read("other", NULL);
    ck_assert_str_eq(other, "");

    /* The log alone is no log. */
    ck_assert_int_eq(unlink(unit_path("42.log")), 0);
    ck_assert_int_eq(mkdir(unit_path("42.idx"), 0700), 0);
    log_file_init(&f, unit_dir, ID, MIB);
    append(&f, LOG_STREAM_STDOUT, 0, "abc");
    ck_assert_int_eq(f.error, -EISDIR);
    ck_assert_uint_eq(f.dropped, 3);
    log_file_done(&f);
}
END_TEST

START_TEST(test_paths) {
    char buf[32];

    ck_assert_int_eq(log_file_path(buf, sizeof(buf), "/d", UINT64_MAX, ".log"), 0);
    ck_assert_str_eq(buf, "/d/18446744073709551615.log");
    ck_assert_int_eq(log_file_path(buf, strlen("/d/7.idx") + 1, "/d", 7, ".idx"), 0);
    ck_assert_int_eq(log_file_path(buf, strlen("/d/7.idx"), "/d", 7, ".idx"), -ENAMETOOLONG);

    ck_assert_str_eq(log_stream_to_string(LOG_STREAM_STDOUT), "stdout");
    ck_assert_str_eq(log_stream_to_string(LOG_STREAM_STDERR), "stderr");
    ck_assert_str_eq(log_stream_to_string(LOG_STREAM_LONGRUN), "longrun");
    ck_assert_str_eq(log_stream_to_string((LogStream)200), "unknown");
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("log-file");
    TCase *t = tcase_create("log-file");

    unit_use_dir(t);
    tcase_add_test(t, test_nothing);
    tcase_add_test(t, test_append);
    tcase_add_test(t, test_bytes_as_they_are);
    tcase_add_test(t, test_reopen);
    tcase_add_test(t, test_nothing_kept);
    tcase_add_test(t, test_no_limit);
    tcase_add_test(t, test_index_cap);
    tcase_add_test(t, test_index_of_dots);
    tcase_add_test(t, test_index_trimmed);
    tcase_add_test(t, test_log_write_fails);
    tcase_add_test(t, test_lost_at_the_end);
    tcase_add_test(t, test_note_does_not_fit);
    tcase_add_test(t, test_index_write_fails);
    tcase_add_test(t, test_cannot_open);
    tcase_add_test(t, test_paths);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
