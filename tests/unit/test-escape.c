/* Terminal control sequences: what is text, what belongs to one, and which are reported whole. */

#include "common/escape.h"
#include "tests/unit/unit.h"

#define TEXT(literal) literal, sizeof(literal) - 1

typedef struct Shown {
    char text[1024];
    size_t size;
} Shown;

static void show(Shown *s, const char *data, size_t size) {
    MUST(s->size + size < sizeof(s->text));
    memcpy(s->text + s->size, data, size);
    s->size += size;
    s->text[s->size] = '\0';
}

/* Of a sequence that is reported what stands between introducer and terminator, in brackets of its
 * kind; '!' where one was given up; '~' where one was too long. */
static void show_end(Shown *s, const EscapeParser *p) {
    static const char *const brackets[] = {
        [ESCAPE_CSI] = "[]", [ESCAPE_OSC] = "{}", [ESCAPE_STRING] = "()", [ESCAPE_OTHER] = "<>"};

    show(s, brackets[p->kind], 1);
    if (p->overlong)
        show(s, "~", 1);
    else
        show(s, p->bytes + 1, p->size - 1);
    show(s, brackets[p->kind] + 1, 1);
}

static void feed(EscapeParser *p, Shown *s, char c) {
    switch (escape_feed(p, c)) {
    case ESCAPE_BROKEN:
        show(s, "!", 1);
        show(s, &c, 1);
        break;
    case ESCAPE_TEXT:
        show(s, &c, 1);
        break;
    case ESCAPE_END:
        show_end(s, p);
        break;
    case ESCAPE_INSIDE:
        break;
    }
}

static const struct {
    const char *data;
    size_t size;
    const char *shown;
} inputs[] = {
    {TEXT(""), ""},
    {TEXT("plain\n"), "plain\n"},
    {TEXT("a\bb\rc\x18\x1a\x7f"), "a\bb\rc\x18\x1a\x7f"},
    {TEXT("\x9b"
          "0m\x9d"),
     "\x9b"
     "0m\x9d"},

    {TEXT("a\x1b[0mb"), "a[[0m]b"},
    {TEXT("\x1b[2K\x1b[1G50%"), "[[2K][[1G]50%"},
    {TEXT("\x1b[?25l\x1b[38:2:1m\x1b[4 qx"), "[[?25l][[38:2:1m][[4 q]x"},
    {TEXT("\x1b[@\x1b[~y"), "[[@][[~]y"},
    {TEXT("\x1b[3"), ""},
    {TEXT("\x1b[3\x1b[0mb"), "[[0m]b"}, /* ESC begins anew */
    {TEXT("\x1b[3\xc3\xa9z"), "!\xc3\xa9z"},
    {TEXT("\x1b[3\x18m"), "!\x18m"},
    {TEXT("\x1b[3\x1am"), "!\x1am"},
    {TEXT("\x1b[3\nm"), "!\nm"},
    {TEXT("\x1b[3\x7fm"), "!\x7fm"},
    {TEXT("\x1b[3\x9cm"), "!\x9cm"},

    {TEXT("\x1b]9;4;1;50\ax"), "{]9;4;1;50\a}x"},
    {TEXT("\x1b]9;4;1;50\x1b\\x"), "{]9;4;1;50\x1b\\}x"},
    {TEXT("\x1b]9;4;1;50\x9cx"), "{]9;4;1;50\x9c}x"},
    {TEXT("\x1b]9;4;1;50\xc2\x9cx"), "{]9;4;1;50\xc2\x9c}x"},
    /* 0x9c inside of a character: U+275C, U+1F71C, U+00DC */
    {TEXT("\x1b]0;\xe2\x9d\x9c\ax"), "{]0;\xe2\x9d\x9c\a}x"},
    {TEXT("\x1b]0;\xf0\x9f\x9c\x9c\ax"), "{]0;\xf0\x9f\x9c\x9c\a}x"},
    {TEXT("\x1b]0;\xc3\x9c\ax"), "{]0;\xc3\x9c\a}x"},
    /* and beside one */
    {TEXT("\x1b]0;\xc3\xbc\x9cx"), "{]0;\xc3\xbc\x9c}x"},
    {TEXT("\x1b]0;\xe2"
          "a\x9cx"),
     "{]0;\xe2"
     "a\x9c}x"},
    {TEXT("\x1b]0;\xc0\x9cx"), "{]0;\xc0\x9c}x"},
    {TEXT("\x1b]0;\xff\x9cx"), "{]0;\xff\x9c}x"},
    {TEXT("\x1b]0;nul\0in\ax"), "{]0;nul"},
    {TEXT("\x1b]0;title\x1b[0mb"), "[[0m]b"}, /* broken off by another one */
    {TEXT("\x1b]0;title\x1b\x1b\\b"), "<\\>b"},
    {TEXT("\x1b]0;title\x1b\x1b]1\ab"), "{]1\a}b"},
    {TEXT("\x1b]0;title\x1b"
          "7b"),
     "<7>b"},
    {TEXT("\x1b]0;title\x1b\xc3\xa9"), "!\xc3\xa9"},
    {TEXT("\x1b]0;title\x1b\nb"), "!\nb"},
    {TEXT("\x1b]0;title\nb\a"), "!\nb\a"},
    {TEXT("\x1b]0;title\rb"), "!\rb"},
    {TEXT("\x1b]0;title\x18"
          "b\x1b]0;\x1a"
          "b"),
     "!\x18"
     "b!\x1a"
     "b"},
    {TEXT("\x1b]0;no end"), ""},

    {TEXT("\x1bPq#0\x1b\\x\x1bXsos\ax"), "(Pq#0\x1b\\)x(Xsos\a)x"},
    {TEXT("\x1b^pm\x9cx\x1b_apc\x1b\\x"), "(^pm\x9c)x(_apc\x1b\\)x"},
    {TEXT("\x1bPq\nx"), "!\nx"},

    {TEXT("\x1b"
          "7\x1b(B\x1b#8\x1b%Gx"),
     "<7><(B><#8><%G>x"},
    {TEXT("\x1b([0mx"), "<([>0mx"}, /* no CSI */
    {TEXT("\x1b\x1b\x1b"
          "cb"),
     "<c>b"},
    {TEXT("\x1b\tb\x1b\xc3\xa9\x1b(\rx"), "!\tb!\xc3\xa9!\rx"},
    {TEXT("\x1b\x18[0m"), "!\x18[0m"},
    {TEXT("\x1b\\x"), "<\\>x"},
};

