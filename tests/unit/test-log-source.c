/* Reading a log by its streams, its last lines and its times: with and without a gap, and while it
 * grows. */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "client-cli/log-range.h"
#include "client-cli/log-source.h"
#include "common/cleanup.h"
#include "tests/unit/unit.h"

#define ID 42
#define START UINT64_C(1700000000000000)
#define MOST (8 * MIB)
#define BIT(stream) LOG_STREAM_BIT(LOG_STREAM_##stream)

/* What was ever appended, and whose each byte is. */
static char *bytes;
static unsigned char *streams;
static size_t written;
static LogFile file;

static void begin(uint64_t max) {
    bytes = malloc(MOST);
    streams = malloc(MOST);
    MUST(bytes && streams);
    written = 0;
    log_file_init(&file, unit_dir, ID, max);
}

static void append(LogStream stream, uint64_t time_usec, const char *data, size_t size) {
    MUST(written + size <= MOST);
    memcpy(bytes + written, data, size);
    memset(streams + written, stream, size);
    written += size;
    log_file_append(&file, stream, time_usec, data, size);
    MUST(file.error == 0);
}

static void end(void) {
    log_file_done(&file);
    free(bytes);
    free(streams);
}

static LogSource open_source(bool with_index, unsigned wanted) {
    LogSource s = LOG_SOURCE_NONE;

    s.log_fd = open(unit_path("42.log"), O_RDONLY | O_CLOEXEC);
    MUST(s.log_fd >= 0);
    if (with_index) {
        s.index_fd = open(unit_path("42.idx"), O_RDONLY | O_CLOEXEC);
        MUST(s.index_fd >= 0);
    }
    s.streams = wanted;
    return s;
}

/* All that the source gives by now, NUL-terminated. */
static char *read_all(LogSource *s, size_t *ret_size, uint64_t *ret_left_out) {
    char *all = malloc(MOST + 1);
    LogPiece p;
    int r;

    *ret_size = 0;
    *ret_left_out = 0;
    while ((r = log_source_read(s, &p)) > 0) {
        MUST(*ret_size + p.size <= MOST);
        memcpy(all + *ret_size, p.data, p.size);
        *ret_size += p.size;
        *ret_left_out += p.left_out;
    }
    MUST(r == 0);
    all[*ret_size] = '\0';
    return all;
}

/* Runs of both streams, of lines that are numbered and end anywhere in them. */
static void fill(size_t size, size_t max_run, unsigned seed) {
    char run[4096];

    for (size_t i = 0; written < size; i++) {
        size_t n = (size_t)rand_r(&seed) % max_run + 1;
        for (size_t k = 0; k < n; k++)
            run[k] = rand_r(&seed) % 20 == 0 ? '\n' : (char)('a' + (written + k) % 26);
        append(i % 2 == 0 ? LOG_STREAM_STDOUT : LOG_STREAM_STDERR, START + i * 20000, run, n);
    }
}

/* ---- streams ---- */

static const struct {
    size_t size, run;
    uint64_t max;
} logs[] = {
    {1, 1, MIB},
    {5000, 10, MIB},
    {400000, 100, MIB},
    {3000000, 4000, 8 * MIB},
    {400000, 200, 64 * KIB},
    {2000000, 1000, 256 * KIB},
    {100000, 3, 32 * KIB},
};

