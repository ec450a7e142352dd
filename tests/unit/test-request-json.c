/* Requests as they are kept on disk: what is unknown or odd in the text is passed over. Each option
 * there and back is tested with the store. */

#include <errno.h>

#include "common/cleanup.h"
#include "daemon/store/request-json.h"
#include "tests/unit/unit-task.h"

static const struct {
    const char *json;
    int error;
} texts[] = {
    {"{}", 0},
    {"{\"future\":[{\"x\":1}],\"cwd\":\"/x\"}", 0},
    {"{\"cwd\":\"/x\",\"umask\":\"much\",\"argv\":7,\"isolate\":\"yes\",\"stop-timeout\":-1}", 0},
    {"{\"cwd\":\"/x\",\"umask\":1.5,\"nice\":9999999999,\"stop-timeout\":\"1x\"}", 0},
    {"{\"label\":\"no\",\"group\":\"no\",\"env\":[\"A=1\"],\"cwd\":\"/x\"}", 0},
    {"", -EBADMSG},
    {"{\"cwd\":", -EBADMSG},
    {"[]", -EBADMSG},
    {"7", -EBADMSG},
    {"\xff\xfe", -EBADMSG},
};

START_TEST(test_reading) {
    const RequestColumns columns = {"noop", "a label", "builds", -3, 17};
    _cleanup_(task_spec_freep) TaskSpec *spec = NULL, *plain = request_new("noop");

    ck_assert_int_eq(request_from_json(&spec, &columns, texts[_i].json), texts[_i].error);
    ck_assert_uint_gt(spec->packed, 0);
    bool has_cwd = strstr(texts[_i].json, "/x") != NULL;
    ck_assert_str_eq(spec->cwd, has_cwd ? "/x" : "");
    ck_assert_uint_eq(spec->umask, plain->umask);
    ck_assert_uint_eq(spec->stop_timeout_usec, 0);
    ck_assert_int_eq(spec->nice, 0);
    ck_assert(!spec->isolate);
    ck_assert_ptr_null(spec->argv);
    ck_assert_ptr_null(spec->env);
    ck_assert_str_eq(spec->kind, "noop");
    ck_assert_str_eq(spec->label, "a label");
    ck_assert_str_eq(spec->group, "builds");
    ck_assert_int_eq(spec->priority, -3);
    ck_assert_uint_eq(spec->parent, 17);
    ck_assert_uint_eq(spec->given, 0);
}
END_TEST

/* Numbers up to their limits, and not beyond; in any order; what is twice there, as it was last. */
START_TEST(test_numbers) {
    const char *json =
        "{\"nice\":-2147483648,\"umask\":4294967295,\"log-max\":\"18446744073709551615\","
        "\"result-max\":9007199254740992,\"retry-on\":[2147483647,-1,2147483648,1.5,\"7\"],"
        "\"after\":[3,\"9007199254740993\",-1,null],\"timeout\":1,\"timeout\":2,"
        "\"idle-timeout\":18446744073709551616,\"cpu-weight\":4294967296}";
    const RequestColumns columns = {"noop", "", "", 0, 0};
    _cleanup_(task_spec_freep) TaskSpec *spec = NULL;

    ck_assert_int_eq(request_from_json(&spec, &columns, json), 0);
    ck_assert_int_eq(spec->nice, INT32_MIN);
    ck_assert_uint_eq(spec->umask, UINT32_MAX);
    ck_assert_uint_eq(spec->log_max, UINT64_MAX);
    ck_assert_uint_eq(spec->result_max, UINT64_C(1) << 53);
    ck_assert_uint_eq(spec->retry_on->n, 2);
    ck_assert_int_eq(spec->retry_on->codes[1], -1);
    ck_assert_uint_eq(spec->after->n, 2);
    ck_assert_uint_eq(spec->after->ids[1], (UINT64_C(1) << 53) + 1);
    ck_assert_uint_eq(spec->timeout_usec, 2);
    ck_assert_uint_eq(spec->idle_timeout_usec, 0);
    ck_assert_uint_eq(spec->cpu_weight, 0);
}
END_TEST

