/* The reader of kept requests, held against cJSON: what that writes is read alike, and what is cut
 * or changed is refused or read, but never beyond its end. */

#include <cjson/cJSON.h>
#include <errno.h>

#include "common/cleanup.h"
#include "daemon/core/json-scan.h"
#include "tests/unit/unit.h"

static unsigned random_below(unsigned n) {
    static uint64_t state = 88172645463325252;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 33) % n;
}

/* ---- documents ---- */

static const char *const strings[] = {
    "",
    "a",
    "make all",
    "\"\\/\b\f\n\r\t\x01\x1f\x7f",
    "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
    "\xff\xfe",
    "{}[],:",
};

static cJSON *random_value(unsigned depth);

static cJSON *random_container(bool object, unsigned depth) {
    cJSON *c = object ? cJSON_CreateObject() : cJSON_CreateArray();
    char name[64];

    for (unsigned i = random_below(5); i > 0; i--) {
        snprintf(name, sizeof(name), "%u%s", i, strings[random_below(ELEMENTSOF(strings))]);
        if (object)
            cJSON_AddItemToObject(c, name, random_value(depth + 1));
        else
            cJSON_AddItemToArray(c, random_value(depth + 1));
    }
    return c;
}

static cJSON *random_value(unsigned depth) {
    static const double numbers[] = {0, 1, -1, 2147483647, -2147483648.0, 1.5, -0.25};

    switch (random_below(depth > 3 ? 4 : 6)) {
    case 0:
        return cJSON_CreateNull();
    case 1:
        return cJSON_CreateBool((int)random_below(2));
    case 2:
        return cJSON_CreateNumber(numbers[random_below(ELEMENTSOF(numbers))]);
    case 3:
        return cJSON_CreateString(strings[random_below(ELEMENTSOF(strings))]);
    case 4:
        return random_container(false, depth);
    default:
        return random_container(true, depth);
    }
}

static void assert_same(const JsonValue *v, const cJSON *c);

static void assert_same_container(const JsonValue *v, const cJSON *c) {
    const cJSON *expected = c->child;
    JsonValue item;
    char *name;

    ck_assert_uint_eq(json_count(v), (size_t)cJSON_GetArraySize(c));
    for (JsonWalk w = json_walk(v); json_next(&w, &name, &item); expected = expected->next) {
        MUST(expected);
        if (v->type == JSON_OBJECT)
            ck_assert_str_eq(name, expected->string);
        assert_same(&item, expected);
    }
    MUST(!expected);
}

static void assert_same_number(const JsonValue *v, double expected) {
    if (v->type == JSON_NUMBER)
        MUST((v->is_negative ? -(double)v->number : (double)v->number) == expected);
    else
        MUST(v->type == JSON_OTHER_NUMBER && expected != (double)(int64_t)expected);
}

static void assert_same(const JsonValue *v, const cJSON *c) {
    if (cJSON_IsString(c)) {
        ck_assert_int_eq(v->type, JSON_STRING);
        ck_assert_str_eq(v->text, c->valuestring);
    } else if (cJSON_IsNumber(c)) {
        assert_same_number(v, c->valuedouble);
    } else if (cJSON_IsBool(c)) {
        MUST(v->type == JSON_BOOL && v->number == (cJSON_IsTrue(c) != 0));
    } else if (cJSON_IsNull(c)) {
        ck_assert_int_eq(v->type, JSON_NULL);
    } else {
        ck_assert_int_eq(v->type, cJSON_IsObject(c) ? JSON_OBJECT : JSON_ARRAY);
        assert_same_container(v, c);
    }
}

START_TEST(test_as_cjson) {
    for (unsigned i = 0; i < 3000; i++) {
        cJSON *c = random_value(0);
        char *text = i % 2 ? cJSON_Print(c) : cJSON_PrintUnformatted(c);
        JsonValue v;
        ck_assert_int_eq(json_scan(text, &v), 0);
        assert_same(&v, c);
        free(text);
        cJSON_Delete(c);
    }
}
END_TEST

/* ---- what is wrong ---- */

static void walk_all(const JsonValue *v) {
    JsonValue item;
    char *name;

    if (v->type == JSON_ARRAY || v->type == JSON_OBJECT)
        for (JsonWalk w = json_walk(v); json_next(&w, &name, &item);)
            walk_all(&item);
}

