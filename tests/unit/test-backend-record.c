/* Settings of a backend as they are kept on disk: all that is put in comes out. */

#include <errno.h>

#include "common/strv.h"
#include "daemon/core/backend-record.h"
#include "tests/unit/unit-task.h"

static BackendSettings *from_json(const char *json) {
    BackendSettings *s = NULL;

    MUST(backend_settings_from_json(&s, json) == 0 && s);
    return s;
}

/* Another value than the default, for whatever there is in the table. */
static void set_other(BackendSettings *s, const BackendSetting *i) {
    void *field = (char *)s + i->offset;
    size_t n = 0;

    switch (i->type[0]) {
    case 's':
        unit_set(field, "a \"b\" \\ \xc3\xa4\n");
        break;
    case 'a':
        MUST(strv_push(field, &n, strdup("/a == 1")) == 0 && strv_push(field, &n, strdup("")) == 0);
        break;
    case 'b':
        *(bool *)field = !*(bool *)field;
        break;
    case 'u':
        *(uint32_t *)field += 7;
        break;
    default:
        *(uint64_t *)field = UINT64_C(9007199254740991);
    }
}

START_TEST(test_defaults) {
    BackendSettings *s = backend_settings_new(), *back;
    _cleanup_free_ char *json = backend_settings_to_json(s);

    ck_assert_str_eq(json, "{}");
    back = from_json(json);
    ck_assert(backend_settings_equal(s, back));
    backend_settings_free(s);
    backend_settings_free(back);
}
END_TEST

/* Each alone. */
START_TEST(test_each) {
    const BackendSetting *i = &backend_settings()[_i];
    BackendSettings *s = backend_settings_new(), *plain = backend_settings_new(), *back;

    set_other(s, i);
    MUST(!backend_settings_equal(s, plain));
    _cleanup_free_ char *json = backend_settings_to_json(s);
    ck_assert_msg(strstr(json, i->name), "%s", json);
    back = from_json(json);
    ck_assert_msg(backend_settings_equal(s, back), "%s", json);
    backend_settings_free(s);
    backend_settings_free(plain);
    backend_settings_free(back);
}
END_TEST

START_TEST(test_all) {
    BackendSettings *s = backend_settings_new(), *back;

    for (const BackendSetting *i = backend_settings(); i->name; i++)
        set_other(s, i);
    _cleanup_free_ char *json = backend_settings_to_json(s);
    back = from_json(json);
    ck_assert_msg(backend_settings_equal(s, back), "%s", json);
    backend_settings_free(s);
    backend_settings_free(back);
}
END_TEST

static const char *const passed_over[] = {
    "{\"nonsense\":1}",           "{\"url\":7,\"expect\":\"x\",\"polling\":0}",
    "{\"status-interval\":-1}",   "{\"status-interval\":\"10s\"}",
    "{\"response-max\":1e30}",    "{\"failure-threshold\":4294967296}",
    "{\"URL\":\"http://other\"}",
};

START_TEST(test_passed_over) {
    BackendSettings *plain = backend_settings_new(), *s = from_json(passed_over[_i]);

    ck_assert(backend_settings_equal(s, plain));
    backend_settings_free(plain);
    backend_settings_free(s);
}
END_TEST

static const char *const broken[] = {"", "[]", "\"url\"", "{", "null"};

START_TEST(test_broken) {
    BackendSettings *s = NULL;

    ck_assert_int_eq(backend_settings_from_json(&s, broken[_i]), -EBADMSG);
    ck_assert_ptr_null(s);
}
END_TEST

static int count(void) {
    int n = 0;

    while (backend_settings()[n].name)
        n++;
    return n;
}

static Suite *suite_new(void) {
    Suite *s = suite_create("backend-record");
    TCase *t = tcase_create("backend-record");

    tcase_add_test(t, test_defaults);
    tcase_add_loop_test(t, test_each, 0, count());
    tcase_add_test(t, test_all);
    tcase_add_loop_test(t, test_passed_over, 0, ELEMENTSOF(passed_over));
    tcase_add_loop_test(t, test_broken, 0, ELEMENTSOF(broken));
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
