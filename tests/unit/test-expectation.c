/* What is expected of an answer. */

#include <errno.h>

#include "common/text.h"
#include "daemon/core/expectation.h"
#include "tests/unit/unit.h"

/* ---- codes ---- */

static const struct {
    const char *ranges;
    int r;
    unsigned status;
    bool has;
} codes[] = {
    {"", 0, 200, true},
    {"", 0, 299, true},
    {"", 0, 304, false},
    {"", 0, 199, false},
    {"200", 0, 200, true},
    {"200", 0, 201, false},
    {"200-299,304", 0, 304, true},
    {"200-299,304", 0, 250, true},
    {"200-299,304", 0, 300, false},
    {" 200 , 404-404 ", 0, 404, true},
    {"100-599", 0, 599, true},
    {",", -EINVAL},
    {"200,", -EINVAL},
    {",200", -EINVAL},
    {"200,,201", -EINVAL},
    {"20", -EINVAL},
    {"2000", -EINVAL},
    {"200-", -EINVAL},
    {"-200", -EINVAL},
    {"299-200", -EINVAL},
    {"200-300-400", -EINVAL},
    {"2xx", -EINVAL},
    {"099", -EINVAL},
    {"600", -EINVAL},
    {"200 201", -EINVAL},
};

START_TEST(test_codes) {
    ck_assert_msg(status_ranges_check(codes[_i].ranges) == codes[_i].r, "%s", codes[_i].ranges);
    if (codes[_i].r == 0)
        ck_assert_int_eq(status_ranges_have(codes[_i].ranges, codes[_i].status), codes[_i].has);
}
END_TEST

/* ---- JSON ---- */

static const char document[] =
    "{\"status\": \"online\", \"n\": 3, \"ok\": true, \"nothing\": null, \"list\": [1, {\"a\": 2}],"
    " \"long\": "
    "\"0123456789012345678901234567890123456789012345678901234567890123456789012345678901"
    "23456789012345\xe2\x82\xac\", \"a b\": {\"x\": 1, \"y\": [2]}}";

static const struct {
    const char *text, *error; /* NULL: it holds */
} holds[] = {
    {"/status == \"online\"", NULL},
    {"/status==\"online\"", NULL},
    {"  /status\t== \"online\" ", NULL},
    {"/n == 3", NULL},
    {"/n == 3.0", NULL},
    {"/n == 30e-1", NULL},
    {"/ok == true", NULL},
    {"/nothing == null", NULL},
    {"/list/1/a == 2", NULL},
    {"/list == [1, {\"a\": 2}]", NULL},
    {"/a b == {\"y\": [2], \"x\": 1}", NULL},
    {"/status == \"offline\"", "/status is \"online\", expected is \"offline\""},
    {"/status == 1", "/status is \"online\", expected is 1"},
    {"/n == \"3\"", "/n is 3, expected is \"3\""},
    {"/ok == 1", "/ok is true, expected is 1"},
    {"/nothing == false", "/nothing is null, expected is false"},
    {"/Status == \"online\"", "there is no /Status in the answer, expected is \"online\""},
    {"/missing == null", "there is no /missing in the answer, expected is null"},
    {"/list == []", "/list is an array, expected is []"},
    {" == {}", "the answer is an object, expected is {}"},
};

START_TEST(test_holds) {
    cJSON *root = cJSON_Parse(document);
    Error error = {};

    ck_assert_ptr_nonnull(root);
    ck_assert_int_eq(expectation_check(holds[_i].text, &error), 0);
    ck_assert_int_eq(expectation_holds(holds[_i].text, root, &error),
                     holds[_i].error ? -EREMOTE : 0);
    ck_assert_str_eq(strempty(error.message), strempty(holds[_i].error));
    if (holds[_i].error)
        ck_assert_int_eq(error.code, ERROR_BACKEND_FAILED);
    error_done(&error);
    cJSON_Delete(root);
}
END_TEST

/* Cut between characters, for it goes over D-Bus. */
START_TEST(test_long) {
    cJSON *root = cJSON_Parse(document);
    Error error = {};

    ck_assert_int_eq(expectation_holds("/long == 1", root, &error), -EREMOTE);
    ck_assert(utf8_is_valid(error.message));
    ck_assert_uint_lt(strlen(error.message), 200);
    error_done(&error);
    cJSON_Delete(root);
}
END_TEST

static const char *const bad[] = {
    "",        "/status",       "/status = 1",   "status == 1", "/status ==",
    "== ok",   "/status == on", "/a~b == 1",     "/s == 'x'",   "/s == 1 2",
    "/s == [", "x/s == 1",      "/s == \"\\x\"",
};

START_TEST(test_bad) {
    Error error = {};

    ck_assert_msg(expectation_check(bad[_i], &error) == -EREMOTE, "%s", bad[_i]);
    ck_assert_int_eq(error.code, ERROR_INVALID_OPTION);
    error_done(&error);
}
END_TEST

START_TEST(test_size) {
    char text[EXPECTATION_TEXT_MAX + 2];
    Error error = {};

    memset(text, ' ', sizeof(text));
    memcpy(text, "/a == 1", strlen("/a == 1"));
    text[EXPECTATION_TEXT_MAX + 1] = '\0';
    ck_assert_int_eq(expectation_check(text, &error), -EREMOTE);
    error_done(&error);
    text[EXPECTATION_TEXT_MAX] = '\0';
    ck_assert_int_eq(expectation_check(text, &error), 0);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("expectation");
    TCase *t = tcase_create("expectation");

    tcase_add_loop_test(t, test_codes, 0, ELEMENTSOF(codes));
    tcase_add_loop_test(t, test_holds, 0, ELEMENTSOF(holds));
    tcase_add_test(t, test_long);
    tcase_add_loop_test(t, test_bad, 0, ELEMENTSOF(bad));
    tcase_add_test(t, test_size);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
