/* Names, URLs and times of messengers. */

#include "common/cleanup.h"
#include "daemon/http/messenger-text.h"
#include "daemon/http/messenger-time.h"
#include "tests/unit/unit.h"

/* ---- names ---- */

static const struct {
    const char *name, *problem;
} names[] = {
    {"anna", NULL},
    {"Anna Maria", NULL},
    {" a ", NULL},
    {"a/b?c=d&e#f%00", NULL},
    {"...", NULL},
    {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", NULL},
    {"<b>", NULL},
    {"", "is empty"},
    {"   ", "is empty"},
    {".", "cannot be part of a URL"},
    {"..", "cannot be part of a URL"},
    {"a\n", "has a control character in it"},
    {"\t", "has a control character in it"},
    {"a\x1b[0m", "has a control character in it"},
    {"a\x7f", "has a control character in it"},
    {"a\xc2\x9b", "has a control character in it"},
    {"a\xff", "is not UTF-8"},
};

START_TEST(test_names) {
    ck_assert_pstr_eq(messenger_name_problem(names[_i].name), names[_i].problem);
}
END_TEST

START_TEST(test_blank) {
    ck_assert(messenger_is_blank(""));
    ck_assert(messenger_is_blank(" \t\r\n"));
    ck_assert(!messenger_is_blank(" . "));
}
END_TEST

/* ---- URLs ---- */

static const struct {
    const char *text, *encoded;
} urls[] = {
    {"anna", "anna"},
    {"AZaz09-._~", "AZaz09-._~"},
    {"a b+c", "a%20b%2Bc"},
    {"a/../b?x=1&y#z", "a%2F..%2Fb%3Fx%3D1%26y%23z"},
    {"100%", "100%25"},
    {"\xc3\xa4\"'<>\\", "%C3%A4%22%27%3C%3E%5C"},
    {"", ""},
};

START_TEST(test_encode) {
    _cleanup_free_ char *encoded = messenger_url_encode(urls[_i].text);

    ck_assert_str_eq(encoded, urls[_i].encoded);
}
END_TEST

/* ---- times ---- */

static const struct {
    const char *text;
    uint64_t usec;
} times[] = {
    {"1700000000", 1700000000000000},
    {"1700000000.25", 1700000000250000},
    {"1700000000.1234567", 1700000000123456},
    {"1700000000123", 1700000000123000},
    {"1700000000123.5", 1700000000123500},
    {"1700000000123456", 1700000000123456},
    {"1700000000123456789", 1700000000123456},
    {"0", 0},
    {"1", 1000000},
    {"-5", 0},
    {"1e9", 0},
    {"99999999999999999999999", 0},
    {"12 o'clock", 0},
    {"", 0},
    {"never", 0},
    {"2023-11-14T22:13:20Z", 1700000000000000},
    {"2023-11-14t22:13:20z", 1700000000000000},
    {"2023-11-14 22:13:20", 1700000000000000},
    {"2023-11-14T22:13:20.123456789Z", 1700000000123456},
    {"2023-11-14T22:13:20,5Z", 1700000000500000},
    {"2023-11-14T23:13:20+01:00", 1700000000000000},
    {"2023-11-14T23:13:20 +0100", 1700000000000000},
    {"2023-11-14T16:43:20-05:30", 1700000000000000},
    {"2023-11-15T00:13:20+02", 1700000000000000},
    {"2023-11-14T22:13", 1699999980000000},
    {"2023-11-14", 1699920000000000},
    {"2024-02-29T00:00:00Z", 1709164800000000},
    {"2000-03-01T00:00:00Z", 951868800000000},
    {"1970-01-01T00:00:01Z", 1000000},
    {"1970-01-01T00:00:00+01:00", 0},
    {"1969-12-31T23:59:59Z", 0},
    {"0001-01-01T00:00:00Z", 0},
    {"9999-12-31T23:59:59Z", 253402300799000000},
    {"2016-12-31T23:59:60Z", 1483228800000000},
    {"2023-13-01", 0},
    {"2023-00-01", 0},
    {"2023-11-32", 0},
    {"2023-11-14T25:00:00Z", 0},
    {"2023-11-14T22:60:00Z", 0},
    {"2023-11-14T22:13:20ZZ", 0},
    {"2023-11-14T22:13:20+1", 0},
    {"2023-11-14T", 0},
    {"2023-11-1", 0},
    {"20231114", 20231114000000},
};

START_TEST(test_times) {
    ck_assert_uint_eq(messenger_time_from_text(times[_i].text), times[_i].usec);
}
END_TEST

/* In the midst of JSON. */
START_TEST(test_number) {
    ck_assert_uint_eq(messenger_time_from_number("1700000000,\"x\":1"), 1700000000000000);
    ck_assert_uint_eq(messenger_time_from_number("1700000000.5}"), 1700000000500000);
    ck_assert_uint_eq(messenger_time_from_number("1.7e9}"), 0);
    ck_assert_uint_eq(messenger_time_from_number("-1}"), 0);
}
END_TEST

int main(void) {
    Suite *s = suite_create("messenger-text");
    TCase *t = tcase_create("all");

    tcase_add_loop_test(t, test_names, 0, ELEMENTSOF(names));
    tcase_add_test(t, test_blank);
    tcase_add_loop_test(t, test_encode, 0, ELEMENTSOF(urls));
    tcase_add_loop_test(t, test_times, 0, ELEMENTSOF(times));
    tcase_add_test(t, test_number);
    suite_add_tcase(s, t);
    return unit_run(s);
}
