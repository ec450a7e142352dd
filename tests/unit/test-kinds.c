/* The built-in kinds: params, texts and their order, results, cancel. Those of "checksum" that need
 * files are in test-kind-checksum.c. */

#include <check.h>
#include <errno.h>
#include <math.h>

#include "common/shim-protocol.h"
#include "common/text.h"
#include "daemon/kinds/kinds.h"
#include "tests/unit/fake-task-context.h"

static cJSON *parse(const char *json) {
    _cleanup_free_ char *error = NULL;
    cJSON *params = NULL;

    ck_assert_msg(kind_parse_params(json, &params, &error) == 0, "%s: %s", json, error);
    return params;
}

static int run(const Kind *kind, FakeTaskContext *f, const char *json) {
    _cleanup_(cJSON_Deletep) cJSON *params = parse(json);
    _cleanup_free_ char *error = NULL;

    ck_assert_msg(kind->check(params, &error) == 0, "%s: %s", json, error);
    return kind->run(&f->context, params);
}

/* ---- the table of kinds ---- */

START_TEST(test_kinds_table) {
    const Kind *const *all = kind_all();
    size_t n = 0;

    for (; all[n]; n++) {
        ck_assert_ptr_eq(kind_by_name(all[n]->name), all[n]);
        ck_assert(!isempty(all[n]->description) && !strchr(all[n]->description, '\n'));
        ck_assert_ptr_nonnull(all[n]->check);
        /* What is not a function of the library is another program's, or the daemon's. */
        ck_assert(all[n]->run || all[n]->place != KIND_PLACE_ANY);
        ck_assert(all[n]->place == KIND_PLACE_PROCESS || !all[n]->program);
        if (n > 0)
            ck_assert_int_lt(strcmp(all[n - 1]->name, all[n]->name), 0);
    }
    ck_assert_uint_eq(n, 7);
    ck_assert_str_eq(kind_program("noop"), "longrun-worker");
    ck_assert_str_eq(kind_program("download"), "longrun-download");
    ck_assert_ptr_null(kind_by_name("command"));
    ck_assert_ptr_null(kind_by_name(""));
    ck_assert_ptr_null(kind_by_name("Noop"));
}
END_TEST

/* ---- params ---- */

static const struct {
    const char *json;
    const char *error; /* part of it; NULL: good */
} texts[] = {
    {"{}", NULL},
    {" {\"a\": [1, 2]} ", NULL},
    {"{\"a\": \"\\\\u0000\"}", NULL}, /* a backslash, then "u0000" */
    {"", "not JSON: the text ends too early"},
    {"{\"a\":", "not JSON: the text ends too early"},
    {"{\"a\":}", "not JSON: error at byte 5, near '}'"},
    {"{} {}", "not JSON: error at byte 3"},
    {"steps=3", "not JSON: error at byte 0, near 'steps=3'"},
    {"[]", "must be a JSON object such as {\"name\": value}, not an array"},
    {"3", "not 3"},
    {"\"text\"", "not 'text'"},
    {"null", "not null"},
    {"{\"a\": \"x\\u0000y\"}", "\\u0000"},
    {"{\"a\": \"\\\\\\u0000\"}", "\\u0000"},
    {"{\"a\": \"\xff\"}", "not valid UTF-8"},
};

START_TEST(test_params_text) {
    _cleanup_(cJSON_Deletep) cJSON *params = NULL;
    _cleanup_free_ char *error = NULL;
    int r = kind_parse_params(texts[_i].json, &params, &error);

    if (!texts[_i].error) {
        ck_assert_msg(r == 0, "%s", error);
        ck_assert_ptr_nonnull(params);
        return;
    }
    ck_assert_int_eq(r, -EINVAL);
    ck_assert_ptr_null(params);
    ck_assert_msg(strstr(error, texts[_i].error) != NULL, "%s", error);
}
END_TEST

START_TEST(test_params_text_cap) {
    _cleanup_(cJSON_Deletep) cJSON *params = NULL;
    _cleanup_free_ char *json = malloc(KIND_PARAMS_MAX + 2), *error = NULL;

    memset(json, ' ', KIND_PARAMS_MAX + 1);
    memcpy(json, "{}", 2);
    json[KIND_PARAMS_MAX + 1] = '\0';
    ck_assert_int_eq(kind_parse_params(json, &params, &error), -EINVAL);
    ck_assert_str_eq(error, "the params are longer than 2097152 bytes");
    json[KIND_PARAMS_MAX] = '\0';
    ck_assert_int_eq(kind_parse_params(json, &params, &error), 0);
}
END_TEST

#define SHA256_REST "3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SHA256 "E" SHA256_REST

