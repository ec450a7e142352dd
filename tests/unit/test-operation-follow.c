#include <check.h>
#include <errno.h>

#include "daemon/http/http-operation-pace.h"
#include "daemon/http/http-operation-saved.h"
#include "tests/unit/unit.h"

/* Where an operation is followed, what is kept of that, and how often it is asked for. */

#define BASE "http://127.0.0.1:8080/v1/jobs"
#define ORIGIN "http://127.0.0.1:8080"

static HttpOperationParams read_params(const char *more, cJSON **ret) {
    _cleanup_free_ char *error = NULL, *json = NULL;
    HttpOperationParams p;

    if (asprintf(&json, "{\"backend\":\"b\",\"path\":\"/v1/jobs\"%s%s}", *more ? "," : "", more) <
        0)
        abort();
    *ret = cJSON_Parse(json);
    ck_assert_msg(http_operation_params_read(*ret, &p, &error) >= 0, "%s", error);
    return p;
}

/* ---- where ---- */

static const struct {
    const char *params;
    unsigned status;
    const char *operation_location, *location, *body;
    OperationTrack track;
    const char *url;   /* NULL = none */
    const char *error; /* a part of it; NULL = none */
} follows[] = {
    /* headers */
    {"", 202, NULL, "/v1/jobs/7", "", OPERATION_TRACK_RESOURCE, ORIGIN "/v1/jobs/7", NULL},
    {"", 201, NULL, "jobs/7", "{}", OPERATION_TRACK_RESOURCE, ORIGIN "/v1/jobs/7", NULL},
    {"", 202, NULL, "../jobs/7?v=1", "", OPERATION_TRACK_RESOURCE, ORIGIN "/jobs/7?v=1", NULL},
    {"", 202, ORIGIN "/o/7", "/r/7", "", OPERATION_TRACK_STATUS, ORIGIN "/o/7", NULL},
    {"", 200, "/o/7", NULL, "{\"status\":\"running\"}", OPERATION_TRACK_STATUS, ORIGIN "/o/7",
     NULL},
    {"", 204, "/o/7", NULL, "", OPERATION_TRACK_STATUS, ORIGIN "/o/7", NULL},
    {"", 303, NULL, "/o/7", "", OPERATION_TRACK_RESOURCE, ORIGIN "/o/7", NULL},
    /* links of the operation in the body */
    {"", 202, NULL, NULL, "{\"status_url\":\"/s/7\"}", OPERATION_TRACK_STATUS, ORIGIN "/s/7", NULL},
    {"", 200, NULL, NULL, "{\"operationUrl\":\"/s/7\"}", OPERATION_TRACK_STATUS, ORIGIN "/s/7",
     NULL},
    {"", 202, NULL, NULL, "{\"statusQueryGetUri\":\"" ORIGIN "/s/7\"}", OPERATION_TRACK_STATUS,
     ORIGIN "/s/7", NULL},
    {"", 202, NULL, NULL, "{\"links\":{\"status\":{\"href\":\"/s/7\"}}}", OPERATION_TRACK_STATUS,
     ORIGIN "/s/7", NULL},
    /* links of whatever it is about */
    {"", 202, NULL, NULL, "{\"id\":7,\"url\":\"/s/7\"}", OPERATION_TRACK_RESOURCE, ORIGIN "/s/7",
     NULL},
    {"", 202, NULL, NULL, "{\"_links\":{\"self\":{\"href\":\"/s/7\"}}}", OPERATION_TRACK_RESOURCE,
     ORIGIN "/s/7", NULL},
    {"", 201, NULL, NULL,
     "{\"links\":[{\"rel\":\"up\",\"href\":\"/u\"},{\"rel\":\"self\","
     "\"href\":\"/s/7\"}]}",
     OPERATION_TRACK_RESOURCE, ORIGIN "/s/7", NULL},
    {"", 202, NULL, NULL, "{\"@odata.id\":\"/redfish/v1/TaskService/Tasks/7\"}",
     OPERATION_TRACK_RESOURCE, ORIGIN "/redfish/v1/TaskService/Tasks/7", NULL},
    {"", 200, NULL, NULL, "{\"status\":\"RUNNING\",\"selfLink\":\"" ORIGIN "/o/7\"}",
     OPERATION_TRACK_RESOURCE, ORIGIN "/o/7", NULL},
    /* it is there: a link to itself is none to an operation */
    {"", 200, NULL, NULL, "{\"id\":7,\"url\":\"/s/7\"}", OPERATION_TRACK_NONE, NULL, NULL},
    {"", 200, NULL, NULL, "{\"status\":\"done\",\"status_url\":\"/s/7\"}", OPERATION_TRACK_NONE,
     NULL, NULL},
    {"", 201, "/o/7", NULL, "{\"status\":\"failed\"}", OPERATION_TRACK_NONE, NULL, NULL},
    {"", 200, NULL, NULL, "{\"answer\":42}", OPERATION_TRACK_NONE, NULL, NULL},
    {"", 204, NULL, NULL, "", OPERATION_TRACK_NONE, NULL, NULL},
    {"", 202, "/o/7", NULL, "{\"status\":\"done\"}", OPERATION_TRACK_STATUS, ORIGIN "/o/7", NULL},
    /* named by params */
    {"\"url_field\":\"/a/b\"", 200, "/o/7", NULL, "{\"a\":{\"b\":\"/s/7\"}}",
     OPERATION_TRACK_STATUS, ORIGIN "/s/7", NULL},
    {"\"url_field\":\"/a\"", 200, "/o/7", NULL, "{}", OPERATION_TRACK_NONE, NULL,
     "no url at \"/a\" (url_field)"},
    {"\"url_template\":\"/v1/{/name}\"", 200, NULL, NULL, "{\"name\":\"operations/a b?\"}",
     OPERATION_TRACK_STATUS, "/v1/operations/a%20b%3F", NULL},
    {"\"url_template\":\"/p/{/p/id}/j/{/id}.json?x={/id}\"", 201, NULL, NULL,
     "{\"id\":46,\"p\":{\"id\":\"x/y\"}}", OPERATION_TRACK_STATUS, "/p/x/y/j/46.json?x=46", NULL},
    {"\"url_template\":\"/j/{/id}\"", 201, NULL, NULL, "{\"id\":null}", OPERATION_TRACK_NONE, NULL,
     "no text or number at \"/id\""},
    /* nothing that could be followed */
    {"", 202, NULL, NULL, "{}", OPERATION_TRACK_NONE, NULL, "does not say where the operation"},
    {"", 202, NULL, NULL, "", OPERATION_TRACK_NONE, NULL, "Give url_field or url_template"},
    {"", 202, NULL, NULL, "{\"status\":\"done\"}", OPERATION_TRACK_NONE, NULL,
     "does not say where the operation"},
    {"", 200, NULL, NULL, "{\"name\":\"operations/7\"}", OPERATION_TRACK_NONE, NULL,
     "under way, but the server does not say where"},
    {"", 200, NULL, NULL, "{\"id\":7,\"status\":\"queued\"}", OPERATION_TRACK_NONE, NULL,
     "it is queued"},
    /* elsewhere */
    {"", 202, NULL, "http://127.0.0.1:8081/o/7", "", OPERATION_TRACK_NONE, NULL,
     "another server than the backend"},
    {"", 202, NULL, "https://127.0.0.1:8080/o/7", "", OPERATION_TRACK_NONE, NULL, "another server"},
    {"", 202, NULL, "//evil.example/o/7?secret=1", "", OPERATION_TRACK_NONE, NULL,
     "at //evil.example/o/7, which is not asked"},
    {"", 202, NULL, NULL, "{\"status_url\":\"http://evil.example/\"}", OPERATION_TRACK_NONE, NULL,
     "another server"},
    {"", 202, NULL, "file:///etc/passwd", "", OPERATION_TRACK_NONE, NULL, "which is no url"},
};

