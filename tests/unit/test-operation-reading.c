#include <check.h>
#include <errno.h>
#include <math.h>

#include "daemon/http/http-operation-reading.h"
#include "daemon/http/http-operation-result.h"
#include "tests/unit/unit.h"

/* What answers of services say of an operation: as their documentation shows them, and odd ones. */

static HttpOperationParams read_params(const char *json, cJSON **ret) {
    _cleanup_free_ char *error = NULL;
    HttpOperationParams p;

    *ret = cJSON_Parse(json);
    ck_assert_msg(http_operation_params_read(*ret, &p, &error) >= 0, "%s", error);
    return p;
}

#define PLAIN "{\"backend\":\"b\",\"path\":\"/x\"}"
#define WITH(more) "{\"backend\":\"b\",\"path\":\"/x\"," more "}"

/* ---- readings ---- */

static const struct {
    const char *params, *json;
    OperationState state;
    const char *word;
    double fraction; /* negative: none */
    const char *phase, *text;
} readings[] = {
    /* Azure: the operation's own url, and a resource with provisioningState. */
    {PLAIN, "{\"id\":\"/o/1\",\"status\":\"InProgress\",\"percentComplete\":50}", OPERATION_RUNNING,
     "InProgress", 0.5, NULL, NULL},
    {PLAIN, "{\"status\":\"Succeeded\",\"properties\":{\"a\":1}}", OPERATION_SUCCEEDED, "Succeeded",
     -1, NULL, NULL},
    {PLAIN, "{\"name\":\"vm\",\"properties\":{\"provisioningState\":\"Updating\"}}",
     OPERATION_RUNNING, "Updating", -1, NULL, NULL},
    {PLAIN, "{\"properties\":{\"provisioningState\":\"Canceled\"}}", OPERATION_CANCELLED,
     "Canceled", -1, NULL, NULL},
    {PLAIN, "{\"status\":\"Failed\",\"error\":{\"code\":\"E\",\"message\":\"m\"}}",
     OPERATION_FAILED, "Failed", -1, NULL, NULL},
    /* Google, AIP-151: no "done" means that it is not. */
    {PLAIN, "{\"name\":\"operations/7\",\"metadata\":{\"progressPercent\":10}}", OPERATION_RUNNING,
     "", 0.1, NULL, NULL},
    {PLAIN, "{\"name\":\"projects/p/operations/7\"}", OPERATION_RUNNING, "", -1, NULL, NULL},
    {PLAIN, "{\"name\":\"operations/7\",\"done\":true,\"response\":{\"a\":1}}", OPERATION_SUCCEEDED,
     "", -1, NULL, NULL},
    {PLAIN, "{\"name\":\"operations/7\",\"done\":true,\"error\":{\"code\":3,\"message\":\"bad\"}}",
     OPERATION_FAILED, "", -1, NULL, NULL},
    {PLAIN, "{\"name\":\"operations/7\",\"done\":true,\"error\":{\"code\":1}}", OPERATION_CANCELLED,
     "", -1, NULL, NULL},
    {PLAIN, "{\"name\":\"operations/7\",\"done\":false,\"metadata\":{\"state\":\"SUCCEEDED\"}}",
     OPERATION_RUNNING, "SUCCEEDED", -1, NULL, NULL},
    /* Compute Engine */
    {PLAIN, "{\"kind\":\"compute#operation\",\"status\":\"DONE\",\"progress\":100}",
     OPERATION_SUCCEEDED, "DONE", 1, NULL, NULL},
    /* Redfish: TaskStatus is how well, not how far. */
    {PLAIN,
     "{\"@odata.id\":\"/redfish/v1/TaskService/Tasks/1\",\"TaskState\":\"Running\","
     "\"TaskStatus\":\"OK\",\"PercentComplete\":30,\"Messages\":[{\"Message\":\"Erasing\"}]}",
     OPERATION_RUNNING, "Running", 0.3, NULL, "Erasing"},
    {PLAIN, "{\"TaskState\":\"Exception\",\"TaskStatus\":\"Critical\"}", OPERATION_FAILED,
     "Exception", -1, NULL, NULL},
    {PLAIN, "{\"TaskState\":\"Completed\",\"TaskStatus\":\"OK\",\"PercentComplete\":100}",
     OPERATION_SUCCEEDED, "Completed", 1, NULL, NULL},
    /* GitLab: pipelines, imports */
    {PLAIN, "{\"id\":46,\"status\":\"pending\",\"ref\":\"main\",\"web_url\":\"https://g/46\"}",
     OPERATION_RUNNING, "pending", -1, NULL, NULL},
    {PLAIN, "{\"id\":46,\"status\":\"success\",\"coverage\":\"30.0\"}", OPERATION_SUCCEEDED,
     "success", -1, NULL, NULL},
    {PLAIN, "{\"id\":1,\"import_status\":\"started\"}", OPERATION_RUNNING, "started", -1, NULL,
     NULL},
    {PLAIN, "{\"id\":1,\"import_status\":\"finished\"}", OPERATION_SUCCEEDED, "finished", -1, NULL,
     NULL},
    /* Kubernetes: phase is the state, and no phase of it. */
    {PLAIN, "{\"kind\":\"Pod\",\"status\":{\"phase\":\"Running\",\"message\":\"m\"}}",
     OPERATION_RUNNING, "Running", -1, NULL, "m"},
    {PLAIN, "{\"status\":{\"phase\":\"Failed\"}}", OPERATION_FAILED, "Failed", -1, NULL, NULL},
    /* others */
    {PLAIN, "{\"state\":\"running\",\"phase\":\"copy\",\"message\":\"file 3\",\"progress\":0.25}",
     OPERATION_RUNNING, "running", 0.25, "copy", "file 3"},
    {PLAIN, "{\"job\":{\"state\":\"COMPLETED_WITH_WARNINGS\"}}", OPERATION_SUCCEEDED,
     "COMPLETED_WITH_WARNINGS", -1, NULL, NULL},
    {PLAIN, "{\"status\":\"completed with errors\"}", OPERATION_FAILED, "completed with errors", -1,
     NULL, NULL},
    {PLAIN, "{\"status\":\"timed-out\"}", OPERATION_FAILED, "timed-out", -1, NULL, NULL},
    {PLAIN, "{\"status\":\"aborted\"}", OPERATION_CANCELLED, "aborted", -1, NULL, NULL},
    {PLAIN, "{\"status\":\"purple\"}", OPERATION_RUNNING, "purple", -1, NULL, NULL},
    {PLAIN, "{\"done\":true,\"success\":false}", OPERATION_FAILED, "", -1, NULL, NULL},
    {PLAIN, "{\"finished\":true,\"error\":null}", OPERATION_SUCCEEDED, "", -1, NULL, NULL},
    {PLAIN, "{\"finished\":true,\"error\":\"\"}", OPERATION_SUCCEEDED, "", -1, NULL, NULL},
    {PLAIN, "{\"status\":200,\"progress\":7}", OPERATION_UNSAID, "", 0.07, NULL, NULL},
    {PLAIN, "{}", OPERATION_UNSAID, "", -1, NULL, NULL},
    {PLAIN, "[1]", OPERATION_UNSAID, "", -1, NULL, NULL},
    {PLAIN, "\"done\"", OPERATION_UNSAID, "", -1, NULL, NULL},
    {PLAIN, NULL, OPERATION_UNSAID, "", -1, NULL, NULL},
    /* what somebody has named */
    {WITH("\"state_field\":\"/a/b\""), "{\"a\":{\"b\":\"ok\"},\"status\":\"failed\"}",
     OPERATION_RUNNING, "ok", -1, NULL, NULL},
    {WITH("\"state_field\":\"/a\",\"succeeded_states\":[\"OK\"]"), "{\"a\":\"ok\"}",
     OPERATION_SUCCEEDED, "ok", -1, NULL, NULL},
    {WITH("\"state_field\":\"/a\",\"failed_states\":[\"3\"]"), "{\"a\":3}", OPERATION_FAILED, "3",
     -1, NULL, NULL},
    {WITH("\"state_field\":\"/a\""), "{\"a\":true}", OPERATION_SUCCEEDED, "", -1, NULL, NULL},
    {WITH("\"state_field\":\"/a\""), "{\"a\":false,\"status\":\"done\"}", OPERATION_RUNNING, "", -1,
     NULL, NULL},
    {WITH("\"state_field\":\"/a\""), "{\"status\":\"done\"}", OPERATION_UNSAID, "", -1, NULL, NULL},
    {WITH("\"succeeded_states\":[\"deployed\"]"), "{\"status\":\"done\"}", OPERATION_RUNNING,
     "done", -1, NULL, NULL},
    {WITH("\"cancelled_states\":[\"failed\"]"), "{\"status\":\"failed\"}", OPERATION_CANCELLED,
     "failed", -1, NULL, NULL},
    {WITH("\"message_field\":\"/why\""), "{\"status\":\"x\",\"why\":\"so\",\"message\":\"m\"}",
     OPERATION_RUNNING, "x", -1, NULL, "so"},
};