static const struct {
    const char *kind, *json;
    const char *error; /* part of it; NULL: good */
} checks[] = {
    {"noop", "{}", NULL},
    {"noop", "{\"x\":1}", "unknown parameter 'x': this kind takes none"},
    {"noop", "{\"\\u001b[1m\\n\":1}", "unknown parameter ''"},

    {"countdown", "{}", NULL},
    {"countdown", "{\"steps\":1,\"step_ms\":0}", NULL},
    {"countdown", "{\"steps\":1e6,\"step_ms\":86400000}", NULL},
    {"countdown", "{\"step\":1}",
     "unknown parameter 'step': this kind takes steps, step_ms, message"},
    {"countdown", "{\"Steps\":1}", "unknown parameter 'Steps'"},
    {"countdown", "{\"steps\":1,\"steps\":2}", "parameter 'steps' is given twice"},
    {"countdown", "{\"steps\":0}",
     "parameter 'steps' must be a whole number from 1 to 1000000, not 0"},
    {"countdown", "{\"steps\":-1}", "not -1"},
    {"countdown", "{\"steps\":2.5}", "not 2.5"},
    {"countdown", "{\"steps\":1000001}", "not 1000001"},
    {"countdown", "{\"steps\":1e999}", "not inf"},
    {"countdown", "{\"steps\":\"3\"}", "not '3'"},
    {"countdown", "{\"steps\":null}", "not null"},
    {"countdown", "{\"steps\":true}", "not true"},
    {"countdown", "{\"steps\":[3]}", "not an array"},
    {"countdown", "{\"step_ms\":-1}",
     "parameter 'step_ms' must be a whole number from 0 to 86400000"},
    {"countdown", "{\"step_ms\":86400001}", "not 86400001"},
    {"countdown", "{\"message\":\"\"}", NULL},
    {"countdown", "{\"message\":\"two\\nlines\"}",
     "parameter 'message' must be one line of text of up to 4096 bytes"},
    {"countdown", "{\"message\":1}", "not 1"},

    {"http-operation", "{\"backend\":\"b\",\"path\":\"/x\"}", NULL},
    {"http-operation",
     "{\"backend\":\"b\",\"path\":\"/"
     "x?y=%20\",\"method\":\"PUT\",\"body\":[1],\"headers\":{\"X-V\":"
     "\"1\"},\"idempotency_key\":\"k-1\",\"url_template\":\"/j/{/id}\",\"state_field\":\"/a~1b\","
     "\"progress_field\":\"/n\",\"total_field\":\"/m\",\"succeeded_states\":[\"ok\"],"
     "\"poll_interval_ms\":100,\"start_tries\":1,\"cancel_method\":\"POST\",\"cancel_path\":"
     "\":cancel\",\"cancel_body\":null}",
     NULL},
    {"http-operation", "{\"path\":\"/x\"}", "parameter 'backend' is missing"},
    {"http-operation", "{\"backend\":\"b\"}", "parameter 'path' is missing"},
#define OPERATION(more) "{\"backend\":\"b\",\"path\":\"/x\"," more "}"
    {"http-operation", OPERATION("\"patch\":1"), "unknown parameter 'patch'"},
    {"http-operation", "{\"backend\":\"b\",\"path\":\"x\"}", "must be a path that begins with one"},
    {"http-operation", "{\"backend\":\"b\",\"path\":\"//h/x\"}", "must be a path that begins"},
    {"http-operation", "{\"backend\":\"b\",\"path\":\"/a b\"}", "that no url may have"},
    {"http-operation", "{\"backend\":\"b\",\"path\":\"/a\\r\\nX: y\"}", "that no url may have"},
    {"http-operation", OPERATION("\"method\":\"post\""), "must be one of POST, PUT"},
    {"http-operation", OPERATION("\"headers\":[]"), "'headers' must be an object"},
    {"http-operation", OPERATION("\"headers\":{\"authorization\":\"x\"}"),
     "authorization is not taken: secrets belong into the settings of the backend"},
    {"http-operation", OPERATION("\"headers\":{\"Idempotency-Key\":\"x\"}"), "'idempotency_key'"},
    {"http-operation", OPERATION("\"headers\":{\"X\":\"a\\r\\nY: b\"}"), "must be one line"},
    {"http-operation", OPERATION("\"headers\":{\"X Y\":\"a\"}"), "'X Y' is no name of a header"},
    {"http-operation", OPERATION("\"headers\":{\"X\":1}"), "the value of X must be one line"},
    {"http-operation", OPERATION("\"idempotency_key\":\"a b\""), "without blanks"},
    {"http-operation", OPERATION("\"idempotency_key\":\"\""), "must be a text that is not empty"},
    {"http-operation", OPERATION("\"state_field\":\"status\""), "must be a JSON Pointer such as"},
    {"http-operation", OPERATION("\"state_field\":\"/a~2\""), "must be a JSON Pointer such as"},
    {"http-operation", OPERATION("\"url_template\":\"/j/{id}\""), "JSON Pointers in braces"},
    {"http-operation", OPERATION("\"url_template\":\"/j/7\""), "JSON Pointers in braces"},
    {"http-operation", OPERATION("\"url_template\":\"/{/a}\",\"url_field\":\"/a\""),
     "say the same thing"},
    {"http-operation", OPERATION("\"total_field\":\"/m\""), "give that as well"},
    {"http-operation", OPERATION("\"failed_states\":[]"), "an array of 1 to 64 states"},
    {"http-operation", OPERATION("\"failed_states\":[1]"), "must be an array of words"},
    {"http-operation", OPERATION("\"poll_interval_ms\":99"), "from 100 to 86400000"},
    {"http-operation", OPERATION("\"start_tries\":0"), "from 1 to 1000"},
    {"http-operation", OPERATION("\"cancel_path\":\"//h/x\""), "must be a path"},
#undef OPERATION

    {"map", "{\"items\":[]}", NULL},
    {"map", "{\"items\":[\"a\",1,true,null],\"op\":\"length\",\"item_ms\":0}", NULL},
    {"map", "{}", "parameter 'items' is missing"},
    {"map", "{\"items\":{}}", "parameter 'items' must be an array of items, not an object"},
    {"map", "{\"items\":[1,[2]]}", "items[1] must be a string"},
    {"map", "{\"items\":[{}]}", "not an object"},
    {"map", "{\"items\":[1e999]}", "not inf"},
    {"map", "{\"items\":[],\"op\":\"title\"}",
     "parameter 'op' must be one of uppercase, lowercase, length, not 'title'"},
    {"map", "{\"items\":[],\"op\":1}", "not 1"},
    {"map", "{\"items\":[],\"item_ms\":0.5}", "parameter 'item_ms' must be a whole number"},
    {"map", "{\"items\":[],\"n\":1}", "this kind takes items, op, item_ms"},

    {"compute-e", "{}", NULL},
    {"compute-e", "{\"seconds\":0.25,\"force_error\":true}", NULL},
    {"compute-e", "{\"seconds\":86400}", NULL},
    {"compute-e", "{\"seconds\":-0.1}",
     "parameter 'seconds' must be a number from 0 to 86400, not -0.1"},
    {"compute-e", "{\"seconds\":86400.5}", "not 86400.5"},
    {"compute-e", "{\"seconds\":1e999}", "not inf"},
    {"compute-e", "{\"seconds\":\"3\"}", "not '3'"},
    {"compute-e", "{\"force_error\":1}", "parameter 'force_error' must be true or false, not 1"},
    {"compute-e", "{\"use_process\":true}", "this kind takes seconds, force_error"},

    {"checksum", "{\"paths\":[\"/\"]}", NULL},
    {"checksum", "{\"paths\":[\"/a\",\"/a\"],\"algorithm\":\"blake2b-512\"}", NULL},
    {"checksum", "{\"paths\":[\"/a\"],\"algorithm\":\"SHA3_256\"}", NULL},
    {"checksum", "{}", "parameter 'paths' is missing: an array of absolute paths"},
    {"checksum", "{\"paths\":[]}", "an array of 1 to 1000 absolute paths, not of 0"},
    {"checksum", "{\"paths\":\"/a\"}", "an array of absolute paths, not '/a'"},
    {"checksum", "{\"paths\":[\"/a\",\"b/c\"]}", "paths[1] must be an absolute path, not 'b/c'"},
    {"checksum", "{\"paths\":[\"\"]}", "paths[0] must be an absolute path, not ''"},
    {"checksum", "{\"paths\":[7]}", "paths[0] must be an absolute path, not 7"},
    {"checksum", "{\"paths\":[\"/a\"],\"algorithm\":\"sha257\"}",
     "such as sha256, sha512, sha3-256, blake2b-512, sha1 or md5, not 'sha257'"},
    {"checksum", "{\"paths\":[\"/a\"],\"algorithm\":\"shake128\"}", "not 'shake128'"},
    {"checksum", "{\"paths\":[\"/a\"],\"algorithm\":\"1.3.14.3.2.26\"}", "'algorithm' must be"},
    {"checksum", "{\"paths\":[\"/a\"],\"algorithm\":\"\"}", "not ''"},
    {"checksum", "{\"paths\":[\"/a\"],\"algorithm\":256}", "not 256"},
    {"checksum", "{\"path\":\"/a\"}", "this kind takes paths, algorithm"},

    {"download", "{\"url\":\"http://a/b\"}", NULL},
    {"download",
     "{\"urls\":[\"HTTP://[::1]:80/b\",\"http://[::1]:80?d#e\"],\"path\":\"x/y\",\"size\":0,"
     "\"sha256\":\"" SHA256 "\",\"overwrite\":true,\"ca_file\":\"/ca\",\"give_up_after_ms\":0,"
     "\"headers\":{\"Accept\":\"*/*\"},\"auth\":\"basic\",\"credential\":\"/c\","
     "\"stall_timeout_ms\":100}",
     NULL},
    {"download", "{}", "parameter 'url' is missing"},
    {"download", "{\"url\":\"http://a/\",\"urls\":[\"http://b/\"]}", "do not go together"},
    {"download", "{\"urls\":[]}", "an array of 1 to 32 urls, not of 0"},
    {"download", "{\"urls\":[\"http://a/\",\"ftp://b/\"]}",
     "'urls[1]' must be a url that begins with http:// or https://, not 'ftp://b/'"},
    {"download", "{\"url\":\"file:///etc/passwd\"}", "begins with http:// or https://"},
    {"download", "{\"url\":\"a/b\"}", "begins with http:// or https://"},
    {"download", "{\"url\":\"http:///b\"}", "begins with http:// or https://"},
    {"download", "{\"url\":\"http://:80/b\"}", "begins with http:// or https://"},
    {"download", "{\"url\":7}", "not 7"},
    {"download", "{\"url\":\"http://a/b c\"}", "blanks and what is not ASCII are %XX"},
    {"download", "{\"url\":\"http://a/\\n\"}", "blanks and what is not ASCII are %XX"},
    {"download", "{\"url\":\"http://a/\u00e9\"}", "blanks and what is not ASCII are %XX"},
    {"download", "{\"url\":\"http://me:secret@a/\"}", "has a user or password in it"},
    {"download", "{\"url\":\"http://a/?mail=me@b\"}", NULL},
    {"download", "{\"url\":\"http://a/\",\"path\":\"\"}", "parameter 'path' must be a path"},
    {"download", "{\"url\":\"http://a/\",\"sha256\":\"12\"}", "64 hexadecimal digits"},
    {"download", "{\"url\":\"http://a/\",\"sha256\":\"z" SHA256_REST "\"}",
     "64 hexadecimal digits"},
    {"download", "{\"url\":\"http://a/\",\"size\":-1}", "parameter 'size' must be"},
    {"download", "{\"url\":\"http://a/\",\"overwrite\":1}", "must be true or false"},
    {"download", "{\"url\":\"http://a/\",\"ca_file\":\"ca.pem\"}", "must be an absolute path"},
    {"download", "{\"url\":\"http://a/\",\"headers\":[]}", "'headers' must be an object"},
    {"download", "{\"url\":\"http://a/\",\"headers\":{\"a b\":\"c\"}}", "'a b' cannot be"},
    {"download", "{\"url\":\"http://a/\",\"headers\":{\"\\u001b[1m\":\"c\"}}", "'' cannot be"},
    {"download", "{\"url\":\"http://a/\",\"headers\":{\"a\":\"b\\r\\nc: d\"}}", "one line of text"},
    {"download", "{\"url\":\"http://a/\",\"headers\":{\"a\":1}}", "one line of text"},
    {"download", "{\"url\":\"http://a/\",\"headers\":{\"range\":\"bytes=1-\"}}",
     "Range is set by the download itself"},
    {"download", "{\"url\":\"http://a/\",\"headers\":{\"authorization\":\"Bearer x\"}}",
     "name that in 'credential'"},
    {"download", "{\"url\":\"http://a/\",\"auth\":\"basic\"}", "wants 'credential' as well"},
    {"download", "{\"url\":\"http://a/\",\"auth\":\"digest\",\"credential\":\"/c\"}",
     "one of bearer, basic"},
    {"download", "{\"url\":\"http://a/\",\"credential\":\"c\"}", "must be an absolute path"},
    {"download", "{\"url\":\"http://a/\",\"credential\":\"/c\"}", "must begin with https://"},
    {"download", "{\"url\":\"http://localhost.a/\",\"credential\":\"/c\"}",
     "must begin with https://"},
    {"download", "{\"urls\":[\"https://a/x\",\"https://ab/x\"],\"credential\":\"/c\"}",
     "is for one server"},
    {"download", "{\"urls\":[\"https://a/x\",\"http://a/x\"],\"credential\":\"/c\"}",
     "is for one server"},
    {"download", "{\"urls\":[\"https://a/x\",\"https://a:444/x\"],\"credential\":\"/c\"}",
     "is for one server"},
    {"download", "{\"url\":\"http://a/\",\"give_up_after_ms\":604800001}", "not 604800001"},
    {"download", "{\"url\":\"http://a/\",\"stall_timeout_ms\":0}", "from 100 to 3600000"},
    {"download", "{\"URL\":\"http://a/\"}", "unknown parameter 'URL'"},
};

