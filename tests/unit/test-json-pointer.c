/* JSON Pointers: the examples of RFC 6901, and what is none. */

#include "daemon/core/json-pointer.h"
#include "tests/unit/unit.h"

static const char document[] =
    "{\"foo\": [\"bar\", \"baz\"], \"\": 0, \"a/b\": 1, \"c%d\": 2, \"e^f\": 3, \"g|h\": 4,"
    " \"i\\\\j\": 5, \"k\\\"l\": 6, \" \": 7, \"m~n\": 8, \"~1\": 9, \"o\": {\"0\": [[10]], \"O\": "
    "11},"
    " \"twice\": 12, \"twice\": 13, \"nil\": null}";

static const struct {
    const char *pointer, *value; /* NULL: there is nothing */
} pointers[] = {
    {"/foo", "[\"bar\",\"baz\"]"},
    {"/foo/0", "\"bar\""},
    {"/foo/1", "\"baz\""},
    {"/", "0"},
    {"/a~1b", "1"},
    {"/c%d", "2"},
    {"/e^f", "3"},
    {"/g|h", "4"},
    {"/i\\j", "5"},
    {"/k\"l", "6"},
    {"/ ", "7"},
    {"/m~0n", "8"},
    {"/~01", "9"},
    {"/o/0/0/0", "10"},
    {"/o/O", "11"},
    {"/twice", "12"},
    {"/nil", "null"},

    {"/FOO", NULL},
    {"/foo/2", NULL},
    {"/foo/-", NULL},
    {"/foo/-1", NULL},
    {"/foo/00", NULL},
    {"/foo/01", NULL},
    {"/foo/+1", NULL},
    {"/foo/1 ", NULL},
    {"/foo/", NULL},
    {"/foo/18446744073709551616", NULL},
    {"/foo/0/x", NULL},
    {"//", NULL},
    {"/a/b", NULL},
    {"/nil/x", NULL},
    {"/o/", NULL},
    {"foo", NULL},
    {"/m~n", NULL},
    {"/m~", NULL},
    {"/~2", NULL},
};

START_TEST(test_get) {
    cJSON *root = cJSON_Parse(document);
    const cJSON *found = json_pointer_get(root, pointers[_i].pointer);

    ck_assert_ptr_nonnull(root);
    if (!pointers[_i].value)
        ck_assert_msg(!found, "%s", pointers[_i].pointer);
    else {
        char *text = found ? cJSON_PrintUnformatted(found) : NULL;
        ck_assert_str_eq(strempty(text), pointers[_i].value);
        cJSON_free(text);
    }
    cJSON_Delete(root);
}
END_TEST

START_TEST(test_root) {
    cJSON *root = cJSON_Parse("\"all\"");

    ck_assert_ptr_eq(json_pointer_get(root, ""), root);
    ck_assert_ptr_null(json_pointer_get(root, "/"));
    cJSON_Delete(root);
    ck_assert_ptr_null(json_pointer_get(NULL, "/a"));
}
END_TEST

START_TEST(test_valid) {
    char pointer[JSON_POINTER_MAX + 2];

    ck_assert(json_pointer_is_valid(""));
    ck_assert(json_pointer_is_valid("/~0~1"));
    ck_assert(!json_pointer_is_valid("a"));
    ck_assert(!json_pointer_is_valid("/~"));
    ck_assert(!json_pointer_is_valid("/~a"));

    memset(pointer, '/', sizeof(pointer) - 1);
    pointer[sizeof(pointer) - 1] = '\0';
    ck_assert(!json_pointer_is_valid(pointer));
    pointer[JSON_POINTER_MAX] = '\0';
    ck_assert(json_pointer_is_valid(pointer));
    memset(pointer + 1, 'a', JSON_POINTER_MAX - 1);
    cJSON *root = cJSON_CreateObject();
    ck_assert_ptr_nonnull(cJSON_AddNullToObject(root, pointer + 1));
    ck_assert_ptr_nonnull(json_pointer_get(root, pointer));
    cJSON_Delete(root);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("json-pointer");
    TCase *t = tcase_create("json-pointer");

    tcase_add_loop_test(t, test_get, 0, ELEMENTSOF(pointers));
    tcase_add_test(t, test_root);
    tcase_add_test(t, test_valid);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
