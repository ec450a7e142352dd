/* Messages of lines KEY=VALUE: what is added, what is cut, and how odd ones are walked. */

#include "common/cleanup.h"
#include "common/fields.h"
#include "common/text.h"
#include "tests/unit/unit.h"

static void expect(const Fields *f, const char *text) {
    ck_assert_uint_eq(f->size, strlen(text));
    ck_assert_mem_eq(f->data, text, f->size);
}

START_TEST(test_add) {
    Fields f = {};

    fields_add(&f, "STATUS", "copying");
    fields_add(&f, "EMPTY", "");
    fields_add(&f, "EQUALS", "a=b=c");
    fields_add(&f, "TWO", "one\ntwo\n");
    fields_addf(&f, "N", "%d of %s", 7, "9");
    expect(&f, "STATUS=copying\nEMPTY=\nEQUALS=a=b=c\nTWO=one two \nN=7 of 9\n");
}
END_TEST

START_TEST(test_addf_long) {
    _cleanup_free_ char *text = malloc(4001);
    Fields f = {};

    memset(text, 'x', 4000);
    text[4000] = '\0';
    fields_addf(&f, "K", "%s", text);
    ck_assert_uint_eq(f.size, strlen("K=\n") + 1023);
    ck_assert_int_eq(f.data[f.size - 1], '\n');
}
END_TEST

/* A message that has `room` bytes left. */
static void fill_up(Fields *f, size_t room) {
    f->size = 0;
    memset(f->data, '#', sizeof(f->data));
    while (sizeof(f->data) - f->size > room)
        f->data[f->size++] = 'x';
}

/* What becomes of "K=" and the value when there is room for that many bytes. */
static const struct {
    size_t room;
    const char *value, *line;
} cuts[] = {
    {0, "abc", ""},
    {1, "abc", ""},
    {2, "abc", ""}, /* no room for the end of the line */
    {3, "abc", "K=\n"},
    {4, "abc", "K=a\n"},
    {5, "abc", "K=ab\n"},
    {6, "abc", "K=abc\n"},
    {7, "abc", "K=abc\n"},
    {3, "", "K=\n"},
    {4, "a\nb", "K=a\n"},
    {5, "a\nb", "K=a \n"},
    {3, "\xc3\xa9", "K=\n"}, /* e with acute, two bytes */
    {4, "\xc3\xa9", "K=\n"},
    {5, "\xc3\xa9", "K=\xc3\xa9\n"},
    {6, "a\xc3\xa9z", "K=a\xc3\xa9\n"},
    {5, "\xe2\x82\xac", "K=\n"}, /* the euro sign, three */
    {6, "\xe2\x82\xac", "K=\xe2\x82\xac\n"},
    {6, "\xf0\x9f\x98\x80", "K=\n"}, /* four */
    {7, "\xf0\x9f\x98\x80!", "K=\xf0\x9f\x98\x80\n"},
};

START_TEST(test_cut) {
    size_t key_room = strlen("K=\n");
    Fields f;

    fill_up(&f, cuts[_i].room);
    size_t before = f.size;
    fields_add(&f, "K", cuts[_i].value);
    ck_assert_uint_eq(f.size - before, strlen(cuts[_i].line));
    ck_assert_mem_eq(f.data + before, cuts[_i].line, f.size - before);
    ck_assert(cuts[_i].room >= key_room || f.size == before);
}
END_TEST

START_TEST(test_overflow) {
    _cleanup_free_ char *huge = malloc(FIELDS_MAX * 2 + 1);
    Fields f = {};

    memset(huge, 'v', FIELDS_MAX * 2);
    huge[FIELDS_MAX * 2] = '\0';
    fields_add(&f, "A", huge);
    ck_assert_uint_eq(f.size, FIELDS_MAX);
    ck_assert_int_eq(f.data[FIELDS_MAX - 1], '\n');
    fields_add(&f, "B", "lost");
    fields_add(&f, "", "");
    ck_assert_uint_eq(f.size, FIELDS_MAX);

    /* A short line still fits where a long key did not. */
    fill_up(&f, 4);
    fields_add(&f, "LONG", "");
    ck_assert_uint_eq(f.size, FIELDS_MAX - 4);
    fields_add(&f, "S", "1");
    ck_assert_uint_eq(f.size, FIELDS_MAX);
}
END_TEST