static void check_params(const char *kind, const char *json, const char *expected) {
    _cleanup_(cJSON_Deletep) cJSON *params = parse(json);
    _cleanup_free_ char *error = NULL;
    int r = kind_by_name(kind)->check(params, &error);

    if (!expected) {
        ck_assert_msg(r == 0, "%s %s: %s", kind, json, error);
        ck_assert_ptr_null(error);
        return;
    }
    ck_assert_msg(r == -EINVAL, "%s %s: taken", kind, json);
    ck_assert_msg(strstr(error, expected) != NULL, "%s %s: %s", kind, json, error);
    ck_assert(utf8_is_valid(error) && !strchr(error, '\n') && !strchr(error, 0x1b));
}

START_TEST(test_params) {
    check_params(checks[_i].kind, checks[_i].json, checks[_i].error);
}
END_TEST

/* n times the item, between the two ends; the caller frees it. */
static char *repeat(const char *before, const char *item, size_t n, const char *after) {
    char *text = malloc(strlen(before) + n * strlen(item) + strlen(after) + 1);
    char *p = stpcpy(text, before);

    for (size_t i = 0; i < n; i++)
        p = stpcpy(p, item);
    strcpy(p, after);
    return text;
}

static const struct {
    const char *kind, *before, *item;
    size_t n;
    const char *after, *error;
} caps[] = {
    {"map", "{\"items\":[0", ",0", 99999, "]}", NULL},
    {"map", "{\"items\":[0", ",0", 100000, "]}", "array of 0 to 100000 items, not of 100001"},
    {"checksum", "{\"paths\":[\"/\"", ",\"/\"", 999, "]}", NULL},
    {"checksum", "{\"paths\":[\"/\"", ",\"/\"", 1000, "]}",
     "1 to 1000 absolute paths, not of 1001"},
    {"checksum", "{\"paths\":[\"/", "p", 4094, "\"]}", NULL},
    {"checksum", "{\"paths\":[\"/", "p", 4095, "\"]}", "paths[0] is longer than 4095 bytes"},
    /* What others wrote comes back cut, at the end of a character. */
    {"countdown", "{\"steps\":\"", "\u00e9", 5000, "\"}", "\u00e9\u2026'"},
    {"countdown", "{\"", "\u00e9", 5000, "\":1}", "\u00e9\u2026'"},
    {"checksum", "{\"paths\":[\"/\"],\"algorithm\":\"", "a", 5000, "\"}", "aaa\u2026'"},
};

