/* New lines of a log: what is cut out of mixed streams, wherever a reader comes by, and what of a
 * burst. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "daemon/logs/log-tail.h"
#include "tests/unit/unit.h"

#define ID 42
#define START UINT64_C(1700000000000000)

static LogFile file;
static LogTail *tail;
static uint64_t now = START;

static void setup(void) {
    log_file_init(&file, unit_dir, ID, GIB);
    tail = log_tail_new(unit_dir, ID);
    MUST(tail);
}

static void teardown(void) {
    log_file_done(&file);
    tail = log_tail_free(tail);
}

/* Each a moment after the one before. */
static void put(LogStream stream, const void *data, size_t size) {
    now += USEC_PER_SEC;
    log_file_append(&file, stream, now, data, size);
    MUST(file.error == 0);
}

static void read_tail(bool final, LogLines *ret) {
    MUST(log_tail_read(tail, file.size, final, ret) == 0);
}

/* The lines as one text, "OFFSET@o:first|e:second"; "" for none. */
static void expect(bool final, const char *text) {
    _cleanup_(log_lines_done) LogLines lines = {};
    _cleanup_free_ char *all = NULL;
    size_t size;

    read_tail(final, &lines);
    FILE *f = open_memstream(&all, &size);
    if (lines.count > 0)
        fprintf(f, "%d@", (int)lines.offset);
    for (size_t i = 0; i < lines.count; i++)
        fprintf(f, "%s%c:%s", i > 0 ? "|" : "", "?oel"[lines.lines[i].stream], lines.lines[i].text);
    fclose(f);
    ck_assert_str_eq(all, text);
}

/* ---- scripts ---- */

typedef struct Step {
    char what; /* o, e, l: written to that stream; r: read; f: the final read */
    const char *text;
} Step;

static const Step scripts[][10] = {
    {{'r', ""}, {'f', ""}},
    {{'o', "one\ntwo\n"}, {'r', "0@o:one|o:two"}, {'r', ""}, {'f', ""}},
    {{'o', "a"}, {'r', ""}, {'o', "b"}, {'r', ""}, {'o', "c\nd"}, {'r', "0@o:abc"}, {'f', "4@o:d"}},
    {{'o', "no end"}, {'f', "0@o:no end"}, {'f', ""}},
    {{'l', "note\n"}, {'o', "x\n"}, {'r', "0@l:note|o:x"}},

    /* Two streams, mixed in the middle of their lines. */
    {{'o', "ab"}, {'e', "XY"}, {'o', "c\n"}, {'e', "Z\n"}, {'r', "0@o:abc|e:XYZ"}},
    {{'o', "ab"}, {'e', "XY\n"}, {'r', "2@e:XY"}, {'o', "c\n"}, {'r', "0@o:abc"}},
    {{'o', "ab"}, {'e', "XY"}, {'r', ""}, {'e', "\n"}, {'f', "0@e:XY|o:ab"}},
    {{'e', "E"}, {'o', "O"}, {'f', "0@o:O|e:E"}},

    /* Ends of lines. */
    {{'o', "10%\r20%\r"}, {'r', "0@o:10%|o:20%"}},
    {{'o', "a\r\nb\r\n"}, {'r', "0@o:a|o:b"}, {'f', ""}},
    {{'o', "a\r"}, {'r', "0@o:a"}, {'o', "\nb\n"}, {'r', "3@o:b"}},
    {{'o', "a"}, {'r', ""}, {'o', "\r"}, {'r', "0@o:a"}, {'o', "\n"}, {'f', ""}},
    {{'o', "a\r"}, {'e', "\n"}, {'o', "\nb\n"}, {'r', "0@o:a|e:|o:b"}},
    {{'o', "a\n\rb\n"}, {'r', "0@o:a|o:b"}},
    {{'o', "50%\r\r\r\n"}, {'r', "0@o:50%"}}, /* as a terminal makes it out of \r\n */
    {{'o', "\r\r"}, {'r', ""}, {'f', ""}},

    /* Empty lines. */
    {{'o', "\n"}, {'r', "0@o:"}},
    {{'o', "\n\na\n\n"}, {'r', "0@o:|o:|o:a|o:"}},
    {{'o', "a\n"}, {'r', "0@o:a"}, {'o', "\n"}, {'r', "2@o:"}},
    {{'o', "a\r\n\r\nb\r\n"}, {'r', "0@o:a|o:|o:b"}},
    {{'o', "\r\n"}, {'r', "1@o:"}},
    {{'o', "a\r\n"}, {'r', "0@o:a"}, {'o', "\r"}, {'r', ""}, {'o', "\n"}, {'r', "4@o:"}},

    /* What a bus cannot carry. */
    {{'o', "\x1b[32mok\x1b[0m\n"}, {'r', "0@o:ok"}},
    {{'o', "bad\xff\xfe\n"}, {'r', "0@o:bad\xef\xbf\xbd\xef\xbf\xbd"}},
    {{'o', "\xe2\x82"}, {'r', ""}, {'o', "\xac\n"}, {'r', "0@o:\xe2\x82\xac"}},
    {{'o', "\xe2"}, {'e', "E\n"}, {'o', "\x82\xac\n"}, {'r', "0@e:E|o:\xe2\x82\xac"}},
};

