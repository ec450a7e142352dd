/* The writer of a task's log: bytes, index, cap, and disks that take no more. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

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

#define BLOCK (4 * KIB)
#define MAX_MIN (GAP_FILE_BLOCKS_MIN * BLOCK)

/* What was ever appended: the log as it would be without a cap. */
static char *model;
static size_t model_size;

static void put(LogFile *f, size_t size) {
    model = realloc(model, model_size + size);
    MUST(model || size == 0);
    /* Never a NUL, and no two places alike. */
    for (size_t i = model_size; i < model_size + size; i++)
        model[i] = (char)('!' + (i ^ i >> 7 ^ i >> 13) % 90);
    log_file_append(f, LOG_STREAM_STDOUT, START, model + model_size, size);
    model_size += size;
    MUST(f->error == 0);
}

static uint64_t disk_size(const char *name) {
    struct stat st;

    MUST(stat(unit_path(name), &st) == 0);
    return (uint64_t)st.st_blocks * 512;
}

/* All that a reader is given, and where the gap ends. */
static char *read_kept(size_t *ret_size, uint64_t *ret_gap_end) {
    _cleanup_close_ int fd = open(unit_path("42.log"), O_RDONLY | O_CLOEXEC);
    char *all = malloc(model_size + 1);
    size_t size = 0;
    ssize_t n;

    *ret_gap_end = 0;
    for (uint64_t offset = 0, at = 0;; offset = at += (uint64_t)n) {
        n = gap_file_read(fd, &at, all + size, 10007);
        MUST(n >= 0);
        if (at != offset) {
            MUST(*ret_gap_end == 0);
            *ret_gap_end = at;
        }
        if (n == 0)
            break;
        size += (size_t)n;
    }
    *ret_size = size;
    return all;
}

/* Head, mark and tail are what they must be, to the byte. */
static void expect_kept(const LogFile *f, uint64_t max, const char *max_text) {
    size_t head = max / 2 / BLOCK * BLOCK - LOG_MARK_SIZE, size;
    uint64_t end;
    char mark[LOG_MARK_SIZE + 1];
    _cleanup_free_ char *kept = read_kept(&size, &end);

    MUST(f->size == model_size);
    MUST(f->kept == size);
    MUST(disk_size("42.log") <= max + BLOCK);
    MUST(disk_size("42.idx") <= BLOCK);
    if (model_size <= max) {
        MUST(end == 0 && f->dropped == 0 && size == model_size);
        MUST(memcmp(kept, model, size) == 0);
        return;
    }
    MUST(end > head && end < model_size);
    /* Readers count on it that a gap is not small. */
    MUST(end - head - LOG_MARK_SIZE + BLOCK >= model_size / 9);
    ck_assert_uint_eq(f->dropped, end - head);
    int n = snprintf(mark, sizeof(mark), "\n[longrun] %d bytes are left out here (log-max %s)",
                     (int)(end - head), max_text);
    snprintf(mark + n, sizeof(mark) - (size_t)n, "%*s\n", LOG_MARK_SIZE - n - 1, "");
    MUST(size == head + LOG_MARK_SIZE + (model_size - end));
    MUST(memcmp(kept, model, head) == 0);
    MUST(memcmp(kept + head, mark, LOG_MARK_SIZE) == 0);
    MUST(memcmp(kept + head + LOG_MARK_SIZE, model + end, model_size - end) == 0);
    /* At least a quarter of it is the end. */
    MUST(model_size - end >= max / 4);
}

static const struct {
    uint64_t max;
    const char *text;
    uint64_t kept; /* what it is rounded up to */
} maxima[] = {
    {1, "1B", MAX_MIN},
    {10, "10B", MAX_MIN},
    {4096, "4.0K", MAX_MIN},
    {MAX_MIN - 1, "32.0K", MAX_MIN},
    {MAX_MIN, "32.0K", MAX_MIN},
    {MAX_MIN + 1, "32.0K", MAX_MIN + 1},
    {40000, "39.1K", 40000},
    {9 * BLOCK, "36.0K", 9 * BLOCK},
    {64 * KIB, "64.0K", 64 * KIB},
    {100001, "97.7K", 100001},
    {MIB, "1.0M", MIB},
};

/* Sizes of a log at and around whatever edge there is, written in one go and on top of that. */
START_TEST(test_edges) {
    uint64_t max = maxima[_i].kept, head = max / 2 / BLOCK * BLOCK;
    const uint64_t edges[] = {1,
                              BLOCK,
                              head - LOG_MARK_SIZE,
                              head,
                              head + BLOCK,
                              max - BLOCK,
                              max,
                              max + (max - head) / 4,
                              max + BLOCK,
                              2 * max,
                              5 * max + 12345};

    for (size_t i = 0; i < ELEMENTSOF(edges); i++)
        for (int64_t by = -1; by <= 1; by++) {
            LogFile f;
            log_file_init(&f, unit_dir, ID, maxima[_i].max);
            put(&f, edges[i] + (uint64_t)by);
            if (model_size > 0)
                expect_kept(&f, max, maxima[_i].text);
            put(&f, 1);
            expect_kept(&f, max, maxima[_i].text);
            log_file_done(&f);
            expect_kept(&f, max, maxima[_i].text);
            MUST(unlink(unit_path("42.log")) == 0 && unlink(unit_path("42.idx")) == 0);
            model_size = 0;
        }
}
END_TEST