/* Of a stream, each byte that is not left out, and none of the other; both are all. */
START_TEST(test_streams) {
    begin(logs[_i].max);
    fill(logs[_i].size, logs[_i].run, 1);
    for (unsigned both = 0; both < 3; both++) {
        unsigned wanted = both == 0 ? BIT(STDOUT) : both == 1 ? BIT(STDERR) : LOG_STREAMS_ALL;
        LogSource s = open_source(true, wanted);
        size_t seen = 0, marks = 0, unknown = 0;
        uint64_t left_out = 0;
        LogPiece p;
        while (log_source_read(&s, &p) > 0) {
            left_out += p.left_out;
            MUST(wanted & BIT(LONGRUN) || p.stream != LOG_STREAM_LONGRUN);
            MUST(p.size > 0 && p.offset + p.size <= written);
            if (p.stream == LOG_STREAM_LONGRUN) {
                MUST(p.size == LOG_MARK_SIZE && p.data[0] == '\n' && p.data[p.size - 1] == '\n');
                marks++;
                continue;
            }
            MUST(memcmp(p.data, bytes + p.offset, p.size) == 0);
            if (p.stream == LOG_STREAM_UNKNOWN) {
                unknown += p.size;
                continue;
            }
            MUST(p.time_usec >= START);
            for (size_t i = 0; i < p.size; i++)
                MUST(streams[p.offset + i] == p.stream);
            seen += p.size;
        }
        bool has_gap = file.log.end > file.log.begin;
        if (both == 2) {
            ck_assert_uint_eq(marks, has_gap);
            ck_assert_uint_eq(seen + unknown + marks * LOG_MARK_SIZE, file.kept);
            ck_assert_uint_eq(left_out, has_gap ? file.log.end - file.log.begin : 0);
        } else if (!has_gap && file.index.end == file.index.begin) {
            size_t theirs = 0;
            for (size_t i = 0; i < written; i++)
                theirs += streams[i] == (both == 0 ? LOG_STREAM_STDOUT : LOG_STREAM_STDERR);
            ck_assert_uint_eq(seen, theirs);
        }
        log_source_done(&s);
    }
    end();
}
END_TEST

/* Without an index all is there, of unknown stream; up to an end as well. */
START_TEST(test_plain) {
    size_t size;
    uint64_t left_out;

    begin(8 * MIB);
    fill(500000, 300, 2);
    LogSource s = open_source(false, LOG_STREAMS_ALL);
    s.offset = 1000;
    s.end = 300000;
    _cleanup_free_ char *all = read_all(&s, &size, &left_out);
    ck_assert_uint_eq(size, 299000);
    ck_assert_uint_eq(left_out, 0);
    ck_assert_int_eq(memcmp(all, bytes + 1000, size), 0);
    log_source_done(&s);
    end();
}
END_TEST

/* A part that lies in the gap, wholly or not: nothing from behind its end. */
START_TEST(test_part_in_gap) {
    size_t size;
    uint64_t left_out;

    begin(64 * KIB);
    fill(1000000, 100, 3);
    uint64_t gap = file.log.begin, gap_end = file.log.end;
    const struct {
        uint64_t from, to;
        size_t size;
        uint64_t left_out;
    } parts[] = {
        {gap + 1000, gap + 5000, 0, 4000}, {gap + 1000, gap_end + 10, 10, gap_end - gap - 1000},
        {gap - 200, gap + 10, 200, 10},    {gap - 200, gap, 200, 0},
        {gap_end, gap_end + 10, 10, 0},
    };
    for (size_t i = 0; i < ELEMENTSOF(parts); i++)
        for (int with_index = 0; with_index < 2; with_index++) {
            LogSource s = open_source(with_index, LOG_STREAMS_ALL);
            s.offset = parts[i].from;
            s.end = parts[i].to;
            free(read_all(&s, &size, &left_out));
            ck_assert_uint_eq(size, parts[i].size);
            ck_assert_uint_eq(left_out, parts[i].left_out);
            log_source_done(&s);
        }
    end();
}
END_TEST

/* One that follows closely has each byte under its stream, although the log keeps few of them. */
START_TEST(test_follow) {
    size_t seen = 0;
    LogPiece p;

    begin(64 * KIB);
    fill(1, 1, 4);
    LogSource s = open_source(true, LOG_STREAMS_ALL);
    while (written < 1000000) {
        fill(written + 1, 3000, (unsigned)written);
        while (log_source_read(&s, &p) > 0) {
            MUST(p.left_out == 0 && p.offset == seen);
            MUST(memcmp(p.data, bytes + p.offset, p.size) == 0);
            for (size_t i = 0; i < p.size; i++)
                MUST(streams[p.offset + i] == p.stream);
            seen += p.size;
        }
        MUST(seen == written);
    }
    log_source_done(&s);
    end();
}
END_TEST