START_TEST(test_reading) {
    OperationScale scale = OPERATION_SCALE_UNKNOWN;
    cJSON *json, *root = readings[_i].json ? cJSON_Parse(readings[_i].json) : NULL;
    HttpOperationParams p = read_params(readings[_i].params, &json);
    OperationReading r;

    operation_read(root, &p, &scale, &r);
    ck_assert_msg(r.state == readings[_i].state, "%s: %d", readings[_i].json, r.state);
    ck_assert_str_eq(r.word, readings[_i].word);
    if (readings[_i].fraction < 0)
        ck_assert_double_lt(r.fraction, 0);
    else
        ck_assert_double_eq_tol(r.fraction, readings[_i].fraction, 1e-9);
    ck_assert_pstr_eq(r.phase, readings[_i].phase);
    ck_assert_pstr_eq(r.text, readings[_i].text);
    cJSON_Delete(root);
    cJSON_Delete(json);
}
END_TEST

/* ---- progress ---- */

static const struct {
    const char *params, *json;
    double fraction;
    uint64_t done, total;
} progresses[] = {
    {PLAIN, "{\"progress\":0.5}", 0.5, 0, 0},
    {PLAIN, "{\"progress\":50}", 0.5, 0, 0},
    {PLAIN, "{\"progress\":0}", 0, 0, 0},
    {PLAIN, "{\"progress\":1}", 0.01, 0, 0}, /* or all of it: the smaller is no lie */
    {PLAIN, "{\"progress\":\"42%\"}", 0.42, 0, 0},
    {PLAIN, "{\"progress\":\"42 %\"}", 0.42, 0, 0},
    {PLAIN, "{\"progress\":\"0.42\"}", 0.42, 0, 0},
    {PLAIN, "{\"progress\":\"3/10\"}", 0.3, 3, 10},
    {PLAIN, "{\"progress\":\"3 of 10\"}", 0.3, 3, 10},
    {PLAIN, "{\"progress\":\"soon\"}", -1, 0, 0},
    {PLAIN, "{\"progress\":\"\"}", -1, 0, 0},
    {PLAIN, "{\"progress\":101}", -1, 0, 0},
    {PLAIN, "{\"progress\":-1}", -1, 0, 0},
    {PLAIN, "{\"progress\":null}", -1, 0, 0},
    {PLAIN, "{\"progress\":{\"done\":3,\"total\":12}}", 0.25, 3, 12},
    {PLAIN, "{\"progress\":{\"percentage\":12}}", 0.12, 0, 0},
    {PLAIN, "{\"progress\":{\"value\":0.5}}", 0.5, 0, 0},
    {PLAIN, "{\"progress\":{}}", -1, 0, 0},
    {PLAIN, "{\"progress\":1,\"total\":4}", 0.25, 1, 4},
    {PLAIN, "{\"progress\":0.5,\"total\":4}", 0.5, 0, 0},
    {PLAIN, "{\"progress\":50,\"total\":4}", 0.5, 0, 0},
    {PLAIN, "{\"done\":5,\"total\":20}", 0.25, 5, 20},
    {PLAIN, "{\"processed_items\":20,\"total_items\":20}", 1, 20, 20},
    {PLAIN, "{\"completed\":25,\"total\":20}", 1, 20, 20},
    {PLAIN, "{\"done\":5,\"total\":0}", -1, 0, 0},
    {PLAIN, "{\"done\":true,\"total\":9}", -1, 0, 0},
    {PLAIN, "{\"percent\":1}", 0.01, 0, 0},
    {PLAIN, "{\"percent\":0.5}", 0.005, 0, 0},
    {PLAIN, "{\"percent\":\"7%\"}", 0.07, 0, 0},
    {PLAIN, "{\"percent\":1e999}", -1, 0, 0},
    {PLAIN, "{\"metadata\":{\"progressPercent\":77}}", 0.77, 0, 0},
    {PLAIN, "{\"fractionComplete\":1}", 1, 0, 0},
    {WITH("\"progress_field\":\"/a/0\""), "{\"a\":[50],\"progress\":1}", 0.5, 0, 0},
    {WITH("\"progress_field\":\"/percentDone\""), "{\"percentDone\":1}", 0.01, 0, 0},
    {WITH("\"progress_field\":\"/n\",\"total_field\":\"/m\""), "{\"n\":1,\"m\":4}", 0.25, 1, 4},
    {WITH("\"progress_field\":\"/n\",\"total_field\":\"/m\""), "{\"n\":1}", -1, 0, 0},
    {WITH("\"progress_field\":\"/n\""), "{\"progress\":50}", -1, 0, 0},
};

