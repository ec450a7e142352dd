/* What of a program's output is shown: in a pipe, on a terminal, whole and cut into pieces. */

#include "common/cleanup.h"
#include "common/escape-filter.h"
#include "tests/unit/unit.h"

#define ESC "\x1b"
#define LONG_SIZE 100000

static size_t filter_pieces(EscapeFilterMode mode, const char *in, size_t size, size_t piece,
                            char *out) {
    EscapeFilter f;
    size_t n = 0;

    escape_filter_init(&f, mode);
    for (size_t at = 0; at < size; at += piece) {
        size_t here = MIN(piece, size - at);
        bool passes = escape_filter_passes(&f, in + at, here);
        size_t put = escape_filter(&f, in + at, here, out + n);
        MUST(put <= here + ESCAPE_FILTER_MORE);
        MUST(!passes || (put == here && memcmp(out + n, in + at, here) == 0));
        n += put;
    }
    return n;
}

static const struct {
    const char *in, *stripped, *coloured, *plain;
} texts[] = {
    {"plain\ttext\r\n", "plain\ttext\r\n", "plain\ttext\r\n", "plain\ttext\r\n"},
    /* Colours, in all ways to write them; erase in line. */
    {ESC "[1;31mred" ESC "[0m", "red", ESC "[1;31mred" ESC "[0m", "red"},
    {ESC "[38:2::1:2:3mx" ESC "[m", "x", ESC "[38:2::1:2:3mx" ESC "[m", "x"},
    {"10%" ESC "[K\r20%" ESC "[0K\r", "10%\r20%\r", "10%" ESC "[K\r20%" ESC "[0K\r",
     "10%" ESC "[K\r20%" ESC "[0K\r"},
    /* The same final byte, and something else: keys, modes, questions. */
    {ESC "[>4;2mx", "x", "x", "x"},
    {ESC "[?4mx", "x", "x", "x"},
    {ESC "[?1Kx", "x", "x", "x"},
    {ESC "[1$mx", "x", "x", "x"},
    {ESC "[<1mx" ESC "[=1mx", "xx", "xx", "xx"},
    /* Where the cursor goes, the screen, what is asked. */
    {"a" ESC "[2Jb" ESC "[H" ESC "[3Ac" ESC "[?1049h" ESC "[6nd" ESC "7" ESC "8" ESC "ce", "abcde",
     "abcde", "abcde"},
    {"a" ESC "(0b" ESC "#8c", "abc", "abc", "abc"},
    /* Title, clipboard, links, all ways to end. */
    {"a" ESC "]0;title\ab" ESC "]52;c;aGk=" ESC "\\c" ESC "]8;;http://x" ESC "\\link" ESC
     "]8;;\x9c!",
     "abclink!", "abclink!", "abclink!"},
    {"a" ESC "P1$qm" ESC "\\b" ESC "_x" ESC "\\c" ESC "^y" ESC "\\d" ESC "Xz" ESC "\\e", "abcde",
     "abcde", "abcde"},
    /* What nobody ends hides no more than its line. */
    {"a" ESC "]0;for ever\nnext", "a\nnext", "a\nnext", "a\nnext"},
    {"a" ESC "[31\nnext", "a\nnext", "a\nnext", "a\nnext"},
    {"a" ESC, "a", "a", "a"},
    {"a" ESC "[1;3", "a", "a", "a"},
    /* One within another. */
    {"a" ESC "]0;x" ESC "[31mb", "ab", "a" ESC "[31mb", "ab"},
    {"a" ESC "[" ESC "[32mb", "ab", "a" ESC "[32mb", "ab"},
    /* Control characters: a pipe gets them, a terminal those that do no harm. */
    {"\a\b\v\f\x0e\x0f\x05\x7f.", "\a\b\v\f\x0e\x0f\x05\x7f.", "\b.", "\b."},
    /* Letters in UTF-8 whose bytes look like C1. */
    {"\xc5\x9b \xe2\x80\x9b \xf0\x9f\x98\x80 \xc2\xa0",
     "\xc5\x9b \xe2\x80\x9b \xf0\x9f\x98\x80 \xc2\xa0",
     "\xc5\x9b \xe2\x80\x9b \xf0\x9f\x98\x80 \xc2\xa0",
     "\xc5\x9b \xe2\x80\x9b \xf0\x9f\x98\x80 \xc2\xa0"},
    /* C1 as such: in UTF-8, alone, in an overlong form, after half a character. */
    {"a\xc2\x9b"
     "31mb",
     "a\xc2\x9b"
     "31mb",
     "a31mb", "a31mb"},
    {"a\x9b"
     "31mb\x90",
     "a\x9b"
     "31mb\x90",
     "a31mb", "a31mb"},
    {"\xc1\x9b\xe0\x82\x9b\xf0\x80\x82\x9b.", "\xc1\x9b\xe0\x82\x9b\xf0\x80\x82\x9b.",
     "\xc1\xe0\xf0.", "\xc1\xe0\xf0."},
    {"\xe2\x80"
     "a\x9b",
     "\xe2\x80"
     "a\x9b",
     "\xe2\x80"
     "a",
     "\xe2\x80"
     "a"},
    {"\xc2" ESC "[m\x9b.", "\xc2\x9b.", ESC "[m.", "."},
    {"\xc2\xc2\x9b.", "\xc2\xc2\x9b.", ".", "."},
    /* Latin-1: what is printable there stays. */
    {"caf\xe9 \xa4.", "caf\xe9 \xa4.", "caf\xe9 \xa4.", "caf\xe9 \xa4."},
};