START_TEST(test_params_caps) {
    _cleanup_free_ char *json = repeat(caps[_i].before, caps[_i].item, caps[_i].n, caps[_i].after);

    check_params(caps[_i].kind, json, caps[_i].error);
}
END_TEST

/* ---- what all kinds speak through ---- */

START_TEST(test_context_texts) {
    FakeTaskContext f;
    _cleanup_free_ char *long_text = repeat("", "\u00e9", 10000, "");

    fake_task_context_init(&f);
    task_context_log(&f.context, "two\nlines \xff");
    task_context_log_error(&f.context, "%s", long_text);
    task_context_status(&f.context, "a\nb\x1b[1mc\xff");
    task_context_message(&f.context, "%d\n%d", 1, 2);
    ck_assert_str_eq(f.events[0], "log two lines \xff");
    ck_assert_uint_eq(strlen(f.events[1]), strlen("log-error ") + strlen(long_text));
    ck_assert_str_eq(f.events[2], "status a bc\ufffd");
    ck_assert_str_eq(f.message, "1 2");

    task_context_status(&f.context, "%s", long_text);
    task_context_message(&f.context, "%s", long_text);
    ck_assert_uint_le(strlen(f.message), NOTIFY_VALUE_MAX);
    ck_assert_uint_ge(strlen(f.message), NOTIFY_VALUE_MAX - 8);
    ck_assert_str_eq(f.events[4] + strlen("status "), f.message);
    ck_assert_ptr_nonnull(strstr(f.message, "\u00e9\u2026"));
    fake_task_context_done(&f);
}
END_TEST