/* Whatever is cut, wherever: what arrives is UTF-8. */
START_TEST(test_never_half_a_character) {
    for (size_t room = 3; room < 40; room++) {
        Fields f;
        fill_up(&f, room);
        size_t before = f.size;
        fields_add(&f, "K", "\xf0\x9f\x98\x80\xc3\xa9\xe2\x82\xac-\xf0\x9f\x98\x80\xe2\x82\xac.");
        char line[64] = {};
        memcpy(line, f.data + before, f.size - before);
        ck_assert_msg(utf8_is_valid(line), "room %zu", room);
        ck_assert_int_eq(f.data[f.size - 1], '\n');
    }
}
END_TEST

static const struct {
    const char *message;
    const char *pairs[9]; /* keys and values in turn */
} walks[] = {
    {"", {}},
    {"\n", {}},
    {"\n\n\n", {}},
    {"no equals sign", {}},
    {"A=1", {"A", "1"}},
    {"A=1\n", {"A", "1"}},
    {"A=1\nB=2\n", {"A", "1", "B", "2"}},
    {"A=1\nB=2", {"A", "1", "B", "2"}},
    {"A=\n", {"A", ""}},
    {"A=", {"A", ""}},
    {"=1\n", {"", "1"}},
    {"=", {"", ""}},
    {"A==\n", {"A", "="}},
    {"A=1=2\n", {"A", "1=2"}},
    {"\n\nA=1\n\nB=2\n\n", {"A", "1", "B", "2"}},
    {"junk\nA=1\njunk\nB=2\njunk", {"A", "1", "B", "2"}},
    {"A=1\nA=2\n", {"A", "1", "A", "2"}},
    {" A = 1 \n", {" A ", " 1 "}},
    {"A=1\r\n", {"A", "1\r"}},
    {"\xff=\xfe\n", {"\xff", "\xfe"}},
};

START_TEST(test_walk) {
    _cleanup_free_ char *copy = strdup(walks[_i].message);
    const char *const *pair = walks[_i].pairs;
    const char *key, *value;
    char *cursor = copy;

    while (fields_next(&cursor, &key, &value)) {
        ck_assert_msg(pair[0], "one too many: %s=%s", key, value);
        ck_assert_str_eq(key, pair[0]);
        ck_assert_str_eq(value, pair[1]);
        pair += 2;
    }
    ck_assert_ptr_null(pair[0]);
    ck_assert(!fields_next(&cursor, &key, &value));
}
END_TEST

START_TEST(test_there_and_back) {
    char message[FIELDS_MAX + 1];
    const char *key, *value;
    Fields f = {};
    int n = 0;

    for (int i = 0; i < 100; i++)
        fields_addf(&f, "KEY", "value %d", i);
    memcpy(message, f.data, f.size);
    message[f.size] = '\0';
    for (char *cursor = message; fields_next(&cursor, &key, &value); n++) {
        char wanted[32];
        snprintf(wanted, sizeof(wanted), "value %d", n);
        ck_assert_str_eq(key, "KEY");
        ck_assert_str_eq(value, wanted);
    }
    ck_assert_int_eq(n, 100);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("fields");
    TCase *t = tcase_create("fields");

    tcase_add_test(t, test_add);
    tcase_add_test(t, test_addf_long);
    tcase_add_loop_test(t, test_cut, 0, ELEMENTSOF(cuts));
    tcase_add_test(t, test_overflow);
    tcase_add_test(t, test_never_half_a_character);
    tcase_add_loop_test(t, test_walk, 0, ELEMENTSOF(walks));
    tcase_add_test(t, test_there_and_back);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