START_TEST(test_follow) {
    _cleanup_error_ Error error = {};
    _cleanup_free_ char *url = NULL;
    OperationScale scale = OPERATION_SCALE_UNKNOWN;
    OperationTrack track = OPERATION_TRACK_NONE;
    OperationReading reading;
    cJSON *json;
    HttpOperationParams p = read_params(follows[_i].params, &json);
    OperationAnswer a = {
        .status = follows[_i].status,
        .url = BASE,
        .body = follows[_i].body,
        .body_size = strlen(follows[_i].body),
        .operation_location = follows[_i].operation_location,
        .location = follows[_i].location,
    };

    operation_answer_parse(&a);
    operation_read(a.root, &p, &scale, &reading);
    int r = operation_follow(&a, &p, &reading, &track, &url, &error);
    if (follows[_i].error) {
        ck_assert_int_eq(r, -EREMOTE);
        ck_assert_msg(strstr(error.message, follows[_i].error), "%s", error.message);
    } else
        ck_assert_msg(r == 0, "%s", error.message);
    ck_assert_int_eq(track, follows[_i].track);
    ck_assert_pstr_eq(url, follows[_i].url);
    cJSON_Delete(a.root);
    cJSON_Delete(json);
}
END_TEST

static const struct {
    const char *url, *path, *cancel;
} cancels[] = {
    {"http://h/o/7?v=1", NULL, "http://h/o/7?v=1"},
    {"http://h/o/7?v=1", "cancel", "http://h/o/7/cancel?v=1"},
    {"http://h/o/7/", "cancel", "http://h/o/7/cancel"},
    {"/o/7", ":cancel", "/o/7:cancel"},
    {"http://h/o/7?v=1", ":cancel?x=2", "http://h/o/7:cancel?x=2"},
    {"http://h/o/7", "/stop/7", "/stop/7"},
    {"http://h/o/7", "http://h/stop/7", "http://h/stop/7"},
};

