/* Whether a text is JSON that can be handed on. */

#include <errno.h>

#include "daemon/core/json-text.h"
#include "tests/unit/unit.h"

static const struct {
    const char *text;
    int r;
    size_t n_values;
} texts[] = {
    {"null", 0, 1},
    {" true\r\n", 0, 1},
    {"\tfalse ", 0, 1},
    {"0", 0, 1},
    {"-0", 0, 1},
    {"-12.50e+3", 0, 1},
    {"1E9", 0, 1},
    {"\"\"", 0, 1},
    {"\"a \\\"b\\\" \\\\ \\/ \\b\\f\\n\\r\\t \\u00e9\"", 0, 1},
    {"\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\"", 0, 1},
    {"\"\\ud83d\\ude00 \\ud83d \\u0000\"", 0, 1}, /* as long as it is escaped */
    {"[]", 0, 1},
    {"[ ]", 0, 1},
    {"{}", 0, 1},
    {"[1,[2],{\"a\":3}]", 0, 6},
    {"{ \"a\" : [ ] , \"b\" : { \"c\" : null } }", 0, 4},
    {"{\"a\":1,\"a\":2}", 0, 3},
    {"[[],[],[{}]]", 0, 5},

    {"", -EBADMSG},
    {" ", -EBADMSG},
    {"nul", -EBADMSG},
    {"nulll", -EBADMSG},
    {"True", -EBADMSG},
    {"NaN", -EBADMSG},
    {"Infinity", -EBADMSG},
    {"-", -EBADMSG},
    {"01", -EBADMSG},
    {"+1", -EBADMSG},
    {".5", -EBADMSG},
    {"1.", -EBADMSG},
    {"1e", -EBADMSG},
    {"1e+", -EBADMSG},
    {"0x10", -EBADMSG},
    {"1 2", -EBADMSG},
    {"\"", -EBADMSG},
    {"\"a", -EBADMSG},
    {"\"a\\\"", -EBADMSG},
    {"\"\\", -EBADMSG},
    {"\"\\x41\"", -EBADMSG},
    {"\"\\u12", -EBADMSG},
    {"\"\\u123g\"", -EBADMSG},
    {"\"a\nb\"", -EBADMSG},
    {"'a'", -EBADMSG},
    {"\"\xff\"", -EBADMSG},
    {"\"\xc3\"", -EBADMSG},
    {"\"\xe2\x82", -EBADMSG},
    {"\"\xed\xa0\x80\"", -EBADMSG}, /* half of a surrogate pair */
    {"\xef\xbb\xbf{}", -EBADMSG},
    {"[", -EBADMSG},
    {"]", -EBADMSG},
    {"[1", -EBADMSG},
    {"[1,", -EBADMSG},
    {"[1,]", -EBADMSG},
    {"[,1]", -EBADMSG},
    {"[1 2]", -EBADMSG},
    {"[1}", -EBADMSG},
    {"[]]", -EBADMSG},
    {"{", -EBADMSG},
    {"{1:2}", -EBADMSG},
    {"{\"a\"}", -EBADMSG},
    {"{\"a\":}", -EBADMSG},
    {"{\"a\":1,}", -EBADMSG},
    {"{\"a\":1 \"b\":2}", -EBADMSG},
    {"{\"a\":1]", -EBADMSG},
    {"{\"a\" 1}", -EBADMSG},
    {"// no\n1", -EBADMSG},
    {"<html></html>", -EBADMSG},
};

/* In memory that ends where the text does: a reader that goes on is found out. */
START_TEST(test_text) {
    size_t size = strlen(texts[_i].text), n_values = 4711;
    char *text = malloc(size ?: 1);

    ck_assert_ptr_nonnull(text);
    memcpy(text, texts[_i].text, size);
    ck_assert_msg(json_text_check(text, size, &n_values) == texts[_i].r, "%s", texts[_i].text);
    ck_assert_uint_eq(n_values, texts[_i].r < 0 ? 4711 : texts[_i].n_values);
    ck_assert_int_eq(json_text_check(text, size, NULL), texts[_i].r);
    free(text);
}
END_TEST

START_TEST(test_nul) {
    ck_assert_int_eq(json_text_check("1\0", 2, NULL), -EBADMSG);
    ck_assert_int_eq(json_text_check("\"a\0b\"", 5, NULL), -EBADMSG);
    ck_assert_int_eq(json_text_check("\0", 1, NULL), -EBADMSG);
}
END_TEST

static int check_nested(size_t depth, const char *open, const char *close) {
    char *text = malloc(depth * (strlen(open) + strlen(close)) + 2), *to = text;
    int r;

    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < depth; i++)
        to = stpcpy(to, open);
    to = stpcpy(to, "1");
    for (size_t i = 0; i < depth; i++)
        to = stpcpy(to, close);
    r = json_text_check(text, strlen(text), NULL);
    free(text);
    return r;
}

START_TEST(test_depth) {
    ck_assert_int_eq(check_nested(JSON_TEXT_DEPTH_MAX, "[", "]"), 0);
    ck_assert_int_eq(check_nested(JSON_TEXT_DEPTH_MAX + 1, "[", "]"), -E2BIG);
    ck_assert_int_eq(check_nested(JSON_TEXT_DEPTH_MAX, "{\"a\":", "}"), 0);
    ck_assert_int_eq(check_nested(JSON_TEXT_DEPTH_MAX / 2, "[{\"a\":", "}]"), 0);
    ck_assert_int_eq(check_nested(JSON_TEXT_DEPTH_MAX + 1, "{\"a\":", "}"), -E2BIG);
    ck_assert_int_eq(check_nested(1000000, "[", "]"), -E2BIG);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("json-text");
    TCase *t = tcase_create("json-text");

    tcase_add_loop_test(t, test_text, 0, ELEMENTSOF(texts));
    tcase_add_test(t, test_nul);
    tcase_add_test(t, test_depth);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
