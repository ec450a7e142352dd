#include "client-gtk/log/log-decoder.h"
#include "client-gtk/log/log-palette.h"
#include "tests/unit/unit.h"

/* ---- text ---- */

static const struct {
    const char *row, *text;
} texts[] = {
    {"", ""},
    {"plain", "plain"},
    {"tab\tstays", "tab\tstays"},
    {"bell\a and null are not shown", "bell and null are not shown"},
    {"10%\r20%\r30%", "30%"},
    {"long line\rshort", "shortline"},
    {"long line\r\033[Kshort", "short"},
    {"done\r", "done"},
    {"abc\b\bX", "aXc"},
    {"\b\bx", "x"},
    {"ab\033[5Cc", "ab     c"},
    {"abc\033[2DX", "aXc"},
    {"abc\033[1GX", "Xbc"},
    {"abc\033[2Kd", "   d"},
    {"abc\033[1Kd", "   d"},
    {"\033]0;title\atext", "text"},
    {"\033[2J\033[10;10Htext", "text"},
    {"\033[31mred\033[0m", "red"},
    {"caf\xc3\xa9", "caf\xc3\xa9"},
    {"bad \xff\xfe bytes", "bad \xef\xbf\xbd\xef\xbf\xbd bytes"},
    {"cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd"},
    {"C1 \xc2\x85 is none", "C1  is none"},
    {"a paragraph\xe2\x80\xa9 ends", "a paragraph\xef\xbf\xbd ends"},
    {"\033[999999999CX", ""}, /* beyond the last column */
};

START_TEST(test_text) {
    g_autoptr(GString) text = g_string_new(NULL);
    LogDecoder d;

    log_decoder_init(&d);
    guint n = log_decoder_row(&d, texts[_i].row, strlen(texts[_i].row), FALSE, text, NULL);
    g_strchomp(text->str); /* columns that nobody wrote to */
    ck_assert_str_eq(text->str, texts[_i].text);
    ck_assert_uint_ge(n, (guint)g_utf8_strlen(text->str, -1));
    ck_assert(g_utf8_validate(text->str, -1, NULL));
    log_decoder_done(&d);
}
END_TEST

START_TEST(test_nulls) {
    g_autoptr(GString) text = g_string_new(NULL);
    LogDecoder d;

    log_decoder_init(&d);
    ck_assert_uint_eq(log_decoder_row(&d, "a\0b", 3, FALSE, text, NULL), 2);
    ck_assert_str_eq(text->str, "ab");
    log_decoder_done(&d);
}
END_TEST

START_TEST(test_columns_are_capped) {
    g_autofree char *row = g_strnfill(3 * LOG_COLUMNS_MAX, 'x');
    g_autoptr(GString) text = g_string_new(NULL);
    LogDecoder d;

    row[0] = '\a'; /* no plain row */
    log_decoder_init(&d);
    ck_assert_uint_eq(log_decoder_row(&d, row, 3 * LOG_COLUMNS_MAX, FALSE, text, NULL),
                      LOG_COLUMNS_MAX);
    log_decoder_done(&d);
}
END_TEST

/* ---- looks ---- */

static const struct {
    const char *sequence;
    LogStyle style;
} styles[] = {
    {"\033[m", {0, 0, 0}},
    {"\033[0m", {0, 0, 0}},
    {"\033[31m", {1 + 1, 0, 0}},
    {"\033[91m", {1 + 9, 0, 0}},
    {"\033[1;4;44m", {0, 1 + 4, LOG_BOLD | LOG_UNDERLINE}},
    {"\033[38;5;208m", {1 + 208, 0, 0}},
    {"\033[48;5;300m", {0, 1 + 255, 0}},
    {"\033[38;2;255;0;0m", {1 + 196, 0, 0}},
    {"\033[38:2::255:0:0m", {1 + 196, 0, 0}},
    {"\033[38:2:255:0:0m", {1 + 196, 0, 0}},
    {"\033[38:5:208;1m", {1 + 208, 0, LOG_BOLD}},
    {"\033[38;2;128;128;128m", {1 + 244, 0, 0}},
    {"\033[4:0m", {0, 0, 0}},
    {"\033[4:3m", {0, 0, LOG_UNDERLINE}},
    {"\033[1;31;0m", {0, 0, 0}},
    {"\033[1;2;22;7;27;9m", {0, 0, LOG_STRIKE}},
    {"\033[31;41;39;49m", {0, 0, 0}},
    {"\033[?25h", {0, 0, 0}},
    {"\033[>4;2m", {0, 0, 0}},
    {"\033[38;5m", {0, 0, 0}},
    {"\033[38m", {0, 0, 0}},
    {"\033[99999999999999999999m", {0, 0, 0}},
    {"\033[31", {0, 0, 0}},
};

START_TEST(test_style) {
    LogStyle s = {};

    log_style_apply(&s, styles[_i].sequence, strlen(styles[_i].sequence));
    ck_assert_uint_eq(s.foreground, styles[_i].style.foreground);
    ck_assert_uint_eq(s.background, styles[_i].style.background);
    ck_assert_uint_eq(s.attributes, styles[_i].style.attributes);
}
END_TEST

START_TEST(test_runs) {
    const char row[] = "a\033[31mbc\033[1md\033[0me\033[32m";
    g_autoptr(GArray) runs = g_array_new(FALSE, FALSE, sizeof(LogRun));
    g_autoptr(GString) text = g_string_new(NULL);
    LogDecoder d;

    log_decoder_init(&d);
    log_decoder_row(&d, row, strlen(row), FALSE, text, runs);
    ck_assert_str_eq(text->str, "abcde");
    ck_assert_uint_eq(runs->len, 2);
    ck_assert_uint_eq(g_array_index(runs, LogRun, 0).begin, 1);
    ck_assert_uint_eq(g_array_index(runs, LogRun, 0).end, 3);
    ck_assert_uint_eq(g_array_index(runs, LogRun, 1).end, 4);
    ck_assert_uint_eq(g_array_index(runs, LogRun, 1).style.attributes, LOG_BOLD);

    /* The next row takes the last colour over. */
    log_decoder_row(&d, "f", 1, FALSE, text, runs);
    ck_assert_uint_eq(runs->len, 3);
    ck_assert_uint_eq(g_array_index(runs, LogRun, 2).style.foreground, 1 + 2);
    log_decoder_done(&d);
}
END_TEST

START_TEST(test_all_colours_can_be_read) {
    for (guint i = 0; i < LOG_PALETTE_SIZE; i++)
        for (int dark = 0; dark < 2; dark++) {
            guint32 c = log_palette_readable(log_palette_colour(i), dark);
            MUST(log_palette_contrast(c, log_palette_paper(dark)) >= LOG_PALETTE_CONTRAST);
        }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("log-decoder");
    TCase *t = tcase_create("all");

    suite_add_tcase(suite, t);
    tcase_add_loop_test(t, test_text, 0, G_N_ELEMENTS(texts));
    tcase_add_test(t, test_nulls);
    tcase_add_test(t, test_columns_are_capped);
    tcase_add_loop_test(t, test_style, 0, G_N_ELEMENTS(styles));
    tcase_add_test(t, test_runs);
    tcase_add_test(t, test_all_colours_can_be_read);
    return unit_run(suite);
}
