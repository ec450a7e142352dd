/* What a server may answer, and what somebody may set: never more than one JSON value in UTF-8 goes
 * on, errors are one clean line, and an url that is let through is one to libcurl, too. */

#include <cjson/cJSON.h>

#include "common/cleanup.h"
#include "common/loopback.h"
#include "common/text.h"
#include "daemon/core/backend-rules.h"
#include "daemon/core/json-pointer.h"
#include "daemon/core/json-text.h"
#include "daemon/core/retry-after.h"
#include "daemon/http/backend-answer.h"
#include "daemon/http/http-url.h"
#include "daemon/http/network-route.h"
#include "tests/fuzz/fuzz.h"

/* ---- answers ---- */

static size_t count_values(const cJSON *v) {
    size_t n = 1;

    for (const cJSON *child = v->child; child; child = child->next)
        n += count_values(child);
    return n;
}

static void check_json(const char *text, size_t size) {
    size_t n_values;
    cJSON *root;

    if (json_text_check(text, size, &n_values) < 0)
        return;
    MUST(strlen(text) == size && utf8_is_valid(text));
    /* Of halves of surrogate pairs cJSON makes nothing. */
    if (strstr(text, "\\u"))
        return;
    root = cJSON_ParseWithOpts(text, NULL, true);
    MUST(root);
    MUST(count_values(root) == n_values);
    cJSON_Delete(root);
}

static void check_line(const Error *error) {
    const char *text = strempty(error->message);

    MUST(error->code == ERROR_BACKEND_FAILED);
    MUST(*text && utf8_is_valid(text));
    for (; *text; text++)
        MUST((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void check_answer(const char *text, size_t size) {
    char *expectations[] = {(char *)"/a == 1", (char *)"/b/0/~0c == {\"x\": [null]}", NULL};
    HttpReply reply = {.status = 500, .error_text = "", .body = text, .body_size = size};
    Error error = {};
    const char *json;

    MUST(answer_error(&reply, &error) == -EREMOTE);
    MUST(strlen(error.message) <= ANSWER_TEXT_MAX + strlen("…"));
    check_line(&error);
    error_done(&error);
    if (answer_json(&reply, &json, &error) >= 0) {
        MUST(json == text);
        answer_expect(json, expectations, &error);
    }
    if (error.code != ERROR_NONE)
        check_line(&error);
    error_done(&error);
}

/* ---- texts ---- */

static void check_url(const char *text) {
    BackendSettings *s = backend_settings_new();
    _cleanup_free_ char *below = NULL;
    Error error = {};

    MUST(s);
    free(s->url);
    s->url = strdup(text);
    MUST(s->url);
    if (backend_settings_check(s, &error) >= 0) {
        below = http_url_below(s->url, "/x");
        MUST(below && http_url_same_origin(below, s->url));
        loopback_is_url(s->url);
    }
    error_done(&error);
    backend_settings_free(s);
}

static void check_texts(const char *text) {
    uint64_t now = UINT64_C(1795296600) * USEC_PER_SEC;
    Error error = {};

    MUST(retry_after_usec(text, NULL, now, 60 * USEC_PER_SEC) <= 60 * USEC_PER_SEC);
    MUST(retry_after_usec("9", text, now, 60 * USEC_PER_SEC) == 9 * USEC_PER_SEC);
    if (status_ranges_check(text) >= 0)
        status_ranges_have(text, 200);
    if (expectation_check(text, &error) >= 0) {
        cJSON *root = cJSON_Parse("{\"a\": [1]}");
        expectation_holds(text, root, &error);
        cJSON_Delete(root);
    }
    error_done(&error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    _cleanup_free_ char *text = malloc(size + 1);

    MUST(text);
    memcpy(text, data, size);
    text[size] = '\0';
    check_json(text, size);
    check_answer(text, size);
    check_url(text);
    check_texts(text);
    return 0;
}