/* A copy of its own, so that a sanitizer sees what is read behind it. */
static int scan_copy(const char *text, size_t size) {
    _cleanup_free_ char *copy = strndup(text, size);
    JsonValue v;
    int r = json_scan(copy, &v);

    if (r == 0)
        walk_all(&v);
    return r;
}

START_TEST(test_changed) {
    unsigned refused = 0;

    for (unsigned i = 0; i < 20000; i++) {
        cJSON *c = random_container(true, 0);
        _cleanup_free_ char *text = cJSON_PrintUnformatted(c);
        size_t size = strlen(text);
        text[random_below((unsigned)size)] = "\"\\{}[],:0u-\n\xff"[random_below(13)];
        if (random_below(2))
            size = random_below((unsigned)size + 1);
        refused += scan_copy(text, size) < 0;
        cJSON_Delete(c);
    }
    ck_assert_uint_gt(refused, 5000);
}
END_TEST

static const struct {
    const char *text;
    int r;
} texts[] = {
    {"", -EBADMSG},
    {" ", -EBADMSG},
    {"{", -EBADMSG},
    {"{}}", -EBADMSG},
    {"{} x", -EBADMSG},
    {"{\"a\"}", -EBADMSG},
    {"{\"a\":}", -EBADMSG},
    {"{\"a\":1,}", -EBADMSG},
    {"{a:1}", -EBADMSG},
    {"[1 2]", -EBADMSG},
    {"[1,", -EBADMSG},
    {"[}", -EBADMSG},
    {"\"", -EBADMSG},
    {"\"\\x\"", -EBADMSG},
    {"\"\\u12\"", -EBADMSG},
    {"\"\\u0000\"", -EBADMSG},
    {"\"\\ud800\"", -EBADMSG},
    {"\"\\ud800\\u0041\"", -EBADMSG},
    {"\"\\udc00\"", -EBADMSG},
    {"tru", -EBADMSG},
    {"-", -EBADMSG},
    {"\xff", -EBADMSG},
    {" { \"a\" : [ 1 , true ] } \n", 0},
    {"\"\\ud83d\\ude00\\u00e4\\u20ac\\/\"", 0},
};

START_TEST(test_texts) {
    ck_assert_int_eq(scan_copy(texts[_i].text, strlen(texts[_i].text)), texts[_i].r);
}
END_TEST

START_TEST(test_characters) {
    char text[] = "\"\\ud83d\\ude00\\u00E4\\u20ac\\/\\\\\"";
    JsonValue v;

    ck_assert_int_eq(json_scan(text, &v), 0);
    ck_assert_str_eq(v.text, "\xf0\x9f\x98\x80\xc3\xa4\xe2\x82\xac/\\");
}
END_TEST

static const struct {
    const char *text;
    JsonType type;
    uint64_t number;
} numbers[] = {
    {"0", JSON_NUMBER, 0},
    {"-7", JSON_NUMBER, 7},
    {"18446744073709551615", JSON_NUMBER, UINT64_MAX},
    {"18446744073709551616", JSON_OTHER_NUMBER, 0},
    {"1.5", JSON_OTHER_NUMBER, 0},
    {"1e3", JSON_OTHER_NUMBER, 0},
};

START_TEST(test_numbers) {
    _cleanup_free_ char *text = strdup(numbers[_i].text);
    JsonValue v;

    ck_assert_int_eq(json_scan(text, &v), 0);
    ck_assert_int_eq(v.type, numbers[_i].type);
    if (v.type == JSON_NUMBER)
        ck_assert_uint_eq(v.number, numbers[_i].number);
    ck_assert(v.is_negative == (numbers[_i].text[0] == '-'));
}
END_TEST

/* Containers in containers, but not without end. */
START_TEST(test_depth) {
    char text[4001];

    memset(text, '[', 2000);
    memset(text + 2000, ']', 2000);
    text[4000] = '\0';
    ck_assert_int_eq(scan_copy(text, 4000), -EBADMSG);
    ck_assert_int_eq(scan_copy(text + 1980, 40), 0);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("json-scan");
    TCase *t = tcase_create("json-scan");

    tcase_add_test(t, test_as_cjson);
    tcase_add_test(t, test_changed);
    tcase_add_loop_test(t, test_texts, 0, ELEMENTSOF(texts));
    tcase_add_test(t, test_characters);
    tcase_add_loop_test(t, test_numbers, 0, ELEMENTSOF(numbers));
    tcase_add_test(t, test_depth);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