START_TEST(test_progress) {
    OperationScale scale = OPERATION_SCALE_UNKNOWN;
    cJSON *json, *root = cJSON_Parse(progresses[_i].json);
    HttpOperationParams p = read_params(progresses[_i].params, &json);
    OperationReading r;

    operation_read(root, &p, &scale, &r);
    ck_assert_msg(progresses[_i].fraction < 0 ? r.fraction < 0
                                              : fabs(r.fraction - progresses[_i].fraction) < 1e-9,
                  "%s: %g", progresses[_i].json, r.fraction);
    ck_assert_uint_eq(r.done, progresses[_i].done);
    ck_assert_uint_eq(r.total, progresses[_i].total);
    cJSON_Delete(root);
    cJSON_Delete(json);
}
END_TEST

static double next(const HttpOperationParams *p, OperationScale *scale, double progress) {
    cJSON *root = cJSON_CreateObject();
    OperationReading r;

    cJSON_AddNumberToObject(root, "progress", progress);
    operation_read(root, p, scale, &r);
    cJSON_Delete(root);
    return r.fraction;
}

/* What 1 means, earlier answers tell. */
START_TEST(test_scale) {
    cJSON *json;
    HttpOperationParams p = read_params(PLAIN, &json);
    OperationScale scale = OPERATION_SCALE_UNKNOWN;

    ck_assert_double_eq(next(&p, &scale, 0.25), 0.25);
    ck_assert_double_eq(next(&p, &scale, 1), 1);
    scale = OPERATION_SCALE_UNKNOWN;
    ck_assert_double_eq(next(&p, &scale, 1), 0.01);
    ck_assert_double_eq(next(&p, &scale, 2), 0.02);
    ck_assert_double_eq(next(&p, &scale, 0.5), 0.005);
    cJSON_Delete(json);
}
END_TEST