START_TEST(test_script) {
    for (const Step *s = scripts[_i]; s->what; s++)
        if (s->what == 'r' || s->what == 'f')
            expect(s->what == 'f', s->text);
        else
            put(s->what == 'o'   ? LOG_STREAM_STDOUT
                : s->what == 'e' ? LOG_STREAM_STDERR
                                 : LOG_STREAM_LONGRUN,
                s->text, strlen(s->text));
}
END_TEST

START_TEST(test_nul) {
    put(LOG_STREAM_STDOUT, "a\0b\n\0\n", 6);
    expect(false, "0@o:ab|o:");
}
END_TEST

/* A line has the time at which it began. */
START_TEST(test_times) {
    _cleanup_(log_lines_done) LogLines lines = {};

    put(LOG_STREAM_STDOUT, "be", 2);
    uint64_t began = now;
    put(LOG_STREAM_STDERR, "err\n", 4);
    uint64_t error = now;
    put(LOG_STREAM_STDOUT, "gun\nnext\n", 9);
    read_tail(false, &lines);
    ck_assert_uint_eq(lines.count, 3);
    ck_assert_uint_eq(lines.lines[0].time_usec, error);
    ck_assert_uint_eq(lines.lines[1].time_usec, began);
    ck_assert_uint_eq(lines.lines[2].time_usec, now);
}
END_TEST

/* The size that a reader is told of may be behind the file. */
START_TEST(test_size_behind) {
    LogLines lines = {};

    put(LOG_STREAM_STDOUT, "one\ntwo\n", 8);
    for (uint64_t size = 0; size <= 3; size++) {
        ck_assert_int_eq(log_tail_read(tail, size, false, &lines), 0);
        ck_assert_uint_eq(lines.count, 0);
        log_lines_done(&lines);
    }
    ck_assert_int_eq(log_tail_read(tail, 4, false, &lines), 0);
    ck_assert_uint_eq(lines.count, 1);
    log_lines_done(&lines);
    expect(false, "4@o:two");
}
END_TEST

/* Of a thousand tails few are read at a time: one at rest holds no descriptor. */
START_TEST(test_descriptors) {
    put(LOG_STREAM_STDOUT, "one\n", 4);
    int before = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(before);
    expect(false, "0@o:one");
    int after = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(after);
    ck_assert_int_eq(after, before);
}
END_TEST

/* ---- caps ---- */

static void fill(size_t lines, size_t size, const char *end) {
    _cleanup_free_ char *all = malloc(lines * size + 1);

    for (size_t i = 0; i < lines; i++) {
        memset(all + i * size, 'x', size);
        int n = snprintf(all + i * size, size, "%zu", i);
        all[i * size + (size_t)n] = 'x';
        memcpy(all + (i + 1) * size - strlen(end), end, strlen(end));
    }
    put(LOG_STREAM_STDOUT, all, lines * size);
}

/* Of so many lines of such a size, what is given: the last ones. */
static const struct {
    size_t lines, size;
    const char *end;
    size_t given;
} bursts[] = {
    {500, 10, "\n", 500},     {501, 10, "\n", 500},   {5000, 10, "\n", 500},
    {1000, 100, "\n", 500},   {327, 200, "\n", 327},  /* just below what is read at once */
    {328, 200, "\n", 327},    {1000, 200, "\n", 327}, /* the one that was cut is passed over */
    {100000, 1000, "\n", 65}, {249, 10, "\r\n", 249},
};