/* Writes of all sizes, looked at again and again. Twenty logs, each another one. */
START_TEST(test_random) {
    unsigned seed = (unsigned)_i + 1;
    size_t which = (size_t)_i % ELEMENTSOF(maxima);
    uint64_t max = maxima[which].kept;
    LogFile f;

    log_file_init(&f, unit_dir, ID, maxima[which].max);
    for (int i = 0; i < 300; i++) {
        /* From a byte to more than all. */
        size_t limit = (size_t)1 << rand_r(&seed) % 16;
        put(&f, (size_t)rand_r(&seed) % limit + 1);
        if (i % 20 == 0)
            put(&f, (size_t)rand_r(&seed) % (size_t)MIN(3 * max, 300 * KIB));
        MUST(disk_size("42.log") <= max + BLOCK);
        if (i % 10 == 0)
            expect_kept(&f, max, maxima[which].text);
    }
    log_file_done(&f);
    expect_kept(&f, max, maxima[which].text);
}
END_TEST

/* Each attempt at a task goes on with the log, and finds the gap that is there. */
START_TEST(test_attempts) {
    uint64_t dropped = 0;

    for (int i = 0; i < 50; i++) {
        LogFile f;
        log_file_init(&f, unit_dir, ID, 64 * KIB);
        put(&f, 100 + (size_t)i * 317);
        f.dropped += dropped;
        expect_kept(&f, 64 * KIB, "64.0K");
        dropped = f.dropped;
        log_file_done(&f);
    }
    ck_assert_uint_gt(dropped, 128 * KIB);
}
END_TEST

/* A writer that was killed between the hole and the mark. */
START_TEST(test_mark_is_missing) {
    LogFile f;

    log_file_init(&f, unit_dir, ID, 64 * KIB);
    put(&f, 100000);
    uint64_t dropped = f.dropped;
    log_file_done(&f);
    int fd = open(unit_path("42.log"), O_WRONLY | O_CLOEXEC);
    MUST(pwrite(fd, model + 32 * KIB - LOG_MARK_SIZE, LOG_MARK_SIZE, 32 * KIB - LOG_MARK_SIZE) ==
         LOG_MARK_SIZE);
    close(fd);
    log_file_init(&f, unit_dir, ID, 64 * KIB);
    put(&f, 1);
    f.dropped += dropped;
    expect_kept(&f, 64 * KIB, "64.0K");
    log_file_done(&f);
}
END_TEST

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
    ck_assert_uint_le(disk_size("42.idx"), MIB / 8 + BLOCK);
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

/* ---- a reader beside the writer ---- */

/* Each word of the log is its own offset. */
static void write_words(void) {
    static uint64_t words[4096];
    unsigned seed = 1;
    LogFile f;

    log_file_init(&f, unit_dir, ID, 64 * KIB);
    while (f.size < 256 * MIB && f.error == 0) {
        size_t n = (size_t)rand_r(&seed) % ELEMENTSOF(words) + 1;
        for (size_t i = 0; i < n; i++)
            words[i] = f.size + i * sizeof(uint64_t);
        log_file_append(&f, LOG_STREAM_STDOUT, START, words, n * sizeof(uint64_t));
    }
    int error = f.error;
    log_file_done(&f);
    _exit(error == 0 ? 0 : 1);
}

static void check_words(const uint64_t *words, size_t n, uint64_t offset) {
    for (size_t i = 0; i < n; i++) {
        uint64_t at = offset + i * sizeof(uint64_t);
        MUST(words[i] == at || (at >= 32 * KIB - LOG_MARK_SIZE && at < 32 * KIB));
    }
}

/* From 0, and from anywhere, also in the middle of the gap while it grows: no NUL is ever seen. */
START_TEST(test_race) {
    static uint64_t words[4096];
    unsigned seed = 1;
    uint64_t offset = 0, jumps = 0;
    int status;

    unit_write("42.log", "", 0);
    pid_t pid = fork();
    MUST(pid >= 0);
    if (pid == 0)
        write_words();
    _cleanup_close_ int fd = open(unit_path("42.log"), O_RDONLY | O_CLOEXEC);
    while (waitpid(pid, &status, WNOHANG) == 0) {
        uint64_t at = offset;
        ssize_t n = gap_file_read(fd, &at, words, sizeof(words));
        MUST(n >= 0);
        check_words(words, (size_t)n / sizeof(uint64_t), at);
        jumps += at != offset;
        offset = at + (uint64_t)n / 8 * 8;
        if (n == 0)
            offset = offset / 8 * (uint64_t)(rand_r(&seed) % 1000) / 1000 * 8;
    }
    ck_assert_int_eq(status, 0);
    ck_assert_uint_gt(jumps, 10);
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
    tcase_add_loop_test(t, test_edges, 0, ELEMENTSOF(maxima));
    tcase_add_loop_test(t, test_random, 0, 20);
    tcase_add_test(t, test_attempts);
    tcase_add_test(t, test_mark_is_missing);
    tcase_add_test(t, test_nothing_kept);
    tcase_add_test(t, test_no_limit);
    tcase_add_test(t, test_index_cap);
    tcase_add_test(t, test_index_of_dots);
    tcase_add_test(t, test_index_trimmed);
    tcase_add_test(t, test_race);
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