START_TEST(test_noop) {
    FakeTaskContext f;

    fake_task_context_init(&f);
    ck_assert_int_eq(run(&kind_noop, &f, "{}"), 0);
    ck_assert_uint_eq(f.n_events, 0);
    fake_task_context_done(&f);
}
END_TEST

/* ---- countdown ---- */

START_TEST(test_countdown) {
    static const char *const expected[] = {
        "log Task started...",
        "status Initializing...",
        "sleep 1000000",
        "progress 1/3",
        "status Processing step 1 of 3",
        "log Completed step 1",
        "sleep 1000000",
        "progress 2/3",
        "status Processing step 2 of 3",
        "log Completed step 2",
        "sleep 1000000",
        "progress 3/3",
        "status Processing step 3 of 3",
        "log Completed step 3",
        "status Task completed!",
        "message All work completed successfully!",
        "log Task finished successfully",
        NULL,
    };
    FakeTaskContext f;

    fake_task_context_init(&f);
    ck_assert_int_eq(run(&kind_countdown, &f, "{\"steps\":3}"), 0);
    fake_task_context_expect(&f, expected);
    fake_task_context_done(&f);
}
END_TEST

START_TEST(test_countdown_messages) {
    static const char *const inbox[] = {"hello", "", NULL};
    static const char *const expected[] = {
        "log Task started...",
        "status Initializing...",
        "log Message received: hello",
        "log Message received: ",
        "sleep 0",
        "progress 1/2",
        "status Processing step 1 of 2",
        "log Completed step 1",
        "send I am here",
        "sleep 0",
        "progress 2/2",
        "status Processing step 2 of 2",
        "log Completed step 2",
        "send I am here",
        "status Task completed!",
        "message All work completed successfully!",
        "log Task finished successfully",
        NULL,
    };
    FakeTaskContext f;

    fake_task_context_init(&f);
    f.inbox = inbox;
    ck_assert_int_eq(
        run(&kind_countdown, &f, "{\"steps\":2,\"step_ms\":0,\"message\":\"I am here\"}"), 0);
    fake_task_context_expect(&f, expected);
    fake_task_context_done(&f);
}
END_TEST