/* What is of the other stream alone is not read, but the line at the gap is not passed over. */
START_TEST(test_pass_over) {
    _cleanup_free_ char *run = malloc(MIB);
    size_t seen = 0, marks = 0;
    LogPiece p;

    begin(2 * MIB);
    memset(run, 'x', MIB);
    for (uint64_t i = 0; i < 5; i++) {
        append(LOG_STREAM_STDOUT, START + i * USEC_PER_SEC, "out\n", 4);
        append(LOG_STREAM_STDERR, START + i * USEC_PER_SEC, run, MIB);
    }
    append(LOG_STREAM_STDOUT, START + 5 * USEC_PER_SEC, "out\n", 4);
    LogSource s = open_source(true, BIT(STDOUT) | BIT(LONGRUN));
    while (log_source_read(&s, &p) > 0)
        if (p.stream == LOG_STREAM_LONGRUN)
            marks += p.size;
        else {
            MUST(memcmp(p.data, "out\n", p.size) == 0);
            seen++;
        }
    ck_assert_uint_eq(marks, LOG_MARK_SIZE);
    ck_assert_uint_ge(seen, 2);
    log_source_done(&s);
    end();
}
END_TEST

/* What no writer of ours has made. */
START_TEST(test_bad_index) {
    static const LogIndexEntry entries[] = {{START, 0 << 8 | 1},
                                            {START, 2 << 8 | 200},
                                            {START, 5 << 8 | 2},
                                            {START, 4 << 8 | 1},
                                            {START, 100 << 8 | 1}};
    LogPiece p;
    size_t size = 0;

    unit_write("42.log", "0123456789", 10);
    unit_write("42.idx", entries, sizeof(entries));
    LogSource s = open_source(true, LOG_STREAMS_ALL);
    while (log_source_read(&s, &p) > 0) {
        ck_assert_int_le(p.stream, LOG_STREAM_LONGRUN);
        size += p.size;
    }
    ck_assert_uint_eq(size, 10);
    log_source_done(&s);
}
END_TEST

/* ---- last lines ---- */

static const struct {
    const char *text; /* "o" and "e" in front of each run say of which stream it is; | ends it */
    unsigned wanted;
    uint64_t n;
    const char *expected;
} tails[] = {
    {"oone\ntwo\nthree\n", LOG_STREAMS_ALL, 0, ""},
    {"oone\ntwo\nthree\n", LOG_STREAMS_ALL, 1, "three\n"},
    {"oone\ntwo\nthree\n", LOG_STREAMS_ALL, 2, "two\nthree\n"},
    {"oone\ntwo\nthree\n", LOG_STREAMS_ALL, 3, "one\ntwo\nthree\n"},
    {"oone\ntwo\nthree\n", LOG_STREAMS_ALL, 4, "one\ntwo\nthree\n"},
    {"oone\ntwo\nthree\n", LOG_STREAMS_ALL, UINT64_MAX, "one\ntwo\nthree\n"},
    {"oone\ntwo\nthr", LOG_STREAMS_ALL, 1, "thr"},
    {"oone\ntwo\nthr", LOG_STREAMS_ALL, 2, "two\nthr"},
    {"oone\n\n\n", LOG_STREAMS_ALL, 2, "\n\n"},
    {"o\n", LOG_STREAMS_ALL, 1, "\n"},
    {"oone|etwo\n|othree\n", LOG_STREAMS_ALL, 1, "three\n"},
    {"oone\n|etwo\n|othree\n|efour\n", BIT(STDOUT), 1, "three\n"},
    {"oone\n|etwo\n|othree\n|efour\n", BIT(STDOUT), 2, "one\nthree\n"},
    {"oone\n|etwo\n|othree\n|efour\n", BIT(STDERR), 1, "four\n"},
    {"oone\n|etwo\n|othree\n|efo", BIT(STDOUT), 1, "three\n"},
    {"oone\n|etwo\n|othr|efour\n", BIT(STDOUT), 1, "thr"},
    {"eone\n|etwo\n", BIT(STDOUT), 3, ""},
};