/* Whole, and cut at each place. */
START_TEST(test_texts) {
    const struct {
        EscapeFilterMode mode;
        const char *expected;
    } modes[] = {{ESCAPE_FILTER_RAW, texts[_i].in},
                 {ESCAPE_FILTER_STRIP, texts[_i].stripped},
                 {ESCAPE_FILTER_COLOUR, texts[_i].coloured},
                 {ESCAPE_FILTER_PLAIN, texts[_i].plain}};
    size_t size = strlen(texts[_i].in);
    char out[1024];

    for (size_t m = 0; m < ELEMENTSOF(modes); m++)
        for (size_t piece = 1; piece <= size; piece++) {
            size_t n = filter_pieces(modes[m].mode, texts[_i].in, size, piece, out);
            out[n] = '\0';
            ck_assert_msg(n == strlen(modes[m].expected) && streq(out, modes[m].expected),
                          "mode %d, pieces of %zu: \"%s\"", (int)modes[m].mode, piece, out);
        }
}
END_TEST

START_TEST(test_dumb) {
    static const char in[] = "a" ESC "[31mb" ESC "[Kc\a\n";
    char out[512];
    size_t n = filter_pieces(ESCAPE_FILTER_DUMB, in, strlen(in), 3, out);

    ck_assert_uint_eq(n, 4);
    ck_assert_int_eq(memcmp(out, "abc\n", 4), 0);
}
END_TEST

START_TEST(test_coloured) {
    static const struct {
        const char *text;
        bool coloured;
    } steps[] = {{"a", false},           {ESC "[31", false}, {"mx", true},
                 {"y" ESC "[0m", false}, {ESC "[1m", true},  {ESC "[m", false},
                 {ESC "[7m", true},      {ESC "[>0m", true}, {ESC "[0;1m", true}};
    EscapeFilter f;
    char out[512];

    escape_filter_init(&f, ESCAPE_FILTER_COLOUR);
    for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
        (void)escape_filter(&f, steps[i].text, strlen(steps[i].text), out);
        ck_assert_msg(f.coloured == steps[i].coloured, "step %zu", i);
    }
}
END_TEST

