#include "client-gtk/log/log-block.h"
#include "client-gtk/log/log-scan.h"
#include "client-gtk/log/log-window.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <unistd.h>

#define CUT LOG_SCAN_CUT

static int open_log(const char *data, gsize size) {
    unit_write("log", data, size);
    int fd = open(unit_path("log"), O_RDWR);
    MUST(fd >= 0);
    return fd;
}

static void append(int fd, guint64 offset, const char *text) {
    MUST(pwrite(fd, text, strlen(text), (off_t)offset) == (ssize_t)strlen(text));
}

/* "OFFSET:TEXT" of each row, the open one with a "…". */
static char *rows_from(int fd, guint64 begin) {
    GString *all = g_string_new(NULL);
    LogScan s;
    LogRow row;

    log_scan_init(&s, fd, begin, 0);
    while (log_scan_next(&s, &row) > 0)
        g_string_append_printf(all, "%" G_GUINT64_FORMAT ":%.*s|", row.offset, (int)row.size,
                               row.data);
    if (log_scan_open_row(&s, &row))
        g_string_append_printf(all, "%" G_GUINT64_FORMAT ":%.*s…", row.offset, (int)row.size,
                               row.data);
    log_scan_done(&s);
    return g_string_free(all, FALSE);
}

/* ---- rows ---- */

static const struct {
    const char *data, *rows;
} small[] = {
    {"", ""},
    {"a", "0:a…"},
    {"a\n", "0:a|"},
    {"\n\n", "0:|1:|"},
    {"a\nbc\nd", "0:a|2:bc|5:d…"},
    {"a\r\nb\rc\n", "0:a\r|3:b\rc|"},
};

START_TEST(test_rows) {
    int fd = open_log(small[_i].data, strlen(small[_i].data));
    g_autofree char *rows = rows_from(fd, 0);

    ck_assert_str_eq(rows, small[_i].rows);
    close(fd);
}
END_TEST

/* A line of a hundred megabytes is many rows, and no more than a few of them are in memory. */
START_TEST(test_a_long_line) {
    const gsize size = 100 * 1024 * 1024;
    g_autofree char *data = g_strnfill(size, 'x');
    int fd = open_log(data, size);
    guint64 count = 0, expected = 0;
    LogScan s;
    LogRow row;

    log_scan_init(&s, fd, 0, 0);
    for (; log_scan_next(&s, &row) > 0; count++) {
        MUST(row.offset == expected && row.size == CUT);
        MUST(row.continued == (count > 0));
        expected += CUT;
    }
    ck_assert_uint_eq(count, size / CUT - 1);
    ck_assert(log_scan_open_row(&s, &row));
    ck_assert_uint_eq(row.size, CUT);
    log_scan_done(&s);
    close(fd);
}
END_TEST

/* A cut never goes through a character. */
START_TEST(test_a_cut_character) {
    g_autoptr(GString) data = g_string_new("x");
    g_autoptr(GString) all = g_string_new(NULL);
    LogScan s;
    LogRow row;

    while (data->len < 20 * CUT)
        g_string_append(data, "\xe2\x82\xac");
    int fd = open_log(data->str, data->len);
    log_scan_init(&s, fd, 0, 0);
    while (log_scan_next(&s, &row) > 0) {
        MUST(g_utf8_validate(row.data, (gssize)row.size, NULL));
        g_string_append_len(all, row.data, (gssize)row.size);
    }
    MUST(log_scan_open_row(&s, &row));
    g_string_append_len(all, row.data, (gssize)row.size);
    ck_assert_uint_eq(all->len, data->len);
    log_scan_done(&s);
    close(fd);
}
END_TEST

/* What is written over and over is one row, of which the end is kept. */
START_TEST(test_progress) {
    g_autoptr(GString) data = g_string_new(NULL);
    LogScan s;
    LogRow row;

    for (int i = 0; i <= 100000; i++)
        g_string_append_printf(data, "\r%d of 100000, as it goes on and on", i);
    g_string_append(data, "\nnext\n");
    int fd = open_log(data->str, data->len);
    log_scan_init(&s, fd, 0, 0);
    ck_assert_int_eq(log_scan_next(&s, &row), 1);
    ck_assert_uint_eq(row.offset, 0);
    ck_assert_uint_le(row.size, 4 * LOG_SCAN_ROW_MAX);
    ck_assert_int_eq(row.data[0], '\r');
    ck_assert_int_eq(strncmp(row.data + row.size - 20, "as it goes on and on", 20), 0);
    ck_assert_int_eq(log_scan_next(&s, &row), 1);
    ck_assert_int_eq(strncmp(row.data, "next", 4), 0);
    log_scan_done(&s);
    close(fd);
}
END_TEST

