/* Vectors of strings. */

#include <errno.h>

#include "common/strv.h"
#include "tests/unit/unit.h"

START_TEST(test_empty) {
    _cleanup_(strv_freep) char **copy = strv_copy(NULL);
    char *none[] = {NULL};

    ck_assert_uint_eq(strv_length(NULL), 0);
    ck_assert_uint_eq(strv_length(none), 0);
    ck_assert_ptr_nonnull(copy);
    ck_assert_ptr_null(copy[0]);
    ck_assert_ptr_null(strv_free(NULL));
    STRV_FOREACH (s, (char **)NULL)
        ck_abort_msg("NULL has a string");
}
END_TEST

START_TEST(test_copy) {
    char *v[] = {(char *)"one", (char *)"", (char *)"three", NULL};
    _cleanup_(strv_freep) char **copy = strv_copy(v);

    ck_assert_uint_eq(strv_length(copy), 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_str_eq(copy[i], v[i]);
        ck_assert_ptr_ne(copy[i], v[i]);
    }
    ck_assert_ptr_null(copy[3]);
}
END_TEST

/* Room is grown at powers of two: every count in between is a case of its own for the sanitizer. */
START_TEST(test_push) {
    _cleanup_(strv_freep) char **v = NULL;
    size_t n = 0;

    for (int i = 0; i < 300; i++) {
        char *s = NULL;
        MUST(asprintf(&s, "string %d", i) > 0);
        ck_assert_int_eq(strv_push(&v, &n, s), 0);
        ck_assert_ptr_eq(v[i], s);
        ck_assert_ptr_null(v[i + 1]);
        ck_assert_uint_eq(n, (size_t)i + 1);
        ck_assert_uint_eq(strv_length(v), n);
    }
    ck_assert_str_eq(v[0], "string 0");
    ck_assert_str_eq(v[150], "string 150");
}
END_TEST

/* strdup() may be handed over as it is. */
START_TEST(test_push_null) {
    char **v = NULL;
    size_t n = 0;

    ck_assert_int_eq(strv_push(&v, &n, NULL), -ENOMEM);
    ck_assert_uint_eq(n, 0);
    ck_assert_ptr_null(v);
}
END_TEST

START_TEST(test_foreach) {
    char *v[] = {(char *)"a", (char *)"b", (char *)"c", NULL};
    char all[8] = "";

    STRV_FOREACH (s, v)
        strcat(all, *s);
    ck_assert_str_eq(all, "abc");
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("strv");
    TCase *t = tcase_create("strv");

    tcase_add_test(t, test_empty);
    tcase_add_test(t, test_copy);
    tcase_add_test(t, test_push);
    tcase_add_test(t, test_push_null);
    tcase_add_test(t, test_foreach);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