START_TEST(test_cancel_url) {
    _cleanup_free_ char *url = operation_cancel_url(cancels[_i].url, cancels[_i].path);

    ck_assert_str_eq(url, cancels[_i].cancel);
}
END_TEST

/* ---- saved ---- */

START_TEST(test_saved) {
    OperationSaved s = {.attempt = 2, .key = strdup("k\"1")}, read = {};
    _cleanup_free_ char *first = operation_saved_format(&s), *second = NULL;

    ck_assert_int_eq(operation_saved_parse(first, 2, &read), 0);
    ck_assert_str_eq(read.key, "k\"1");
    ck_assert_ptr_null(read.url);
    operation_saved_done(&read);

    s.url = strdup("http://h/o?a=b");
    s.result_url = strdup("http://h/r");
    s.track = OPERATION_TRACK_RESOURCE;
    second = operation_saved_format(&s);
    ck_assert_int_eq(operation_saved_parse(second, 2, &read), 0);
    ck_assert_str_eq(read.url, s.url);
    ck_assert_str_eq(read.result_url, s.result_url);
    ck_assert_int_eq(read.track, s.track);
    operation_saved_done(&read);
    ck_assert_int_eq(operation_saved_parse(second, 3, &read), -ESTALE);
    operation_saved_done(&s);
}
END_TEST

static const char *const not_saved[] = {
    "",
    "{}",
    "[]",
    "{\"attempt\":1}",
    "{\"attempt\":1,\"key\":7}",
    "{\"attempt\":1,\"key\":\"k\",\"url\":\"u\"}",
    "{\"attempt\":1,\"key\":\"k\",\"url\":\"u\",\"track\":\"x\"}",
};

START_TEST(test_not_saved) {
    OperationSaved s = {};

    ck_assert_int_eq(operation_saved_parse(not_saved[_i], 1, &s), -EBADMSG);
    ck_assert_ptr_null(s.key);
}
END_TEST

/* ---- how often ---- */