/* ---- everybody finds the same rows ---- */

static GString *random_log(GRand *rand, gsize size) {
    GString *data = g_string_new(NULL);

    while (data->len < size) {
        gint kind = g_rand_int_range(rand, 0, 20);
        guint n = (guint)g_rand_int_range(rand, 0, kind == 0 ? 5 * (int)CUT : 200);
        for (guint i = 0; i < n; i++)
            g_string_append_c(data, (char)g_rand_int_range(rand, 'a', 'z'));
        g_string_append(data, kind < 3 ? "\r" : kind == 4 ? "\xe2\x82\xac" : "\n");
    }
    return data;
}

START_TEST(test_same_rows_from_anywhere) {
    GRand *rand = g_rand_new_with_seed(42);
    g_autoptr(GString) data = random_log(rand, 300000);
    g_autoptr(GArray) begins = g_array_new(FALSE, FALSE, sizeof(guint64));
    int fd = open_log(data->str, data->len);
    LogScan s;
    LogRow row;

    log_scan_init(&s, fd, 0, 0);
    while (log_scan_next(&s, &row) > 0)
        g_array_append_val(begins, row.offset);
    log_scan_done(&s);
    guint64 end = g_array_index(begins, guint64, begins->len - 1);
    for (int i = 0; i < 5000; i++) {
        guint64 at = (guint64)g_rand_int_range(rand, 0, (gint32)end), begin;
        MUST(log_scan_row_at(fd, at, &begin) == 0);
        guint64 expected = 0;
        for (guint k = 0; k < begins->len && g_array_index(begins, guint64, k) <= at; k++)
            expected = g_array_index(begins, guint64, k);
        MUST(begin == expected);
    }
    g_rand_free(rand);
    close(fd);
}
END_TEST

/* ---- gaps ---- */

static int open_sparse(void) {
    int fd = open_log("first\nsecond\n", 13);

    MUST(ftruncate(fd, (off_t)(10 * GIB)) == 0);
    append(fd, 10 * GIB, "third\nfourth\n");
    return fd;
}

START_TEST(test_gap) {
    int fd = open_sparse();
    LogFiles files = {.log = fd, .index = -1};
    g_autoptr(LogBlock) end = NULL, before = NULL, after = NULL;

    ck_assert_int_eq(log_block_read_before(&files, G_MAXUINT64, 100, 4096, &end), 0);
    ck_assert(g_str_has_suffix(end->text->str, "third\nfourth\n"));
    ck_assert_uint_eq(end->size, 10 * GIB + 13);
    ck_assert_uint_ge(end->begin, 9 * GIB);

    /* Back over it, and forth. */
    guint64 data = log_scan_data_before(fd, end->begin);
    ck_assert_uint_le(data, 64 * 1024);
    ck_assert_int_eq(log_block_read_before(&files, end->begin, 100, 4096, &before), 0);
    ck_assert_uint_eq(before->begin, 0);
    ck_assert(g_str_has_prefix(before->text->str, "first\nsecond\n"));
    LogPlace place = {};
    ck_assert_int_eq(log_block_read_after(&files, &place, 100, 4096, &after), 0);
    ck_assert(g_str_has_prefix(after->text->str, "first\nsecond\n"));
    ck_assert(g_str_has_suffix(after->text->str, "third\nfourth\n"));
    close(fd);
}
END_TEST

/* ---- blocks and windows ---- */

static int open_lines(int n) {
    g_autoptr(GString) data = g_string_new(NULL);

    for (int i = 0; i < n; i++)
        g_string_append_printf(data, "line %d\n", i);
    return open_log(data->str, data->len);
}

START_TEST(test_blocks) {
    int fd = open_lines(10000);
    LogFiles files = {.log = fd, .index = -1};
    g_autoptr(LogBlock) end = NULL, before = NULL, around = NULL, after = NULL;

    ck_assert_int_eq(log_block_read_before(&files, G_MAXUINT64, 100, 1 << 20, &end), 0);
    ck_assert_uint_eq(end->rows->len, 100);
    ck_assert(g_str_has_prefix(end->text->str, "line 9900\n"));
    ck_assert_uint_eq(end->end.row, end->size);
    ck_assert(!end->open);
    ck_assert_int_eq(log_block_read_before(&files, end->begin, 100, 1 << 20, &before), 0);
    ck_assert(g_str_has_prefix(before->text->str, "line 9800\n"));
    ck_assert_uint_eq(before->end.row, end->begin);
    ck_assert_int_eq(log_block_read_around(&files, before->begin + 3, 100, 1 << 20, &around), 0);
    ck_assert(g_str_has_prefix(around->text->str, "line 9750\n"));
    ck_assert_int_eq(log_block_read_after(&files, &before->end, 7, 1 << 20, &after), 0);
    ck_assert_uint_eq(after->rows->len, 7);
    ck_assert(g_str_has_prefix(after->text->str, "line 9900\n"));
    close(fd);
}
END_TEST

