/* The dates of HTTP, and Retry-After in both forms. */

#include "daemon/core/retry-after.h"
#include "tests/unit/unit.h"

#define NOW (UINT64_C(1795296600) * USEC_PER_SEC) /* Sat, 21 Nov 2026 21:30:00 GMT */
#define MAX_PAUSE (60 * USEC_PER_SEC)

static const struct {
    const char *text;
    uint64_t sec; /* 0: it is no date */
} dates[] = {
    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
    {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
    {"Sun Nov  6 08:49:37 1994", 784111777},
    {"Sat, 21 Nov 2026 21:30:00 GMT", 1795296600},
    {"Saturday, 21-Nov-26 21:30:00 GMT", 1795296600},
    {"Saturday, 21-Nov-76 21:30:00 GMT", 3373219800}, /* 50 years ahead */
    {"Monday, 21-Nov-77 21:30:00 GMT", 248995800},    /* more than that: the one before */
    {"Thu, 29 Feb 2024 23:59:60 GMT", 1709251200},
    {"", 0},
    {"60", 0},
    {"soon", 0},
    {"Sun, 06 Nov 1994 08:49:37", 0},
    {"Sun, 06 Nov 1994 08:49:37 CET", 0},
    {"Sun, 06 Nov 1994 08:49:37 GMT+1", 0},
    {"Sun, 06 Now 1994 08:49:37 GMT", 0},
    {"Sun, 00 Nov 1994 08:49:37 GMT", 0},
    {"Sun, 32 Nov 1994 08:49:37 GMT", 0},
    {"Sun, 06 Nov 1994 24:49:37 GMT", 0},
    {"Sun, 06 Nov 1994 08:60:37 GMT", 0},
    {"Sun, 06 Nov 1994 08:49:61 GMT", 0},
    {"Sun, 06 Nov 1969 08:49:37 GMT", 0},
    {"1994-11-06T08:49:37Z", 0},
};

START_TEST(test_date) {
    ck_assert_msg(http_date_parse(dates[_i].text, NOW) == dates[_i].sec * USEC_PER_SEC, "%s",
                  dates[_i].text);
}
END_TEST

static const struct {
    const char *value, *date;
    uint64_t usec;
} values[] = {
    {NULL, NULL, 0},
    {"", NULL, 0},
    {"0", NULL, 0},
    {"1", NULL, USEC_PER_SEC},
    {"60", NULL, MAX_PAUSE},
    {"61", NULL, MAX_PAUSE},
    {"99999999999999999999999", NULL, MAX_PAUSE},
    {"-1", NULL, 0},
    {"1.5", NULL, 0},
    {"1 s", NULL, 0},
    {"soon", NULL, 0},
    {"Sat, 21 Nov 2026 21:30:07 GMT", NULL, 7 * USEC_PER_SEC},
    {"Saturday, 21-Nov-26 21:30:07 GMT", NULL, 7 * USEC_PER_SEC},
    {"Sat Nov 21 21:30:07 2026", NULL, 7 * USEC_PER_SEC},
    {"Sat, 21 Nov 2026 21:29:59 GMT", NULL, 0},
    {"Sat, 21 Nov 2026 23:30:00 GMT", NULL, MAX_PAUSE},
    {"Fri, 31 Dec 9999 23:59:59 GMT", NULL, MAX_PAUSE},
    /* By their own clock, which may be wrong. */
    {"Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:30 GMT", 7 * USEC_PER_SEC},
    {"Sat, 21 Nov 2026 21:30:07 GMT", "Sat, 21 Nov 2026 21:30:08 GMT", 0},
    {"Sat, 21 Nov 2026 21:30:07 GMT", "whenever", 7 * USEC_PER_SEC},
    {"5", "Sun, 06 Nov 1994 08:49:30 GMT", 5 * USEC_PER_SEC},
};

START_TEST(test_value) {
    ck_assert_msg(retry_after_usec(values[_i].value, values[_i].date, NOW, MAX_PAUSE) ==
                      values[_i].usec,
                  "%s", strempty(values[_i].value));
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("retry-after");
    TCase *t = tcase_create("retry-after");

    tcase_add_loop_test(t, test_date, 0, ELEMENTSOF(dates));
    tcase_add_loop_test(t, test_value, 0, ELEMENTSOF(values));
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