START_TEST(test_pace_grows) {
    OperationPace p = {};
    uint64_t before = 0, usec = 0;

    ck_assert_uint_eq(operation_pace_good(&p, true, 0, 0), OPERATION_INTERVAL_FIRST_USEC);
    for (int i = 0; i < 10; i++)
        usec = operation_pace_good(&p, true, 0, 0);
    ck_assert_uint_eq(usec, OPERATION_INTERVAL_USEC);
    for (int i = 0; i < 20; i++) {
        before = usec;
        usec = operation_pace_good(&p, false, 0, 0);
        ck_assert_uint_ge(usec, before);
    }
    ck_assert_uint_eq(usec, OPERATION_INTERVAL_MAX_USEC);
    ck_assert_uint_eq(operation_pace_good(&p, true, 0, 0), OPERATION_INTERVAL_USEC);
}
END_TEST

START_TEST(test_pace_fixed) {
    OperationPace p = {.fixed_usec = 7 * USEC_PER_SEC};

    ck_assert_uint_eq(operation_pace_good(&p, true, 0, 0), 7 * USEC_PER_SEC);
    /* Those that began together do not ask together for ever. */
    ck_assert_uint_eq(operation_pace_good(&p, true, 0, 12345), 7 * USEC_PER_SEC + 12345);
    ck_assert_uint_le(operation_pace_good(&p, true, 0, UINT64_MAX), 8 * USEC_PER_SEC);
    /* The server knows better; within bounds. */
    ck_assert_uint_eq(operation_pace_good(&p, true, 3 * USEC_PER_SEC, 0), 3 * USEC_PER_SEC);
    ck_assert_uint_eq(operation_pace_good(&p, true, 1, 0), OPERATION_RETRY_AFTER_MIN_USEC);
    ck_assert_uint_eq(operation_pace_good(&p, true, UINT64_MAX, 0), OPERATION_RETRY_AFTER_MAX_USEC);
    /* Not sooner than asked for, whatever chance says. */
    for (uint64_t random = 1; random < 1000000000; random *= 7) {
        uint64_t usec = operation_pace_good(&p, true, 8 * USEC_PER_SEC, random);
        ck_assert(usec >= 8 * USEC_PER_SEC && usec <= 9 * USEC_PER_SEC);
    }
    p.hurry = true;
    ck_assert_uint_eq(operation_pace_good(&p, true, UINT64_MAX, 0), OPERATION_HURRY_MAX_USEC);
}
END_TEST

START_TEST(test_pace_bad) {
    OperationPace p = {};
    uint64_t expected = OPERATION_BACKOFF_FIRST_USEC;

    for (int i = 0; i < 20; i++) {
        ck_assert_uint_eq(operation_pace_bad(&p, 0, 0), expected);
        expected = MIN(expected * 2, OPERATION_BACKOFF_MAX_USEC);
    }
    ck_assert_uint_eq(operation_pace_bad(&p, USEC_PER_SEC, 0), OPERATION_BACKOFF_MAX_USEC);
    ck_assert_uint_eq(operation_pace_bad(&p, 5 * USEC_PER_MINUTE, 0), 5 * USEC_PER_MINUTE);
    (void)operation_pace_good(&p, false, 0, 0);
    ck_assert_uint_eq(operation_pace_bad(&p, 0, 0), OPERATION_BACKOFF_FIRST_USEC);
}
END_TEST

int main(void) {
    Suite *s = suite_create("operation-follow");
    TCase *t = tcase_create("follow");

    tcase_add_loop_test(t, test_follow, 0, ELEMENTSOF(follows));
    tcase_add_loop_test(t, test_cancel_url, 0, ELEMENTSOF(cancels));
    tcase_add_test(t, test_saved);
    tcase_add_loop_test(t, test_not_saved, 0, ELEMENTSOF(not_saved));
    tcase_add_test(t, test_pace_grows);
    tcase_add_test(t, test_pace_fixed);
    tcase_add_test(t, test_pace_bad);
    suite_add_tcase(s, t);
    return unit_run(s);
}