/* The percentages of eight steps, as a window shows them. */
static void check_percent(FakeTaskContext *f, const char *event) {
    static const unsigned expected[] = {12, 25, 37, 50, 62, 75, 87, 100};
    size_t *n = f->userdata;

    if (strncmp(event, "progress ", 9) == 0)
        ck_assert_uint_eq(f->done * 100 / f->total, expected[(*n)++]);
}

START_TEST(test_countdown_percent) {
    FakeTaskContext f;
    size_t n = 0;

    fake_task_context_init(&f);
    f.hook = check_percent;
    f.userdata = &n;
    ck_assert_int_eq(run(&kind_countdown, &f, "{\"steps\":8,\"step_ms\":1}"), 0);
    ck_assert_uint_eq(n, 8);
    ck_assert(fake_task_context_has(&f, "sleep 1000"));
    fake_task_context_done(&f);
}
END_TEST

START_TEST(test_countdown_defaults) {
    FakeTaskContext f;

    fake_task_context_init(&f);
    ck_assert_int_eq(run(&kind_countdown, &f, "{}"), 0);
    ck_assert_uint_eq(f.sleeps, 10);
    ck_assert(fake_task_context_has(&f, "sleep 1000000"));
    ck_assert(fake_task_context_has(&f, "progress 10/10"));
    fake_task_context_done(&f);
}
END_TEST

static const struct {
    unsigned at; /* step */
    const char *log;
} cancels[] = {
    {1, "log Task cancelled at step 1"},
    {2, "log Task cancelled at step 2"},
    {3, "log Task cancelled at step 3"},
};

START_TEST(test_countdown_cancel) {
    FakeTaskContext f;

    fake_task_context_init(&f);
    f.cancel_at_sleep = cancels[_i].at;
    ck_assert_int_eq(run(&kind_countdown, &f, "{\"steps\":3}"), -ECANCELED);
    ck_assert_uint_eq(f.sleeps, cancels[_i].at);
    ck_assert_uint_eq(f.done, cancels[_i].at - 1);
    ck_assert(!f.complete);

    const char *const expected[] = {cancels[_i].log, "status Task cancelled",
                                    "message Task was cancelled by user", NULL};
    for (size_t i = 0; i < 3; i++)
        ck_assert_str_eq(f.events[f.n_events - 3 + i], expected[i]);
    fake_task_context_done(&f);
}
END_TEST

/* ---- map ---- */

/* Checks an entry of the result and its thread, which is this one. */
static void check_entry(const cJSON *entry, size_t id, const char *processed) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(entry, "processed");

    ck_assert_int_eq(cJSON_GetArraySize(entry), 3);
    ck_assert_double_eq(cJSON_GetObjectItemCaseSensitive(entry, "id")->valuedouble, (double)id);
    ck_assert_double_eq(cJSON_GetObjectItemCaseSensitive(entry, "thread")->valuedouble,
                        (double)gettid());
    _cleanup_free_ char *printed = cJSON_PrintUnformatted(value);
    ck_assert_str_eq(printed, processed);
}

