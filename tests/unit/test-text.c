/* What programs print, made fit for a D-Bus string: escape sequences, control characters, bytes
 * that are no UTF-8, length. */

#include "common/cleanup.h"
#include "common/text.h"
#include "tests/unit/unit.h"

#define BAD "\xef\xbf\xbd"  /* U+FFFD */
#define CUT "\xe2\x80\xa6"  /* the ellipsis */
#define EURO "\xe2\x82\xac" /* three bytes */

#define TEXT(literal) literal, sizeof(literal) - 1

static const struct {
    const char *data;
    size_t size;
    const char *clean;
} texts[] = {
    {TEXT(""), ""},
    {TEXT("plain"), "plain"},
    {TEXT("a\tb"), "a\tb"},
    {TEXT("a\nb\rc"), "abc"},
    {TEXT("bell\a back\b del\x7f"), "bell back del"},
    {TEXT("nul\0inside\0"), "nulinside"},
    {TEXT("\x01\x1f\x0e\x0f"), ""},
    {TEXT("pri\xc3\xa8re " EURO " \xf0\x9f\x98\x80"), "pri\xc3\xa8re " EURO " \xf0\x9f\x98\x80"},
    /* C1 control characters: to a terminal U+009B is as good as ESC [. */
    {TEXT("a\xc2\x80"
          "b\xc2\x9b"
          "c\xc2\x9f"
          "d"),
     "abcd"},
    {TEXT("a\xc2\xa0"
          "b"),
     "a\xc2\xa0"
     "b"},

    /* CSI */
    {TEXT("\x1b[0mred\x1b[1;31m!"), "red!"},
    {TEXT("\x1b[2K\x1b[1G50%"), "50%"},
    {TEXT("\x1b[?25lx\x1b[?25h"), "x"},
    {TEXT("\x1b[38:2:1:2:3mx"), "x"},
    {TEXT("\x1b[4 qx"), "x"},
    {TEXT("\x1b[@x\x1b[~y"), "xy"},
    {TEXT("a\x1b["), "a"},
    {TEXT("a\x1b[31"), "a"},
    {TEXT("a\x1b[31\x1b[0mb"), "ab"}, /* ESC begins anew */
    {TEXT("a\x1b[3\xc3\xa9z"), "a\xc3\xa9z"},

    /* OSC and the other strings: up to BEL or ST */
    {TEXT("\x1b]0;title\ax"), "x"},
    {TEXT("\x1b]0;title\x1b\\x"), "x"},
    {TEXT("\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\"), "link"},
    {TEXT("\x1b]9;4;1;50\ax"), "x"},
    {TEXT("a\x1b]0;no end"), "a"},
    {TEXT("a\x1b]0;title\x1b"), "a"},
    {TEXT("a\x1b]0;title\x1b[0mb"), "ab"}, /* broken off by another sequence */
    {TEXT("\x1bPq#0;2\x1b\\x"), "x"},
    {TEXT("\x1bXsos\x1b\\x"), "x"},
    {TEXT("\x1b^pm\x1b\\x"), "x"},
    {TEXT("\x1b_apc\x1b\\x"), "x"},
    {TEXT("\x1b]0;nul\0inside\ax"), "x"},
    {TEXT("\x1b]0;title\x9cx"), "x"},
    {TEXT("\x1b]0;no end\nx\x1b[3\nmy"), "xmy"}, /* hides no more than its line */

    /* the short ones */
    {TEXT("a\x1b"), "a"},
    {TEXT("\x1b"
          "7x\x1b"
          "8"),
     "x"},
    {TEXT("\x1b(Bx"), "x"},
    {TEXT("\x1b#8x"), "x"},
    {TEXT("\x1b(0x\x1b%Gy"), "xy"},
    {TEXT("a\x1b("), "a"},
    {TEXT("a\x1b\0b"), "ab"},
    {TEXT("a\x1b\x1b[0mb"), "ab"},
    {TEXT("a\x1b\x1b\x1b"
          "cb"),
     "ab"},
    {TEXT("a\x1b\xc3\xa9"
          "b"),
     "a\xc3\xa9"
     "b"},
    {TEXT("a\x1b\tb"), "a\tb"},

    /* no UTF-8 */
    {TEXT("\x80"), BAD},
    {TEXT("a\xff\xfe"
          "b"),
     "a" BAD BAD "b"},
    {TEXT("\xc3"), BAD},
    {TEXT("\xc3("), BAD "("},
    {TEXT("\xe2\x82"), BAD BAD},
    {TEXT("\xe2\x82x"), BAD BAD "x"},
    {TEXT("\xf0\x9f\x98"), BAD BAD BAD},
    {TEXT("\xf0\x9f\x98\x80\x80"), "\xf0\x9f\x98\x80" BAD},
    {TEXT("\xc0\x80"), BAD BAD},                 /* overlong NUL */
    {TEXT("\xc1\xbf"), BAD BAD},                 /* overlong DEL */
    {TEXT("\xe0\x9f\xbf"), BAD BAD BAD},         /* overlong U+07FF */
    {TEXT("\xf0\x8f\xbf\xbf"), BAD BAD BAD BAD}, /* overlong U+FFFF */
    {TEXT("\xed\xa0\x80"), BAD BAD BAD},         /* U+D800, a surrogate */
    {TEXT("\xed\xbf\xbf"), BAD BAD BAD},         /* U+DFFF */
    {TEXT("\xf4\x90\x80\x80"), BAD BAD BAD BAD}, /* U+110000 */
    {TEXT("\xf5\x80\x80\x80"), BAD BAD BAD BAD},
    {TEXT("\xc0\x9b[0m"), BAD BAD "[0m"},                           /* an overlong ESC is none */
    {TEXT("a\xef\xbf\xbe"), "a" BAD BAD BAD},                       /* U+FFFE: no bus takes it */
    {TEXT("\xef\xb7\x8f\xef\xb7\xb0"), "\xef\xb7\x8f\xef\xb7\xb0"}, /* around U+FDD0 to U+FDEF */
    {TEXT("\xef\xb7\x90"), BAD BAD BAD},
    {TEXT("\xef\xb7\xaf"), BAD BAD BAD},
    {TEXT("\xf0\x9f\xbf\xbd"), "\xf0\x9f\xbf\xbd"}, /* U+1FFFD */
    {TEXT("\xf0\x9f\xbf\xbe"), BAD BAD BAD BAD},
};

START_TEST(test_clean) {
    _cleanup_free_ char *clean = text_clean(texts[_i].data, texts[_i].size, 1000);

    ck_assert_str_eq(clean, texts[_i].clean);
    ck_assert(utf8_is_valid(clean));
}
END_TEST

static const struct {
    const char *data;
    size_t size, max;
    const char *clean;
} cuts[] = {
    {TEXT(""), 0, ""},
    {TEXT("a"), 0, CUT},
    {TEXT("\x1b[0m"), 0, ""},
    {TEXT("abc"), 3, "abc"},
    {TEXT("abc\n"), 3, "abc"}, /* what is dropped needs no room */
    {TEXT("abc\x1b[0m"), 3, "abc"},
    {TEXT("abcd"), 3, "abc" CUT},
    {TEXT("ab" EURO), 5, "ab" EURO},
    {TEXT("ab" EURO), 4, "ab" CUT}, /* never half a character */
    {TEXT("ab" EURO), 3, "ab" CUT},
    {TEXT("ab" EURO), 2, "ab" CUT},
    {TEXT("\xff\xff"), 6, BAD BAD},
    {TEXT("\xff\xff"), 5, BAD CUT},
    {TEXT("\xff"), 2, CUT},
};

START_TEST(test_cut) {
    _cleanup_free_ char *clean = text_clean(cuts[_i].data, cuts[_i].size, cuts[_i].max);

    ck_assert_str_eq(clean, cuts[_i].clean);
}
END_TEST

/* Any two bytes in any place: the answer is UTF-8 without control characters, and within its cap.
 */
START_TEST(test_all_pairs) {
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++) {
            char data[] = {'<', (char)a, (char)b, '>', '\x1b', (char)b};
            _cleanup_free_ char *clean = text_clean(data, sizeof(data), 8);
            MUST(clean && utf8_is_valid(clean) && clean[0] == '<');
            MUST(strlen(clean) <= 8 + strlen(CUT));
            for (const char *p = clean; *p; p++)
                MUST(((unsigned char)*p >= 0x20 && *p != 0x7f) || *p == '\t');
        }
}
END_TEST

START_TEST(test_large) {
    size_t size = 1 * MIB;
    _cleanup_free_ char *data = malloc(size);

    memset(data, 0xff, size);
    _cleanup_free_ char *all = text_clean(data, size, 3 * size);
    ck_assert_uint_eq(strlen(all), 3 * size);
    _cleanup_free_ char *part = text_clean(data, size, 1000);
    ck_assert_uint_eq(strlen(part), 999 + strlen(CUT));
}
END_TEST

static const struct {
    const char *text;
    bool valid;
} strings[] = {
    {"", true},
    {"plain", true},
    {"\x7f\x01", true}, /* UTF-8 all the same */
    {"\xc2\x80", true},
    {"\xdf\xbf", true},
    {"\xe0\xa0\x80", true},
    {"\xed\x9f\xbf", true},
    {"\xee\x80\x80", true},
    {"\xef\xbf\xbd", true},
    {"\xef\xbf\xbe", false}, /* noncharacters: sd-bus sends none */
    {"\xef\xbf\xbf", false},
    {"\xef\xb7\x90", false},
    {"\xf0\x90\x80\x80", true},
    {"\xf4\x8f\xbf\xbd", true},
    {"\xf4\x8f\xbf\xbf", false},
    {"\x80", false},
    {"\xbf", false},
    {"\xc0\xaf", false},
    {"\xc1\xbf", false},
    {"\xc2", false},
    {"a\xc2", false},
    {"\xc2\xc2\x80", false},
    {"\xe0\x80\xaf", false},
    {"\xe0\x9f\xbf", false},
    {"\xe1\x80", false},
    {"\xe1\x80\xc0", false},
    {"\xed\xa0\x80", false},
    {"\xed\xb0\x80", false},
    {"\xf0\x8f\xbf\xbf", false},
    {"\xf0\x90\x80", false},
    {"\xf0\x90\x80\x7f", false},
    {"\xf4\x90\x80\x80", false},
    {"\xf8\x88\x80\x80\x80", false},
    {"\xfe", false},
    {"\xff", false},
};

START_TEST(test_valid) {
    ck_assert_int_eq(utf8_is_valid(strings[_i].text), strings[_i].valid);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("text");
    TCase *t = tcase_create("text");

    tcase_add_loop_test(t, test_clean, 0, ELEMENTSOF(texts));
    tcase_add_loop_test(t, test_cut, 0, ELEMENTSOF(cuts));
    tcase_add_test(t, test_all_pairs);
    tcase_add_test(t, test_large);
    tcase_add_loop_test(t, test_valid, 0, ELEMENTSOF(strings));
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