START_TEST(test_burst) {
    _cleanup_(log_lines_done) LogLines lines = {};
    size_t first = bursts[_i].lines - bursts[_i].given;

    fill(bursts[_i].lines, bursts[_i].size, bursts[_i].end);
    read_tail(false, &lines);
    ck_assert_uint_eq(lines.count, bursts[_i].given);
    ck_assert_uint_eq(lines.offset, first * bursts[_i].size);
    for (size_t i = 0; i < lines.count; i++) {
        MUST(strlen(lines.lines[i].text) == bursts[_i].size - strlen(bursts[_i].end));
        MUST((size_t)atoi(lines.lines[i].text) == first + i);
    }
    uint64_t end = file.size;
    put(LOG_STREAM_STDOUT, "after\n", 6);
    char text[64];
    snprintf(text, sizeof(text), "%d@o:after", (int)end);
    expect(true, text);
}
END_TEST

/* Half a line from before a burst is not glued to what comes behind the gap. */
START_TEST(test_burst_forgets) {
    put(LOG_STREAM_STDERR, "half", 4);
    put(LOG_STREAM_STDOUT, "half", 4);
    expect(false, "");
    fill(2000, 100, "\n");
    _cleanup_(log_lines_done) LogLines lines = {};
    read_tail(false, &lines);
    ck_assert_uint_eq(lines.count, LOG_TAIL_LINES_MAX);
    put(LOG_STREAM_STDERR, "whole\n", 6);
    char text[64];
    snprintf(text, sizeof(text), "%d@e:whole", (int)file.size - 6);
    expect(true, text);
}
END_TEST

/* The cut falls between \r and \n: that \n is no empty line. */
START_TEST(test_burst_cut_in_two) {
    _cleanup_(log_lines_done) LogLines lines = {};

    for (int i = 0; i < 300; i++)
        put(LOG_STREAM_STDOUT, "x\r\n", 3);
    put(LOG_STREAM_STDOUT, "y\r", 2);
    read_tail(false, &lines);
    ck_assert_uint_eq(lines.count, 250);
    for (size_t i = 0; i < lines.count; i++)
        ck_assert_uint_eq(strlen(lines.lines[i].text), 1);
}
END_TEST

/* Many short runs of both streams: no more lines than there is room for. */
START_TEST(test_burst_of_two_streams) {
    _cleanup_(log_lines_done) LogLines lines = {};

    for (int i = 0; i < 1000; i++) {
        put(LOG_STREAM_STDOUT, "\r", 1);
        put(LOG_STREAM_STDERR, "\n", 1);
        put(LOG_STREAM_STDOUT, "o\r", 2);
        put(LOG_STREAM_LONGRUN, "\n", 1);
    }
    put(LOG_STREAM_STDOUT, "open", 4);
    put(LOG_STREAM_STDERR, "open", 4);
    read_tail(true, &lines);
    ck_assert_uint_le(lines.count, LOG_TAIL_LINES_MAX + 2);
    ck_assert_uint_ge(lines.count, LOG_TAIL_LINES_MAX / 2);
}
END_TEST

static const size_t lengths[] = {LOG_TAIL_LINE_MAX - 1, LOG_TAIL_LINE_MAX, LOG_TAIL_LINE_MAX + 1,
                                 5 * LOG_TAIL_LINE_MAX, LOG_TAIL_BURST_MAX - 1};

START_TEST(test_long_line) {
    _cleanup_(log_lines_done) LogLines lines = {};
    size_t length = lengths[_i];
    bool cut = length > LOG_TAIL_LINE_MAX;

    fill(1, length + 1, "\n");
    read_tail(false, &lines);
    ck_assert_uint_eq(lines.count, 1);
    ck_assert_uint_eq(strlen(lines.lines[0].text), cut ? LOG_TAIL_LINE_MAX + strlen("…") : length);
    ck_assert_int_eq(strstr(lines.lines[0].text, "…") != NULL, cut);
}
END_TEST

/* A megabyte without an end of line, in parts that are each no burst, then in one. */
START_TEST(test_megabyte) {
    _cleanup_free_ char *part = malloc(MIB);
    _cleanup_(log_lines_done) LogLines lines = {};

    memset(part, 'x', MIB);
    for (size_t size = 0; size < MIB; size += 32 * KIB) {
        put(LOG_STREAM_STDOUT, part, 32 * KIB);
        expect(false, "");
    }
    put(LOG_STREAM_STDOUT, "\n", 1);
    read_tail(false, &lines);
    ck_assert_uint_eq(lines.count, 1);
    ck_assert_uint_eq(lines.offset, 0);
    ck_assert_uint_eq(strlen(lines.lines[0].text), LOG_TAIL_LINE_MAX + strlen("…"));

    log_lines_done(&lines);
    part[MIB - 1] = '\n';
    put(LOG_STREAM_STDOUT, part, MIB);
    put(LOG_STREAM_STDOUT, "next\n", 5);
    read_tail(false, &lines);
    /* Its beginning was passed over, which shows. */
    ck_assert_uint_eq(lines.count, 2);
    ck_assert_uint_eq(lines.offset, file.size - LOG_TAIL_BURST_MAX);
    ck_assert_int_eq(strncmp(lines.lines[0].text, "…xxx", strlen("…xxx")), 0);
    ck_assert_uint_eq(strlen(lines.lines[0].text), LOG_TAIL_LINE_MAX + strlen("…"));
    ck_assert_str_eq(lines.lines[1].text, "next");
}
END_TEST

