#include "daemon/http/backend-answer.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>

#include "common/text.h"
#include "daemon/core/expectation.h"
#include "daemon/core/json-text.h"

/* ---- errors ---- */

#define ERROR_BODY_MAX (64 * KIB)

/* A text under one of the names that servers use, which may lie in an object "error". */
static const char *find_words(const cJSON *json) {
    static const char *const names[] = {"error", "message", "detail"};

    for (size_t i = 0; i < ELEMENTSOF(names); i++) {
        const cJSON *member = cJSON_GetObjectItemCaseSensitive(json, names[i]);
        if (cJSON_IsObject(member))
            member = cJSON_GetObjectItemCaseSensitive(member, "message");
        if (cJSON_IsString(member) && !isempty(member->valuestring))
            return member->valuestring;
    }
    return NULL;
}

/* In one line. */
static char *clean(const char *words) {
    char *line = strdup(words), *text;

    if (!line)
        return NULL;
    for (char *c = line; *c; c++)
        if (*c == '\n' || *c == '\r' || *c == '\t')
            *c = ' ';
    text = text_clean(line, strlen(line), ANSWER_TEXT_MAX);
    free(line);
    return text;
}

/* NULL: it says nothing that could be shown. */
static char *read_words(const HttpReply *reply) {
    char *text = NULL;
    cJSON *json;

    if (reply->body_size == 0 || reply->body_size > ERROR_BODY_MAX ||
        json_text_check(reply->body, reply->body_size, NULL) < 0)
        return NULL;
    json = cJSON_ParseWithLength(reply->body, reply->body_size);
    const char *words = json ? find_words(json) : NULL;
    if (words)
        text = clean(words);
    cJSON_Delete(json);
    return text;
}

/* Nobody was there, or it has answered, but with what is no answer. */
static ErrorCode code_of(int error) {
    return error == -EMSGSIZE || error == -ELOOP || error == -EACCES || error == -EPROTO
               ? ERROR_BACKEND_FAILED
               : ERROR_BACKEND_OFFLINE;
}

int answer_error(const HttpReply *reply, Error *error) {
    _cleanup_free_ char *words = NULL;

    if (reply->error < 0)
        return error_set(error, code_of(reply->error), "%s",
                         isempty(reply->error_text) ? strerror(-reply->error) : reply->error_text);
    words = read_words(reply);
    if (!isempty(words))
        return error_set(error, ERROR_BACKEND_FAILED, "%s", words);
    return error_set(error, ERROR_BACKEND_FAILED, "HTTP %u", reply->status);
}

/* ---- JSON ---- */

int answer_json(const HttpReply *reply, const char **ret, Error *error) {
    int r;

    if (reply->status == 204) {
        *ret = "null";
        return 0;
    }
    if (reply->body_size == 0)
        return error_set(error, ERROR_BACKEND_FAILED, "the answer is empty");
    r = json_text_check(reply->body, reply->body_size, NULL);
    if (r == -E2BIG)
        return error_set(error, ERROR_BACKEND_FAILED,
                         "the JSON of the answer is nested more than %d deep", JSON_TEXT_DEPTH_MAX);
    if (r < 0)
        return error_set(error, ERROR_BACKEND_FAILED, "the answer is not JSON");
    *ret = reply->body;
    return 0;
}

int answer_expect(const char *json, char *const *expectations, Error *error) {
    size_t n_values;
    cJSON *root;
    int r = 0;

    if (!expectations || !expectations[0])
        return 0;
    if (json_text_check(json, strlen(json), &n_values) < 0 || n_values > JSON_TEXT_VALUES_MAX)
        return error_set(error, ERROR_BACKEND_FAILED,
                         "there is too much JSON in the answer to look for what is expected");
    root = cJSON_Parse(json);
    if (!root)
        return error_set(error, ERROR_BACKEND_FAILED,
                         "the answer cannot be searched for what is expected");
    for (char *const *e = expectations; *e && r == 0; e++)
        r = expectation_holds(*e, root, error);
    cJSON_Delete(root);
    if (r == -ENOMEM)
        return error_set(error, ERROR_BACKEND_FAILED, "memory is short");
    return r;
}
