/* The session: the same as long as machine and runtime folder stay. */

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "daemon/session.h"
#include "tests/unit/unit.h"

static char *get(const char *dir) {
    char *session;

    ck_assert_int_eq(session_get(dir, &session), 0);
    return session;
}

START_TEST(test_stays) {
    _cleanup_free_ char *a = get(unit_path(".")), *b = get(unit_path("."));

    ck_assert_uint_eq(strlen(a), 32 + 1 + 32);
    ck_assert_str_eq(a, b);
}
END_TEST

/* As at a logout, which empties the folder. */
START_TEST(test_emptied_folder) {
    _cleanup_free_ char *a = get(unit_path("."));

    ck_assert_int_eq(unlink(unit_path("session")), 0);
    _cleanup_free_ char *b = get(unit_path("."));
    ck_assert_str_ne(a, b);
    ck_assert_int_eq(strncmp(a, b, 33), 0); /* the same boot */
}
END_TEST

static const char *const broken[] = {"", "0", "0123456789abcdef0123456789abcde",
                                     "0123456789abcdef0123456789abcdef0"};

START_TEST(test_broken_token) {
    unit_write("session", broken[_i], strlen(broken[_i]));
    _cleanup_free_ char *a = get(unit_path(".")), *b = get(unit_path("."));
    ck_assert_str_eq(a, b);
    ck_assert_uint_eq(strlen(a), 65);
}
END_TEST

START_TEST(test_no_folder) {
    char *session;

    ck_assert_int_eq(session_get(unit_path("missing"), &session), -ENOENT);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("session");
    TCase *t = tcase_create("session");

    unit_use_dir(t);
    tcase_add_test(t, test_stays);
    tcase_add_test(t, test_emptied_folder);
    tcase_add_loop_test(t, test_broken_token, 0, ELEMENTSOF(broken));
    tcase_add_test(t, test_no_folder);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