/* ---- errors ---- */

static const struct {
    const char *params, *body, *text; /* NULL = none */
} errors[] = {
    {PLAIN, "{\"error\":\"no room\"}", "no room"},
    {PLAIN, "{\"error\":{\"code\":\"Quota\",\"message\":\"no room\"}}", "Quota: no room"},
    {PLAIN, "{\"error\":{\"code\":8,\"message\":\"no room\"}}", "no room"},
    {PLAIN, "{\"error\":{\"code\":8,\"message\":\"\"}}", "{\"code\":8,\"message\":\"\"}"},
    {PLAIN, "{\"error\":{\"error\":{\"message\":\"deep\"}}}", "deep"},
    {PLAIN, "{\"errors\":[{\"detail\":\"first\"},{\"detail\":\"second\"}]}", "first"},
    {PLAIN, "{\"errors\":[\"first\"]}", "first"},
    {PLAIN, "{\"type\":\"about:blank\",\"title\":\"Bad\",\"detail\":\"no x\"}", "no x"},
    {PLAIN, "{\"message\":\"404 Project Not Found\"}", "404 Project Not Found"},
    {PLAIN,
     "{\"error\":{\"code\":\"Base.1.0.GeneralError\",\"message\":\"See ExtendedInfo\","
     "\"@Message.ExtendedInfo\":[{\"Message\":\"The disk is locked\"}]}}",
     "The disk is locked"},
    {PLAIN, "{\"TaskState\":\"Exception\",\"Messages\":[{\"Message\":\"a\"},{\"Message\":\"b\"}]}",
     "b"},
    {PLAIN, "{\"properties\":{\"error\":{\"message\":\"inner\"}}}", "inner"},
    {PLAIN, "{\"error\":\"two\\nlines\\u001b[1m!\"}", "two lines!"},
    {PLAIN, "{\"error\":{}}", NULL},
    {PLAIN, "{\"error\":null,\"message\":\"m\"}", "m"},
    {PLAIN, "{}", NULL},
    {PLAIN, "[]", NULL},
    {PLAIN, "\"no\"", "no"},
    {PLAIN, "upstream is down", "upstream is down"},
    {PLAIN, " <html>it is down</html>", NULL},
    {PLAIN, "", NULL},
    {WITH("\"error_field\":\"/why\""), "{\"why\":{\"text\":1},\"error\":\"e\"}", "{\"text\":1}"},
    {WITH("\"error_field\":\"/why\""), "{\"why\":\"so\",\"error\":\"e\"}", "so"},
};

