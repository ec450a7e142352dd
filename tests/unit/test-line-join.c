/* Lines of several streams that lie mixed: each comes whole, with the time of its first byte. */

#include <stdio.h>

#include "common/cleanup.h"
#include "common/line-join.h"
#include "tests/unit/unit.h"

/* What came, as "1@10:text\n"; ">" in front of what goes on. */
static char *seen;
static size_t seen_size;
static FILE *seen_file;
static int stop_after = -1;

static int note(void *arg, const JoinedLine *line) {
    static const char *const ends[] = {"", "\\r", "\\n"};

    fprintf(seen_file, "%s%d@%d:%.*s%s|", line->goes_on ? ">" : "", (int)line->stream,
            (int)line->time_usec, (int)line->size, line->text, ends[line->end]);
    return stop_after-- == 0 ? -77 : 0;
}

static void open_seen(void) {
    seen_file = open_memstream(&seen, &seen_size);
    stop_after = -1;
}

static const char *close_seen(void) {
    fclose(seen_file);
    return seen;
}

/* Runs of "1" (stdout) or "2" (stderr), each with a time of 10, 20, ... */
static const struct {
    const char *runs[8];
    const char *expected;
} tables[] = {
    {{"1one\ntwo\n"}, "1@10:one\\n|1@10:two\\n|"},
    {{"1par", "2err\n", "1tial\n"}, "2@20:err\\n|1@10:partial\\n|"},
    {{"1a", "2b", "1c", "2d", "1\n", "2\n"}, "1@10:ac\\n|2@20:bd\\n|"},
    {{"1end"}, "1@10:end|"},
    {{"1a", "2b", "3c"}, "1@10:a|2@20:b|3@30:c|"},
    {{"1\n\n"}, "1@10:\\n|1@10:\\n|"},
    /* Each stroke of a bar is a line, and a \n right behind a \r no other. */
    {{"110%\r20%\r"}, "1@10:10%\\r|1@10:20%\\r|"},
    {{"1\r10%", "1\r20%"}, "1@10:\\r|1@10:10%\\r|1@20:20%|"},
    {{"1dos\r\nnext\n"}, "1@10:dos\\r|>1@10:\\n|1@10:next\\n|"},
    {{"1dos\r", "2x\n", "1\n", "1next\n"}, "1@10:dos\\r|2@20:x\\n|>1@10:\\n|1@40:next\\n|"},
    {{"1a\r", "1b", "1\n"}, "1@10:a\\r|1@20:b\\n|"},
    {{"1a\r", "1b\n"}, "1@10:a\\r|1@20:b\\n|"},
    {{"1a\r", "1\r\n"}, "1@10:a\\r|1@20:\\r|>1@20:\\n|"},
};

START_TEST(test_runs) {
    LineJoin j = {.func = note};

    open_seen();
    for (size_t i = 0; i < 8 && tables[_i].runs[i]; i++) {
        const char *run = tables[_i].runs[i];
        ck_assert_int_eq(
            line_join_put(&j, (LogStream)(run[0] - '0'), (i + 1) * 10, run + 1, strlen(run + 1)),
            0);
    }
    ck_assert_int_eq(line_join_flush(&j), 0);
    ck_assert_str_eq(close_seen(), tables[_i].expected);
    free(seen);
    line_join_done(&j);
}
END_TEST

/* Cut anywhere, the same lines come. */
START_TEST(test_pieces) {
    static const char text[] = "one\r\ntwo\n\nthree\rfour\r\r\nfive";
    _cleanup_free_ char *whole = NULL;

    for (size_t piece = sizeof(text); piece > 0; piece--) {
        LineJoin j = {.func = note};
        open_seen();
        for (size_t at = 0; at < strlen(text); at += piece)
            ck_assert_int_eq(
                line_join_put(&j, LOG_STREAM_STDOUT, 1, text + at, MIN(piece, strlen(text) - at)),
                0);
        line_join_flush(&j);
        close_seen();
        if (!whole)
            whole = strdup(seen);
        ck_assert_str_eq(seen, whole);
        free(seen);
        line_join_done(&j);
    }
}
END_TEST

static uint64_t total, parts, most;

static int add_up(void *arg, const JoinedLine *line) {
    MUST(line->goes_on == (parts > 0));
    total += line->size;
    most = MAX(most, (uint64_t)line->size);
    parts++;
    return 0;
}

/* A line without end takes no more memory than the cap, and nothing of it is lost. */
START_TEST(test_long_line) {
    static char data[300 * KIB];
    LineJoin j = {.func = add_up};

    memset(data, 'x', sizeof(data));
    total = parts = most = 0;
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(line_join_put(&j, LOG_STREAM_STDOUT, 1, data, sizeof(data)), 0);
    ck_assert_int_eq(line_join_put(&j, LOG_STREAM_STDOUT, 1, "\n", 1), 0);
    ck_assert_uint_eq(total, 10 * sizeof(data));
    ck_assert_uint_le(most, LINE_JOIN_MAX);
    ck_assert_uint_ge(parts, total / LINE_JOIN_MAX);
    line_join_done(&j);
}
END_TEST

START_TEST(test_stop) {
    LineJoin j = {.func = note};

    open_seen();
    stop_after = 1;
    ck_assert_int_eq(line_join_put(&j, LOG_STREAM_STDOUT, 1, "a\nb\nc\n", 6), -77);
    ck_assert_str_eq(close_seen(), "1@1:a\\n|1@1:b\\n|");
    free(seen);
    line_join_done(&j);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("line-join");
    TCase *t = tcase_create("line-join");

    tcase_add_loop_test(t, test_runs, 0, ELEMENTSOF(tables));
    tcase_add_test(t, test_pieces);
    tcase_add_test(t, test_long_line);
    tcase_add_test(t, test_stop);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