/* ---- a log above its cap ---- */

static void setup_capped(void) {
    log_file_init(&file, unit_dir, ID, 64 * KIB);
    tail = log_tail_new(unit_dir, ID);
    MUST(tail);
}

/* Lines of 20 bytes, stderr's every third. */
static unsigned next_line;

static void put_lines(size_t n) {
    char line[32];

    for (; n > 0; n--, next_line++) {
        snprintf(line, sizeof(line), "%018u\n", next_line);
        put(next_line % 3 == 2 ? LOG_STREAM_STDERR : LOG_STREAM_STDOUT, line, 19);
    }
}

static bool right_stream(const LogLine *line, unsigned number, bool behind) {
    /* Who is behind may find that entries of the index are left out. */
    if (line->stream == LOG_STREAM_UNKNOWN)
        return behind;
    return line->stream == (number % 3 == 2 ? LOG_STREAM_STDERR : LOG_STREAM_STDOUT);
}

/* Whole, in order, of the right stream and at the right place; gives the last one. */
static unsigned check_lines(const LogLines *lines, bool behind) {
    unsigned number = 0, before = 0;

    for (size_t i = 0; i < lines->count; i++) {
        const LogLine *line = &lines->lines[i];
        MUST(strlen(line->text) == 18);
        number = (unsigned)atoi(line->text);
        MUST(i == 0 || number == before + 1);
        MUST(right_stream(line, number, behind));
        if (i == 0)
            MUST(lines->offset == number * UINT64_C(19));
        before = number;
    }
    return number;
}

/* Whoever follows closely sees all, also what is left out later, and no mark. */
START_TEST(test_gap_followed) {
    unsigned seen = 0;

    for (int i = 0; i < 1000; i++) {
        _cleanup_(log_lines_done) LogLines lines = {};
        put_lines(1 + (size_t)i % 37);
        read_tail(false, &lines);
        MUST(lines.count == 1 + (size_t)i % 37);
        MUST(check_lines(&lines, false) == next_line - 1);
        seen += lines.count;
    }
    ck_assert_uint_eq(seen, next_line);
    ck_assert_uint_gt(file.dropped, 128 * KIB);
}
END_TEST

/* Who looks now and then, or for the first time when the head was passed long ago. */
static const size_t pauses[] = {500,  1000, 1500, 1700, 1725, 1800,
                                2000, 2500, 3000, 3450, 3500, 4000};

START_TEST(test_gap_late) {
    put_lines(pauses[_i]);
    for (int i = 0; i < 12; i++) {
        _cleanup_(log_lines_done) LogLines lines = {};
        read_tail(false, &lines);
        MUST(lines.count > 300 && lines.count <= LOG_TAIL_LINES_MAX);
        MUST(check_lines(&lines, false) == next_line - 1);
        put_lines(pauses[_i] + (size_t)i * 7);
    }
}
END_TEST

/* The reader is told of a size that the writer has left far behind. */
START_TEST(test_gap_size_behind) {
    for (int i = 0; i < 300; i++) {
        LogLines lines = {};
        uint64_t size = file.size;
        put_lines((size_t)i * 17 % 1900);
        ck_assert_int_eq(log_tail_read(tail, size + (file.size - size) / 3, false, &lines), 0);
        (void)check_lines(&lines, true);
        log_lines_done(&lines);
    }
    ck_assert_uint_gt(file.dropped, 128 * KIB);
    _cleanup_(log_lines_done) LogLines last = {};
    read_tail(true, &last);
    ck_assert_uint_eq(check_lines(&last, false), next_line - 1);
}
END_TEST

/* Sizes at the edges of mark and gap, when both are there already: lines of the head, but nothing
 * of the mark. */