static const struct {
    const char *json;
    const char *processed[8];
} maps[] = {
    {"{\"items\":[\"a\",\"stra\u00dfe\",\"\u00e9t\u00e9 \U0001f600\",\"\"]}",
     {"\"A\"", "\"STRA\u00dfE\"", "\"\u00c9T\u00c9 \U0001f600\"", "\"\""}},
    {"{\"items\":[1,-2.5,1e30,true,false,null]}",
     {"\"1\"", "\"-2.5\"", "\"1E+30\"", "\"TRUE\"", "\"FALSE\"", "\"NULL\""}},
    {"{\"items\":[\"\u00c9A\",\"\u0416\",\"I\",12],\"op\":\"lowercase\"}",
     {"\"\u00e9a\"", "\"\u0436\"", "\"i\"", "\"12\""}},
    {"{\"items\":[\"\u00e9t\u00e9\",\"\U0001f600\",\"\",1.5,null],\"op\":\"length\"}",
     {"3", "1", "0", "3", "4"}},
    {"{\"items\":[\"a\\n\\\"b\\\\\"],\"op\":\"uppercase\"}", {"\"A\\n\\\"B\\\\\""}},
    /* One that takes more bytes in the other case. */
    {"{\"items\":[\"\u023f\u023f\"]}", {"\"\u2c7e\u2c7e\""}},
    {"{\"items\":[]}", {NULL}},
};

START_TEST(test_map) {
    FakeTaskContext f;
    size_t n = 0;

    fake_task_context_init(&f);
    ck_assert_int_eq(run(&kind_map, &f, maps[_i].json), 0);
    _cleanup_(cJSON_Deletep) cJSON *result = cJSON_Parse(f.result);
    ck_assert(cJSON_IsArray(result));
    for (; maps[_i].processed[n]; n++)
        check_entry(cJSON_GetArrayItem(result, (int)n), n, maps[_i].processed[n]);
    ck_assert_int_eq(cJSON_GetArraySize(result), (int)n);
    ck_assert_uint_eq(f.sleeps, n);
    ck_assert(f.complete == (n > 0));
    fake_task_context_done(&f);
}
END_TEST

START_TEST(test_map_events) {
    static const char *const expected[] = {
        "status Processing item 1 of 2",
        "sleep 50000",
        "progress 1/2",
        "status Processing item 2 of 2",
        "sleep 50000",
        "progress 2/2",
        "message 2 items",
        NULL,
    };
    FakeTaskContext f;

    fake_task_context_init(&f);
    ck_assert_int_eq(run(&kind_map, &f, "{\"items\":[\"a\",\"b\"]}"), 0);
    fake_task_context_expect(&f, expected);
    fake_task_context_done(&f);
}
END_TEST

START_TEST(test_map_cancel) {
    FakeTaskContext f;

    fake_task_context_init(&f);
    f.cancel_at_sleep = (unsigned)_i;
    ck_assert_int_eq(run(&kind_map, &f, "{\"items\":[1,2,3]}"), -ECANCELED);
    ck_assert_str_eq(f.message, "Cancelled");
    ck_assert_ptr_null(f.result);
    ck_assert_uint_eq(f.sleeps, (unsigned)_i);
    ck_assert(!f.complete);
    fake_task_context_done(&f);
}
END_TEST

START_TEST(test_map_result_too_large) {
    FakeTaskContext f;

    fake_task_context_init(&f);
    f.result_max = 20;
    ck_assert_int_eq(run(&kind_map, &f, "{\"items\":[1,2,3]}"), -EFBIG);
    ck_assert_ptr_nonnull(strstr(f.message, "raise the option result-max"));
    ck_assert(!f.complete);
    fake_task_context_done(&f);
}
END_TEST

START_TEST(test_map_most_items) {
    _cleanup_free_ char *json = repeat("{\"item_ms\":0,\"items\":[0", ",0", 99999, "]}");
    FakeTaskContext f;

    fake_task_context_init(&f);
    f.result_max = 64 * MIB;
    ck_assert_int_eq(run(&kind_map, &f, json), 0);
    ck_assert(fake_task_context_has(&f, "progress 100000/100000"));
    fake_task_context_done(&f);
}
END_TEST

/* ---- compute-e ---- */