START_TEST(test_inputs) {
    EscapeParser p = {};
    Shown s = {};

    for (size_t i = 0; i < inputs[_i].size; i++)
        feed(&p, &s, inputs[_i].data[i]);
    ck_assert_str_eq(s.text, inputs[_i].shown);
}
END_TEST

static void feed_many(EscapeParser *p, Shown *s, const char *start, char c, size_t n) {
    for (; *start; start++)
        feed(p, s, *start);
    while (n-- > 0)
        feed(p, s, c);
}

static const struct {
    const char *start;
    char repeated;
} endless[] = {{"\x1b[", '3'}, {"\x1b]9;4;", '1'}, {"\x1bP", '\x80'}, {"\x1b(", ' '}};

/* One that never ends keeps no more than its cap, and what ends it is as with any other. */
START_TEST(test_endless) {
    EscapeParser p = {};
    Shown s = {};

    feed_many(&p, &s, endless[_i].start, endless[_i].repeated, 10 * MIB);
    ck_assert_uint_eq(p.size, ESCAPE_MAX);
    ck_assert(p.overlong);
    ck_assert_str_eq(s.text, "");
    feed_many(&p, &s, "", '\n', 1);
    ck_assert_str_eq(s.text, "!\n");
    feed_many(&p, &s, "\x1b[1m", 'x', 1); /* and the next is whole again */
    ck_assert_str_eq(s.text, "!\n[[1m]x");
}
END_TEST

START_TEST(test_longest) {
    EscapeParser p = {};
    Shown s = {};

    feed_many(&p, &s, "\x1b]", 'x', ESCAPE_MAX - 3);
    ck_assert_uint_eq(p.size, ESCAPE_MAX - 1);
    feed_many(&p, &s, "", '\a', 1);
    ck_assert(!p.overlong);
    ck_assert_uint_eq(s.size, ESCAPE_MAX - 1 + 2);

    s = (Shown){};
    feed_many(&p, &s, "\x1b]", 'x', ESCAPE_MAX - 2);
    feed_many(&p, &s, "", '\a', 1);
    ck_assert_str_eq(s.text, "{~}");
}
END_TEST

START_TEST(test_reset) {
    EscapeParser p = {};
    Shown s = {};

    feed_many(&p, &s, "\x1b]0;title", 'x', 1);
    escape_reset(&p);
    feed_many(&p, &s, "text", '\a', 1);
    ck_assert_str_eq(s.text, "text\a");
}
END_TEST

/* Outside of a sequence each byte but ESC is text: who waits for one may look for ESC alone. */
START_TEST(test_text) {
    EscapeParser p = {};

    for (int c = 0; c < 256; c++) {
        ck_assert_int_eq(escape_feed(&p, (char)c), c == 0x1b ? ESCAPE_INSIDE : ESCAPE_TEXT);
        ck_assert_int_eq(p.state != 0, c == 0x1b);
        escape_reset(&p);
    }
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("escape");
    TCase *t = tcase_create("escape");

    tcase_add_loop_test(t, test_inputs, 0, ELEMENTSOF(inputs));
    tcase_add_loop_test(t, test_endless, 0, ELEMENTSOF(endless));
    tcase_add_test(t, test_longest);
    tcase_add_test(t, test_reset);
    tcase_add_test(t, test_text);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