/* What else is shown lies behind the first line that is wanted. */
static const struct {
    const char *text;
    uint64_t n;
    const char *expected;
} begins[] = {
    {"eone\n|l\nfailed\n|otwo\n|ethree\n", 1, "three\n"},
    {"eone\n|l\nfailed\n|ethree\n|l\nagain\n|ofour\n", 1, "three\n\nagain\n"},
    {"eone\n|l\nfailed\n|otwo\n|ethree\n", 2, "one\n\nfailed\nthree\n"},
    {"oone\n|l\nfailed\n|ethree", 1, "three"},
    {"oone\n|l\nfailed\n|ethree\n|efour\n", 2, "three\nfour\n"},
    {"oone\n|l\nfailed\n|ethree\n|efour\n", 3, "\nfailed\nthree\nfour\n"},
    {"oone\n|l\nfailed\n", 1, "\nfailed\n"},
};

static void append_parts(const char *text) {
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, "|");
        append(p[0] == 'o'   ? LOG_STREAM_STDOUT
               : p[0] == 'e' ? LOG_STREAM_STDERR
                             : LOG_STREAM_LONGRUN,
               START + written, p + 1, n - 1);
        p += n + (p[n] == '|');
    }
}

START_TEST(test_tails) {
    uint64_t left_out;
    size_t size;

    begin(MIB);
    append_parts(tails[_i].text);
    LogSource s = open_source(true, tails[_i].wanted);
    ck_assert_int_eq(log_range_last_lines(&s, tails[_i].n), 0);
    _cleanup_free_ char *all = read_all(&s, &size, &left_out);
    ck_assert_str_eq(all, tails[_i].expected);
    log_source_done(&s);
    end();
}
END_TEST

START_TEST(test_begins) {
    uint64_t left_out;
    size_t size;

    begin(MIB);
    append_parts(begins[_i].text);
    LogSource s = open_source(true, BIT(STDERR));
    ck_assert_int_eq(log_range_last_lines(&s, begins[_i].n), 0);
    s.streams |= BIT(LONGRUN);
    _cleanup_free_ char *all = read_all(&s, &size, &left_out);
    ck_assert_str_eq(all, begins[_i].expected);
    log_source_done(&s);
    end();
}
END_TEST

/* Lines in the model that begin at the offset or behind it. */
static uint64_t lines_from(size_t offset) {
    uint64_t n = 0;

    for (size_t i = offset; i < written; i++)
        n += bytes[i] == '\n';
    return n + (written > offset && bytes[written - 1] != '\n');
}

/* Long logs, also with a gap, up to where all that is there is less. */
START_TEST(test_long_tails) {
    static const uint64_t counts[] = {1, 2, 100, 5000, 10000, 1000000};

    begin(logs[_i].max);
    fill(logs[_i].size, logs[_i].run, 5);
    for (size_t i = 0; i < ELEMENTSOF(counts); i++) {
        LogSource s = open_source(i % 2 == 0, LOG_STREAMS_ALL);
        ck_assert_int_eq(log_range_last_lines(&s, counts[i]), 0);
        bool has_gap = file.log.end > file.log.begin;
        if (s.offset >= (has_gap ? file.log.end : 1)) {
            ck_assert_uint_eq(lines_from(s.offset), counts[i]);
            MUST(bytes[s.offset - 1] == '\n');
        } else if (has_gap)
            ck_assert_uint_lt(lines_from(file.log.end), counts[i]);
        else
            ck_assert_uint_le(lines_from(0), counts[i]);
        log_source_done(&s);
    }
    end();
}
END_TEST

/* Blocks that end where lines do. */
START_TEST(test_tail_of_blocks) {
    begin(8 * MIB);
    for (int i = 0; i < 100000; i++)
        append(LOG_STREAM_STDOUT, START, "0123456789abcde\n", 16);
    for (uint64_t n = 1; n <= 100000; n = n * 3 + 1) {
        LogSource s = open_source(false, LOG_STREAMS_ALL);
        ck_assert_int_eq(log_range_last_lines(&s, n), 0);
        ck_assert_uint_eq(s.offset, written - 16 * n);
        log_source_done(&s);
    }
    end();
}
END_TEST

