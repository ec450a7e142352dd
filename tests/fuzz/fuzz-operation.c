/* What servers answer about an operation: the first byte says which status and headers, and which
 * params; the rest is the body. */

#include <cjson/cJSON.h>
#include <math.h>

#include "common/cleanup.h"
#include "common/text.h"
#include "daemon/http/http-client.h"
#include "daemon/http/http-operation-result.h"
#include "tests/fuzz/fuzz.h"

static const char *const params[] = {
    "{\"backend\":\"b\",\"path\":\"/x\"}",
    "{\"backend\":\"b\",\"path\":\"/x\",\"url_template\":\"/j/{/id}\",\"state_field\":\"/a/0\"}",
    ("{\"backend\":\"b\",\"path\":\"/x\",\"url_field\":\"/a~1b\",\"progress_field\":\"/n\","
     "\"total_field\":\"/m\",\"result_field\":\"/r/0\",\"error_field\":\"/e\"}"),
    "{\"backend\":\"b\",\"path\":\"/x\",\"progress_field\":\"/percent\",\"message_field\":\"/m\"}",
};
static const unsigned statuses[] = {200, 201, 202, 204};

static void check_reading(const OperationAnswer *a, const HttpOperationParams *p) {
    OperationScale scale = OPERATION_SCALE_UNKNOWN;
    OperationReading r;

    for (int i = 0; i < 2; i++) {
        operation_read(a->root, p, &scale, &r);
        MUST(!isnan(r.fraction) && r.fraction <= 1);
        MUST(r.total == 0 || r.done <= r.total);
        MUST(utf8_is_valid(r.word));
        MUST(a->root || r.state == OPERATION_UNSAID);
    }
}

static void check_follow(const OperationAnswer *a, const HttpOperationParams *p) {
    _cleanup_free_ char *url = NULL;
    _cleanup_error_ Error error = {};
    OperationScale scale = OPERATION_SCALE_UNKNOWN;
    OperationTrack track;
    OperationReading r;

    operation_read(a->root, p, &scale, &r);
    int e = operation_follow(a, p, &r, &track, &url, &error);
    MUST(e < 0 || (track == OPERATION_TRACK_NONE) == !url);
    MUST(e >= 0 || (!url && error.message));
    MUST(!url || url[0] == '/' || http_url_same_origin(url, a->url));
}

static void check_json(const char *json) {
    cJSON *value = cJSON_Parse(json);

    MUST(value);
    cJSON_Delete(value);
}

static void check_texts(const OperationAnswer *a, const HttpOperationParams *p) {
    _cleanup_free_ char *error = operation_error_text(a->root, a->body, p);
    _cleanup_free_ char *field = NULL, *body = NULL;

    if (error)
        MUST(utf8_is_valid(error) && !strchr(error, '\n') && strlen(error) < 1000);
    if (operation_result_field(a, p, &field) >= 0)
        check_json(field);
    if (operation_result_body(a, &body) >= 0)
        check_json(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    _cleanup_free_ char *body = strndup((const char *)data + 1, size - 1), *error = NULL;
    cJSON *json = cJSON_Parse(params[data[0] % ELEMENTSOF(params)]);
    HttpOperationParams p;
    OperationAnswer a = {
        .status = statuses[data[0] / 4 % ELEMENTSOF(statuses)],
        .url = "http://127.0.0.1:8080/x",
        .body = body,
        .body_size = strlen(body),
        .location = data[0] & 0x40 ? body : NULL,
        .operation_location = data[0] & 0x80 ? body : NULL,
    };

    MUST(http_operation_params_read(json, &p, &error) >= 0);
    operation_answer_parse(&a);
    check_reading(&a, &p);
    check_follow(&a, &p);
    check_texts(&a, &p);
    cJSON_Delete(a.root);
    cJSON_Delete(json);
    return 0;
}