START_TEST(test_error) {
    cJSON *json, *root = cJSON_Parse(errors[_i].body);
    HttpOperationParams p = read_params(errors[_i].params, &json);
    _cleanup_free_ char *text = operation_error_text(root, errors[_i].body, &p);

    ck_assert_pstr_eq(text, errors[_i].text);
    cJSON_Delete(root);
    cJSON_Delete(json);
}
END_TEST

START_TEST(test_error_cap) {
    _cleanup_free_ char *body = calloc(1, 100001), *text = NULL;

    memset(body, 'x', 100000);
    text = operation_error_text(NULL, body, NULL);
    ck_assert_uint_le(strlen(text), OPERATION_TEXT_MAX + 3);
}
END_TEST

/* An object of many members costs no more than one of some. */
START_TEST(test_members_cap) {
    cJSON *json, *root = cJSON_CreateObject();
    HttpOperationParams p = read_params(PLAIN, &json);
    OperationScale scale = OPERATION_SCALE_UNKNOWN;
    OperationReading r;
    char name[32];

    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "m%d", i);
        cJSON_AddItemToObject(root, name, cJSON_CreateNull());
    }
    cJSON_AddStringToObject(root, "status", "done");
    operation_read(root, &p, &scale, &r);
    ck_assert_int_eq(r.state, OPERATION_UNSAID);
    cJSON_Delete(root);
    cJSON_Delete(json);
}
END_TEST

/* ---- results ---- */