/* Within bounds, as those of an attempt. */
START_TEST(test_tail_of_part) {
    uint64_t left_out;
    size_t size;

    begin(MIB);
    append(LOG_STREAM_STDOUT, START, "a\nb\nc\nd\ne\n", 10);
    LogSource s = open_source(false, LOG_STREAMS_ALL);
    s.offset = 2;
    s.end = 8;
    ck_assert_int_eq(log_range_last_lines(&s, 2), 0);
    _cleanup_free_ char *two = read_all(&s, &size, &left_out);
    ck_assert_str_eq(two, "c\nd\n");
    log_source_done(&s);
    s = open_source(false, LOG_STREAMS_ALL);
    s.offset = 2;
    s.end = 8;
    ck_assert_int_eq(log_range_last_lines(&s, 9), 0);
    ck_assert_uint_eq(s.offset, 2);
    log_source_done(&s);
    end();
}
END_TEST

/* ---- by time ---- */

static uint64_t since(uint64_t time_usec, uint64_t *ret_unknown) {
    LogSource s = open_source(true, LOG_STREAMS_ALL);

    ck_assert_int_eq(log_range_since(&s, time_usec, ret_unknown), 0);
    log_source_done(&s);
    return s.offset;
}

START_TEST(test_since) {
    uint64_t unknown;

    begin(MIB);
    for (int i = 0; i < 1000; i++)
        append(LOG_STREAM_STDOUT, START + (uint64_t)i * USEC_PER_SEC, "0123456789", 10);
    for (uint64_t i = 0; i < 1000; i += 37) {
        ck_assert_uint_eq(since(START + i * USEC_PER_SEC, &unknown), i * 10);
        ck_assert_uint_eq(unknown, 0);
        ck_assert_uint_eq(since(START + i * USEC_PER_SEC + 1, &unknown), (i + 1) * 10);
    }
    ck_assert_uint_eq(since(0, &unknown), 0);
    ck_assert_uint_eq(since(START + 5000 * USEC_PER_SEC, &unknown), written);
    end();
}
END_TEST

/* Of an index with a gap: what is not known to be older is given, and how much of it. */
START_TEST(test_since_in_gap) {
    uint64_t unknown, first_unknown = UINT64_MAX;

    begin(256 * KIB);
    for (uint64_t i = 0; i < 20000; i++)
        append(i % 2 ? LOG_STREAM_STDOUT : LOG_STREAM_STDERR, START + i * USEC_PER_SEC, "xxxx\n",
               5);
    ck_assert_uint_gt(file.index.end, file.index.begin);
    for (uint64_t i = 0; i < 20000; i += 13) {
        uint64_t offset = since(START + i * USEC_PER_SEC, &unknown);
        ck_assert_uint_le(offset, i * 5);
        ck_assert_uint_ge(offset + unknown, i * 5);
        if (unknown > 0 && first_unknown == UINT64_MAX)
            first_unknown = offset;
        if (unknown > 0)
            ck_assert_uint_eq(offset, first_unknown);
        else
            ck_assert_uint_eq(offset, i * 5);
    }
    ck_assert_uint_lt(first_unknown, UINT64_MAX);
    end();
}
END_TEST

START_TEST(test_since_of_nothing) {
    uint64_t unknown;

    unit_write("42.log", "", 0);
    unit_write("42.idx", "", 0);
    ck_assert_uint_eq(since(START, &unknown), 0);
    ck_assert_uint_eq(unknown, 0);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("log-source");
    TCase *t = tcase_create("log-source");

    unit_use_dir(t);
    tcase_add_loop_test(t, test_streams, 0, ELEMENTSOF(logs));
    tcase_add_test(t, test_plain);
    tcase_add_test(t, test_part_in_gap);
    tcase_add_test(t, test_follow);
    tcase_add_test(t, test_pass_over);
    tcase_add_test(t, test_bad_index);
    tcase_add_loop_test(t, test_tails, 0, ELEMENTSOF(tails));
    tcase_add_loop_test(t, test_begins, 0, ELEMENTSOF(begins));
    tcase_add_loop_test(t, test_long_tails, 0, ELEMENTSOF(logs));
    tcase_add_test(t, test_tail_of_blocks);
    tcase_add_test(t, test_tail_of_part);
    tcase_add_test(t, test_since);
    tcase_add_test(t, test_since_in_gap);
    tcase_add_test(t, test_since_of_nothing);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