START_TEST(test_only_what_differs) {
    _cleanup_(task_spec_freep) TaskSpec *spec = request_new("noop");
    _cleanup_free_ char *empty = request_to_json(spec), *text = NULL;

    ck_assert_str_eq(empty, "{}");
    unit_set(&spec->cwd, "/x");
    spec->clear_env = true;
    spec->log_max = UINT64_C(1) << 53;
    spec->result_max = (UINT64_C(1) << 53) + 1; /* not exact as a double */
    text = request_to_json(spec);
    ck_assert_str_eq(text, "{\"cwd\":\"/x\",\"clear-env\":true,\"log-max\":9007199254740992,"
                           "\"result-max\":\"9007199254740993\"}");
}
END_TEST

/* ---- bytes ---- */

static const struct {
    const char *bytes, *text;
    size_t size;
} base64[] = {
    {"", "", 0},
    {"f", "Zg==", 1},
    {"fo", "Zm8=", 2},
    {"foo", "Zm9v", 3},
    {"foobar", "Zm9vYmFy", 6},
    {"\0", "AA==", 1},
    {"\xff\xfe\xfb", "//77", 3},
    {"\0\n\"\\", "AAoiXA==", 4},
};

START_TEST(test_base64) {
    _cleanup_free_ Bytes *bytes = NULL, *back = NULL;

    MUST(bytes_new(&bytes, base64[_i].bytes, base64[_i].size) == 0);
    _cleanup_free_ char *text = bytes_to_base64(bytes);
    ck_assert_str_eq(text, base64[_i].text);
    ck_assert_int_eq(bytes_from_base64(&back, text), 0);
    ck_assert_uint_eq(bytes_length(back), base64[_i].size);
    if (back)
        ck_assert_mem_eq(back->data, base64[_i].bytes, back->size);
}
END_TEST

static const char *const no_base64[] = {"Z",        "Zg",   "Zg=",  "Zg===", "====",
                                        "Zh==",     "Zm9=", "Zm-v", "Zm v",  "Zg==\n",
                                        "Zg==Zg==", "=Zg=", "Zm9v="};

START_TEST(test_no_base64) {
    Bytes *bytes = NULL;

    ck_assert_int_eq(bytes_from_base64(&bytes, no_base64[_i]), -EINVAL);
    ck_assert_ptr_null(bytes);
}
END_TEST

/* Each byte, there and back; a text that is damaged counts as none. */
START_TEST(test_stdin) {
    const RequestColumns columns = {"command", "", "", 0, 0};
    _cleanup_(task_spec_freep) TaskSpec *spec = request_new("command"), *copy = NULL, *none = NULL;
    unsigned char all[256];

    for (size_t i = 0; i < sizeof(all); i++)
        all[i] = (unsigned char)i;
    MUST(bytes_new(&spec->stdin_data, all, sizeof(all)) == 0);
    _cleanup_free_ char *text = request_to_json(spec);
    MUST(request_from_json(&copy, &columns, text) == 0);
    ck_assert_uint_eq(bytes_length(copy->stdin_data), sizeof(all));
    ck_assert_mem_eq(copy->stdin_data->data, all, sizeof(all));
    MUST(request_from_json(&none, &columns, "{\"stdin\":\"no?\",\"cwd\":\"/x\"}") == 0);
    ck_assert_ptr_null(none->stdin_data);
    ck_assert_str_eq(none->cwd, "/x");
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("request-json");
    TCase *t = tcase_create("request-json");

    tcase_add_loop_test(t, test_reading, 0, ELEMENTSOF(texts));
    tcase_add_test(t, test_numbers);
    tcase_add_test(t, test_only_what_differs);
    tcase_add_loop_test(t, test_base64, 0, ELEMENTSOF(base64));
    tcase_add_loop_test(t, test_no_base64, 0, ELEMENTSOF(no_base64));
    tcase_add_test(t, test_stdin);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