static bool is_uuid4(const char *s) {
    static const char pattern[] = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";

    for (size_t i = 0; i < sizeof(pattern); i++) {
        const char *allowed = pattern[i] == 'x' ? "0123456789abcdef" : "89ab";
        if (pattern[i] == 'x' || pattern[i] == 'y') {
            if (!s[i] || !strchr(allowed, s[i]))
                return false;
        } else if (s[i] != pattern[i])
            return false;
    }
    return true;
}

/* Checks the result and gives its uuid, which the caller frees. */
static char *check_e(const char *json, double seconds) {
    _cleanup_(cJSON_Deletep) cJSON *result = cJSON_Parse(json);
    const cJSON *uuid = cJSON_GetObjectItemCaseSensitive(result, "uuid");

    ck_assert_ptr_nonnull(strstr(json, "\"value\":2.718281828459045,"));
    ck_assert(cJSON_GetObjectItemCaseSensitive(result, "value")->valuedouble == M_E);
    ck_assert(cJSON_GetObjectItemCaseSensitive(result, "duration")->valuedouble >= seconds);
    ck_assert(cJSON_GetObjectItemCaseSensitive(result, "iterations")->valuedouble >= 1);
    ck_assert_int_eq(cJSON_GetArraySize(result), 4);
    ck_assert(is_uuid4(uuid->valuestring));
    return strdup(uuid->valuestring);
}

START_TEST(test_compute_e) {
    FakeTaskContext f;

    fake_task_context_init(&f);
    ck_assert_int_eq(run(&kind_compute_e, &f, "{\"seconds\":0.12}"), 0);
    _cleanup_free_ char *first = check_e(f.result, 0.12);
    ck_assert(f.complete);
    ck_assert_uint_eq(f.total, 120);
    ck_assert_str_eq(f.events[0], "status Summing 1/k! for 120ms");
    ck_assert_str_eq(f.events[1], "progress 0/120");
    /* The first, the last, and one each 50 ms at most. */
    ck_assert_uint_le(f.n_events, 7);
    ck_assert_str_eq(f.message, "e = 2.718281828459045");

    fake_task_context_done(&f);
    fake_task_context_init(&f);
    ck_assert_int_eq(run(&kind_compute_e, &f, "{\"seconds\":0}"), 0);
    _cleanup_free_ char *second = check_e(f.result, 0);
    ck_assert(f.complete);
    ck_assert_str_ne(first, second);
    fake_task_context_done(&f);
}
END_TEST

START_TEST(test_compute_e_error) {
    FakeTaskContext f;

    fake_task_context_init(&f);
    ck_assert_int_eq(run(&kind_compute_e, &f, "{\"seconds\":0.01,\"force_error\":true}"), -EIO);
    ck_assert_str_eq(f.message, "The error was forced: the parameter force_error is true");
    ck_assert_ptr_null(f.result);
    ck_assert(!f.complete);
    fake_task_context_done(&f);
}
END_TEST

START_TEST(test_compute_e_cancel) {
    FakeTaskContext f;

    fake_task_context_init(&f);
    f.cancel_at_look = (unsigned)_i;
    ck_assert_int_eq(run(&kind_compute_e, &f, "{\"seconds\":3600}"), -ECANCELED);
    ck_assert_uint_eq(f.looks, (unsigned)_i);
    ck_assert_str_eq(f.message, "Cancelled");
    ck_assert_ptr_null(f.result);
    ck_assert(!f.complete);
    fake_task_context_done(&f);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("kinds");
    TCase *t = tcase_create("params");

    tcase_add_test(t, test_kinds_table);
    tcase_add_loop_test(t, test_params_text, 0, ELEMENTSOF(texts));
    tcase_add_test(t, test_params_text_cap);
    tcase_add_loop_test(t, test_params, 0, ELEMENTSOF(checks));
    tcase_add_loop_test(t, test_params_caps, 0, ELEMENTSOF(caps));
    tcase_add_test(t, test_context_texts);
    suite_add_tcase(s, t);

    t = tcase_create("runs");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_noop);
    tcase_add_test(t, test_countdown);
    tcase_add_test(t, test_countdown_messages);
    tcase_add_test(t, test_countdown_percent);
    tcase_add_test(t, test_countdown_defaults);
    tcase_add_loop_test(t, test_countdown_cancel, 0, ELEMENTSOF(cancels));
    tcase_add_loop_test(t, test_map, 0, ELEMENTSOF(maps));
    tcase_add_test(t, test_map_events);
    tcase_add_loop_test(t, test_map_cancel, 1, 4);
    tcase_add_test(t, test_map_result_too_large);
    tcase_add_test(t, test_map_most_items);
    tcase_add_test(t, test_compute_e);
    tcase_add_test(t, test_compute_e_error);
    tcase_add_loop_test(t, test_compute_e_cancel, 1, 4);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    SRunner *runner = srunner_create(suite_new());

    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