START_TEST(test_gap_told_of_edges) {
    static const struct {
        uint64_t size;
        size_t lines;
    } edges[] = {{32 * KIB - LOG_MARK_SIZE - 1, LOG_TAIL_LINES_MAX},
                 {32 * KIB - LOG_MARK_SIZE, LOG_TAIL_LINES_MAX},
                 {32 * KIB - LOG_MARK_SIZE + 1, 0},
                 {32 * KIB - 50, 0},
                 {32 * KIB, 0},
                 {32 * KIB + 1, 0},
                 {36 * KIB, 0}};

    put_lines(10000);
    for (size_t i = 0; i < ELEMENTSOF(edges); i++) {
        _cleanup_(log_lines_done) LogLines lines = {};
        LogTail *t = log_tail_new(unit_dir, ID);
        ck_assert_int_eq(log_tail_read(t, edges[i].size, true, &lines), 0);
        ck_assert_uint_ge(lines.count, edges[i].lines);
        ck_assert_uint_le(lines.count, edges[i].lines + 1); /* the unfinished one */
        for (size_t k = 0; k < lines.count; k++)
            MUST(!strstr(lines.lines[k].text, "[longrun]"));
        t = log_tail_free(t);
    }
}
END_TEST

/* ---- odd files ---- */

START_TEST(test_no_files) {
    LogLines lines = {};

    ck_assert_int_eq(log_tail_read(tail, 10, false, &lines), -ENOENT);
    unit_write("42.log", "0123456789", 10);
    ck_assert_int_eq(log_tail_read(tail, 10, false, &lines), -ENOENT); /* the index */
    ck_assert_ptr_null(lines.lines);
    ck_assert_ptr_null(log_tail_free(NULL));
}
END_TEST

static const struct {
    size_t n, cut; /* entries, and bytes that the last one lacks */
    LogIndexEntry entries[3];
    const char *text;
} indexes[] = {
    {0, 0, {}, "0@?:abc|?:def"},
    {1, 0, {{START, 0 << 8 | LOG_STREAM_STDERR}}, "0@e:abc|e:def"},
    {1, 8, {{START, 0 << 8 | LOG_STREAM_STDERR}}, "0@?:abc|?:def"},
    {1, 0, {{START, 0 << 8 | 200}}, "0@l:abc|l:def"},
    {1, 0, {{START, 4 << 8 | LOG_STREAM_STDERR}}, "0@?:abc|e:def"},
    {2, 0, {{START, 0 << 8 | 1}, {START, UINT64_MAX << 8 | 2}}, "0@o:abc|o:def"},
    {3, 0, {{START, 0 << 8 | 1}, {START, 4 << 8 | 2}, {START, 0 << 8 | 1}}, "0@o:abc|o:def"},
};

START_TEST(test_odd_index) {
    unit_write("42.log", "abc\ndef\n", 8);
    unit_write("42.idx", indexes[_i].entries,
               indexes[_i].n * sizeof(LogIndexEntry) - indexes[_i].cut);
    file.size = 8;
    expect(true, indexes[_i].text);
}
END_TEST

/* The file is shorter than was said: there is nothing to wait for. */
START_TEST(test_shorter_file) {
    put(LOG_STREAM_STDOUT, "abc\n", 4);
    file.size = 100000;
    expect(true, "");
    ck_assert_int_eq(truncate(unit_path("42.log"), 0), 0);
    file.size = 200;
    expect(true, "");
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("log-tail");
    TCase *t = tcase_create("log-tail");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, test_script, 0, ELEMENTSOF(scripts));
    tcase_add_test(t, test_nul);
    tcase_add_test(t, test_times);
    tcase_add_test(t, test_size_behind);
    tcase_add_test(t, test_descriptors);
    tcase_add_loop_test(t, test_burst, 0, ELEMENTSOF(bursts));
    tcase_add_test(t, test_burst_forgets);
    tcase_add_test(t, test_burst_cut_in_two);
    tcase_add_test(t, test_burst_of_two_streams);
    tcase_add_loop_test(t, test_long_line, 0, ELEMENTSOF(lengths));
    tcase_add_test(t, test_megabyte);
    tcase_add_test(t, test_no_files);
    tcase_add_loop_test(t, test_odd_index, 0, ELEMENTSOF(indexes));
    tcase_add_test(t, test_shorter_file);
    suite_add_tcase(s, t);

    t = tcase_create("capped");
    unit_use_dir(t);
    tcase_add_checked_fixture(t, setup_capped, teardown);
    tcase_set_timeout(t, 30);
    tcase_add_test(t, test_gap_followed);
    tcase_add_loop_test(t, test_gap_late, 0, ELEMENTSOF(pauses));
    tcase_add_test(t, test_gap_size_behind);
    tcase_add_test(t, test_gap_told_of_edges);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
