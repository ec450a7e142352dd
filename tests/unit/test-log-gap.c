/* A log above its cap: head, mark and tail are what they must be, to the byte, for readers that
 * come later and for one that reads while the gap is made. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log-file.h"
#include "tests/unit/unit.h"

#define START UINT64_C(1700000000000000)
#define ID 42

#define BLOCK (4 * KIB)
/* What a file system needs for itself. */
#define SLACK (4 * BLOCK)
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
    MUST(disk_size("42.log") <= max + SLACK);
    MUST(disk_size("42.idx") <= SLACK);
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
        MUST(disk_size("42.log") <= max + SLACK);
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

static Suite *suite_new(void) {
    Suite *s = suite_create("log-gap");
    TCase *t = tcase_create("log-gap");

    unit_use_dir(t);
    tcase_add_loop_test(t, test_edges, 0, ELEMENTSOF(maxima));
    tcase_add_loop_test(t, test_random, 0, 20);
    tcase_add_test(t, test_attempts);
    tcase_add_test(t, test_mark_is_missing);
    tcase_add_test(t, test_race);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