static const struct {
    const char *params, *body, *result; /* NULL = there is no field */
} results[] = {
    {PLAIN, "{\"status\":\"done\",\"result\":{\"a\": 12345678901234567890}}",
     "{\"a\": 12345678901234567890}"},
    {PLAIN, "{\"s\":\"}]\\\"\",\"a\":[{},[1,\"x\"]],\"response\" : [1, 2] ,\"z\":1}", "[1, 2]"},
    {PLAIN, "{\"output\":\"text\"}", "\"text\""},
    {PLAIN, "{\"result\":null,\"output\":false}", "false"},
    {PLAIN, "{\"status\":\"Succeeded\",\"properties\":{\"a\":1}}", "{\"a\":1}"},
    {PLAIN, "{\"properties\":{\"provisioningState\":\"Succeeded\"}}", NULL},
    {PLAIN, "{\"properties\":{\"output\":7}}", "7"},
    {PLAIN, "{\"status\":\"done\"}", NULL},
    {PLAIN, "[1]", NULL},
    {PLAIN, "no JSON", NULL},
    {WITH("\"result_field\":\"/a/1/b~1c\""), "{\"a\":[0,{\"x\":[[]],\"b/c\":{\"d\":-1.50}}]}",
     "{\"d\":-1.50}"},
    {WITH("\"result_field\":\"/a\""), "{\"\\u0061\":{\"d\":1}}", "{\"d\":1}"},
    {WITH("\"result_field\":\"/a/9\""), "{\"a\":[0],\"result\":1}", NULL},
    {WITH("\"result_field\":\"/a/x\""), "{\"a\":[0]}", NULL},
};

START_TEST(test_result) {
    cJSON *json;
    HttpOperationParams p = read_params(results[_i].params, &json);
    _cleanup_free_ char *result = NULL;
    OperationAnswer a = {.body = results[_i].body, .body_size = strlen(results[_i].body)};

    operation_answer_parse(&a);
    int r = operation_result_field(&a, &p, &result);
    ck_assert_int_eq(r, results[_i].result ? 0 : -ENOENT);
    ck_assert_pstr_eq(result, results[_i].result);
    cJSON_Delete(a.root);
    cJSON_Delete(json);
}
END_TEST

static const struct {
    const char *body, *type, *result;
    int r;
} bodies[] = {
    {" {\"a\": 1}\n", NULL, "{\"a\": 1}", 0},
    {"17", NULL, "17", 0},
    {"it is \"done\"", "text/plain", "\"it is \\\"done\\\"\"", 0},
    {"it is", "application/json", NULL, -EBADMSG},
    {"<html>", NULL, NULL, -EBADMSG},
    {"\xff\xfe", NULL, NULL, -EBADMSG},
    {"", NULL, NULL, -ENOENT},
    {" \r\n", "application/json", NULL, -ENOENT},
};

START_TEST(test_body) {
    OperationAnswer a = {.body = bodies[_i].body,
                         .body_size = strlen(bodies[_i].body),
                         .content_type = bodies[_i].type};
    _cleanup_free_ char *result = NULL;

    operation_answer_parse(&a);
    ck_assert_int_eq(operation_result_body(&a, &result), bodies[_i].r);
    ck_assert_pstr_eq(result, bodies[_i].result);
    cJSON_Delete(a.root);
}
END_TEST

int main(void) {
    Suite *s = suite_create("operation-reading");
    TCase *t = tcase_create("reading");

    tcase_add_loop_test(t, test_reading, 0, ELEMENTSOF(readings));
    tcase_add_loop_test(t, test_progress, 0, ELEMENTSOF(progresses));
    tcase_add_test(t, test_scale);
    tcase_add_loop_test(t, test_error, 0, ELEMENTSOF(errors));
    tcase_add_test(t, test_error_cap);
    tcase_add_test(t, test_members_cap);
    tcase_add_loop_test(t, test_result, 0, ELEMENTSOF(results));
    tcase_add_loop_test(t, test_body, 0, ELEMENTSOF(bodies));
    suite_add_tcase(s, t);
    return unit_run(s);
}