/* The row that has not ended is there, and comes again, whole. */
START_TEST(test_open_row) {
    int fd = open_log("one\n10%", 7);
    LogFiles files = {.log = fd, .index = -1};
    g_autoptr(LogBlock) a = NULL, b = NULL;
    LogWindow w;

    log_window_init(&w);
    ck_assert_int_eq(log_block_read_before(&files, G_MAXUINT64, 10, 4096, &a), 0);
    ck_assert_str_eq(a->text->str, "one\n10%\n");
    ck_assert(a->open);
    log_window_set(&w, a);
    ck_assert(w.at_end);

    append(fd, 7, "\r20%\ntwo\n");
    ck_assert_int_eq(log_block_read_after(&files, &w.end, 10, 4096, &b), 0);
    ck_assert_str_eq(b->text->str, "20%\ntwo\n");
    LogChange change = log_window_append(&w, b);
    ck_assert_uint_eq(change.last, 1);
    ck_assert_uint_eq(change.first, 0);
    ck_assert_uint_eq(w.rows->len, 3);
    ck_assert(!w.open && w.at_end);
    log_window_done(&w);
    close(fd);
}
END_TEST

START_TEST(test_window_is_bounded) {
    int fd = open_lines(20000);
    LogFiles files = {.log = fd, .index = -1};
    LogWindow w;
    guint text = 0;

    log_window_init(&w);
    for (guint i = 0; i < 40; i++) {
        g_autoptr(LogBlock) b = NULL;
        MUST(log_block_read_after(&files, &w.end, 400, 1 << 20, &b) == 0);
        LogChange change = log_window_append(&w, b);
        text += b->rows->len - change.first - change.last;
        MUST(w.rows->len <= LOG_WINDOW_ROWS && text == w.rows->len);
    }
    guint64 begin = log_window_begin(&w).row;
    ck_assert_int_eq(log_window_find(&w, begin), 0);
    ck_assert_int_eq(log_window_find(&w, begin - 1), -1);
    ck_assert_int_eq(log_window_find(&w, w.end.row), -1);
    for (guint i = 0; i < 20; i++) {
        g_autoptr(LogBlock) b = NULL;
        MUST(log_block_read_before(&files, log_window_begin(&w).row, 400, 1 << 20, &b) == 0);
        LogChange change = log_window_prepend(&w, b);
        text += b->rows->len - change.first - change.last;
        MUST(w.rows->len <= LOG_WINDOW_ROWS && text == w.rows->len);
        MUST(log_window_row(&w, w.rows->len) == w.end.row);
    }
    ck_assert(!w.at_end);
    log_window_done(&w);
    close(fd);
}
END_TEST

/* One that does not begin where the window ends takes its place. */
START_TEST(test_window_skips) {
    int fd = open_lines(20000);
    LogFiles files = {.log = fd, .index = -1};
    g_autoptr(LogBlock) a = NULL, b = NULL;
    LogPlace place = {};
    LogWindow w;

    log_window_init(&w);
    MUST(log_block_read_after(&files, &place, 400, 1 << 20, &a) == 0);
    MUST(log_block_read_before(&files, G_MAXUINT64, 100, 1 << 20, &b) == 0);
    log_window_append(&w, a);
    LogChange change = log_window_append(&w, b);
    ck_assert_uint_eq(change.first, 400);
    ck_assert_uint_eq(w.rows->len, 100);
    log_window_done(&w);
    close(fd);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("log-scan");
    TCase *t = tcase_create("all");

    suite_add_tcase(suite, t);
    unit_use_dir(t);
    tcase_add_loop_test(t, test_rows, 0, G_N_ELEMENTS(small));
    tcase_add_test(t, test_a_long_line);
    tcase_add_test(t, test_a_cut_character);
    tcase_add_test(t, test_progress);
    tcase_add_test(t, test_same_rows_from_anywhere);
    tcase_add_test(t, test_gap);
    tcase_add_test(t, test_blocks);
    tcase_add_test(t, test_open_row);
    tcase_add_test(t, test_window_is_bounded);
    tcase_add_test(t, test_window_skips);
    return unit_run(suite);
}