/* A sequence without an end, as long as can be: nothing of it is kept beyond the cap. */
START_TEST(test_endless) {
    static const char *const heads[] = {ESC "[", ESC "]0;", ESC "P", ESC "("};
    _cleanup_free_ char *in = malloc(LONG_SIZE), *out = malloc(LONG_SIZE + ESCAPE_FILTER_MORE);

    memset(in, '0', LONG_SIZE);
    memcpy(in, heads[_i], strlen(heads[_i]));
    in[LONG_SIZE - 2] = '\n';
    in[LONG_SIZE - 1] = '.';
    for (EscapeFilterMode mode = ESCAPE_FILTER_STRIP; mode <= ESCAPE_FILTER_DUMB; mode++) {
        size_t n = filter_pieces(mode, in, LONG_SIZE, 777, out);
        if (_i < 3)
            ck_assert_uint_eq(n, 2);
        ck_assert_int_eq(memcmp(out + n - 2, "\n.", 2), 0);
    }
    /* Colours without end are none. */
    in[LONG_SIZE - 2] = 'm';
    size_t n = filter_pieces(ESCAPE_FILTER_COLOUR, in, LONG_SIZE, LONG_SIZE, out);
    if (_i == 0)
        ck_assert_uint_eq(n, 1);
}
END_TEST

START_TEST(test_cut) {
    EscapeFilter f;
    char out[512];

    escape_filter_init(&f, ESCAPE_FILTER_COLOUR);
    ck_assert_uint_eq(escape_filter(&f, "a" ESC "]0;", 5, out), 1);
    escape_filter_cut(&f);
    ck_assert_uint_eq(escape_filter(&f, "b", 1, out), 1);
    ck_assert_int_eq(out[0], 'b');
}
END_TEST

/* Anything, cut anywhere: the same comes out, and a terminal sees nothing else than it may. */
START_TEST(test_random) {
    static const char pool[] =
        "\x1b\x1b\x1b[[]PX^_\\;:?>0123mKHJh\a\r\n\b\t\x18\x1a\x9b\x9c\xc2\xc5\xe2\x80\xf0 aé";
    unsigned seed = 17 + (unsigned)_i;
    char in[2000], whole[sizeof(in) + ESCAPE_FILTER_MORE], cut[4 * sizeof(in)];

    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = pool[(size_t)rand_r(&seed) % (sizeof(pool) - 1)];
    for (EscapeFilterMode mode = ESCAPE_FILTER_RAW; mode <= ESCAPE_FILTER_DUMB; mode++) {
        size_t n = filter_pieces(mode, in, sizeof(in), sizeof(in), whole);
        for (size_t piece = 1; piece < 40; piece++) {
            ck_assert_uint_eq(filter_pieces(mode, in, sizeof(in), piece, cut), n);
            MUST(memcmp(whole, cut, n) == 0);
        }
        for (size_t i = 0; i < n && mode >= ESCAPE_FILTER_COLOUR; i++) {
            unsigned char c = (unsigned char)whole[i];
            MUST(c >= 0x20 || strchr("\t\n\r\b\x1b", c));
            if (c != 0x1b)
                continue;
            size_t end = i + 2;
            MUST(mode != ESCAPE_FILTER_DUMB && whole[i + 1] == '[');
            while (end < n && whole[end] >= '0' && whole[end] <= ';')
                end++;
            MUST(end < n &&
                 (whole[end] == 'K' || (whole[end] == 'm' && mode == ESCAPE_FILTER_COLOUR)));
        }
    }
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("escape-filter");
    TCase *t = tcase_create("escape-filter");

    tcase_add_loop_test(t, test_texts, 0, ELEMENTSOF(texts));
    tcase_add_test(t, test_dumb);
    tcase_add_test(t, test_coloured);
    tcase_add_loop_test(t, test_endless, 0, 4);
    tcase_add_test(t, test_cut);
    tcase_add_loop_test(t, test_random, 0, 20);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
