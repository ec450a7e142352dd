/* Which stream a byte of a log is of: step by step, after jumps, and with entries left out. */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/log-index.h"
#include "tests/unit/unit.h"

#define ID 42
#define START UINT64_C(1700000000000000)
#define MOST 200000

static unsigned char streams[MOST]; /* of each byte */
static LogFile file;
static size_t written;

static void put(LogStream stream, size_t size) {
    static const char xs[64] = {[0 ... 63] = 'x'};

    memset(streams + written, stream, size);
    log_file_append(&file, stream, START + written, xs, size);
    written += size;
    MUST(file.error == 0 && file.size == written);
}

/* Runs of both streams, of 1 to max bytes. */
static void fill(size_t size, size_t max, unsigned seed) {
    for (size_t i = 0; written < size; i++)
        put(i % 2 == 0 ? LOG_STREAM_STDOUT : LOG_STREAM_STDERR,
            MIN(size - written, (size_t)rand_r(&seed) % max + 1));
}

/* Gives the bytes up to size whose stream is known; these are right. */
static size_t walk(LogIndex *index, int fd, uint64_t from, uint64_t size) {
    size_t known = 0;

    for (uint64_t offset = from; offset < size;) {
        uint64_t end = MIN(log_index_seek(index, fd, offset), size);
        LogStream stream = log_index_entry_stream(&index->run);
        MUST(end > offset);
        if (stream != LOG_STREAM_UNKNOWN) {
            known += end - offset;
            MUST(index->run.time_usec >= START && index->run.time_usec <= START + offset);
            for (uint64_t i = offset; i < end; i++)
                MUST(streams[i] == stream);
        }
        offset = end;
    }
    return known;
}

static int open_index(void) {
    int fd = open(unit_path("42.idx"), O_RDONLY | O_CLOEXEC);

    MUST(fd >= 0);
    return fd;
}

static const struct {
    size_t size, run;
    uint64_t max;
    size_t known; /* at least */
} logs[] = {
    {1, 1, MIB, 1},         {1000, 1, MIB, 1000},        {8192, 1, MIB, 8192},
    {8193, 1, MIB, 7000},   {100000, 1, MIB, 7000},      {200000, 50, MIB, 200000},
    {200000, 3, MIB, 8000}, {20000, 1, 256 * KIB, 1500}, /* 32K of index */
};

/* From the beginning, and from anywhere, with a reader of its own each time. */
START_TEST(test_all) {
    log_file_init(&file, unit_dir, ID, logs[_i].max);
    fill(logs[_i].size, logs[_i].run, 1);
    _cleanup_close_ int fd = open_index();
    LogIndex index = {};
    size_t known = walk(&index, fd, 0, written);
    ck_assert_uint_ge(known, logs[_i].known);
    size_t newest = MIN(written, (size_t)700);
    index = (LogIndex){};
    ck_assert_uint_eq(walk(&index, fd, written - newest, written), newest);
    unsigned seed = 7;
    for (int i = 0; i < 100; i++) {
        uint64_t from = (uint64_t)rand_r(&seed) % written;
        index = (LogIndex){};
        walk(&index, fd, from, MIN(from + 100, (uint64_t)written));
    }
    log_file_done(&file);
}
END_TEST

/* One reader that follows, now close behind, now overtaken by the writer that leaves out entries.
 */
START_TEST(test_follow) {
    unsigned seed = 3;
    LogIndex index = {};
    uint64_t offset = 0;

    log_file_init(&file, unit_dir, ID, 256 * KIB);
    put(LOG_STREAM_STDOUT, 1);
    _cleanup_close_ int fd = open_index();
    while (written < MOST - 8000) {
        bool far = rand_r(&seed) % 10 == 0;
        size_t before = written;
        fill(written + (size_t)rand_r(&seed) % (far ? 8000 : 300) + 1, 3, seed);
        if (written - offset > 2000 && rand_r(&seed) % 2 == 0)
            offset = written - (size_t)rand_r(&seed) % 500;
        size_t known = walk(&index, fd, offset, written);
        if (!far && offset == before)
            ck_assert_uint_eq(known, written - offset);
        offset = written;
    }
    log_file_done(&file);
}
END_TEST

/* NULs that no gap explains. */
START_TEST(test_nuls) {
    static const LogIndexEntry entries[] = {
        {START, 0 << 8 | 1}, {0, 0}, {0, 0}, {START, 9 << 8 | 2}, {0, 0}};
    LogIndex index = {};

    unit_write("42.idx", entries, sizeof(entries));
    _cleanup_close_ int fd = open_index();
    /* It comes to an end, and does not make up a stream. */
    ck_assert_uint_gt(log_index_seek(&index, fd, 5), 5);
    ck_assert_int_ne(log_index_entry_stream(&index.run), LOG_STREAM_STDERR);
    ck_assert_uint_eq(log_index_seek(&index, fd, 1000), UINT64_MAX);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("log-index");
    TCase *t = tcase_create("log-index");

    unit_use_dir(t);
    tcase_add_loop_test(t, test_all, 0, ELEMENTSOF(logs));
    tcase_add_test(t, test_follow);
    tcase_add_test(t, test_nuls);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
