#include "daemon/kinds/http-operation-params.h"

#include <errno.h>
#include <strings.h>

#include "common/text.h"

static const char *const names[] = {
    "backend",
    "method",
    "path",
    "body",
    "headers",
    "idempotency_key",
    "url_field",
    "url_template",
    "state_field",
    "progress_field",
    "total_field",
    "message_field",
    "result_field",
    "error_field",
    "succeeded_states",
    "failed_states",
    "cancelled_states",
    "poll_interval_ms",
    "start_tries",
    "cancel_method",
    "cancel_path",
    "cancel_body",
    NULL,
};

/* ---- texts ---- */

static int wrong(const cJSON *value, const char *name, const char *what, char **ret_error) {
    _cleanup_free_ char *shown = kind_describe_value(value);

    return kind_params_error(ret_error, "parameter '%s' must be %s, not %s", name, what,
                             strempty(shown));
}

static int read_text(const cJSON *params, const char *name, size_t max, const char **ret,
                     char **ret_error) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(params, name);

    if (!value)
        return 0;
    if (!cJSON_IsString(value) || isempty(value->valuestring))
        return wrong(value, name, "a text that is not empty", ret_error);
    if (strlen(value->valuestring) > max)
        return kind_params_error(ret_error, "parameter '%s' is longer than %zu bytes", name, max);
    *ret = value->valuestring;
    return 0;
}

static bool is_printable(const char *s) {
    for (; *s; s++)
        if (*s <= ' ' || *s >= 0x7f)
            return false;
    return true;
}

static bool is_absolute(const char *path) {
    return strncasecmp(path, "http://", 7) == 0 || strncasecmp(path, "https://", 8) == 0;
}

static bool is_path(const char *path) {
    return (path[0] == '/' && path[1] != '/') || is_absolute(path);
}

static int read_path(const cJSON *params, const char *name, bool may_be_below, const char **ret,
                     char **ret_error) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(params, name);
    int r = read_text(params, name, HTTP_OPERATION_PATH_MAX, ret, ret_error);

    if (r < 0 || !value)
        return r;
    if (!is_printable(*ret) || strchr(*ret, '#'))
        return kind_params_error(ret_error,
                                 "parameter '%s' holds a character that no url may have: write it "
                                 "as %%XX",
                                 name);
    if (!is_path(*ret) && !(may_be_below && (*ret)[0] != '/'))
        return wrong(value, name, "a path that begins with one slash, or a url of the backend",
                     ret_error);
    return 0;
}

static bool is_pointer(const char *s) {
    for (const char *p = s; *p; p++)
        if (*p == '~' && p[1] != '0' && p[1] != '1')
            return false;
    return *s == '/' && strlen(s) <= HTTP_OPERATION_POINTER_MAX;
}

static int read_pointer(const cJSON *params, const char *name, const char **ret, char **ret_error) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(params, name);

    if (!value)
        return 0;
    if (!cJSON_IsString(value) || !is_pointer(value->valuestring))
        return wrong(value, name, "a JSON Pointer such as \"/job/state\" (RFC 6901)", ret_error);
    *ret = value->valuestring;
    return 0;
}

/* "/jobs/{/id}" */
static bool is_template(const char *s) {
    bool has_field = false;

    for (const char *p = strchr(s, '{'); p; p = strchr(p, '{')) {
        const char *end = strchr(p, '}');
        _cleanup_free_ char *pointer = end ? strndup(p + 1, (size_t)(end - p - 1)) : NULL;
        if (!pointer || !is_pointer(pointer))
            return false;
        has_field = true;
        p = end;
    }
    return has_field;
}

static int read_template(const cJSON *params, const char **ret, char **ret_error) {
    int r = read_path(params, "url_template", false, ret, ret_error);

    if (r < 0 || !*ret || is_template(*ret))
        return r;
    return kind_params_error(ret_error,
                             "parameter 'url_template' must name fields of the answer by JSON "
                             "Pointers in braces, such as \"/jobs/{/id}\"");
}

static int read_method(const cJSON *params, const char *name, const char **ret, char **ret_error) {
    static const char *const methods[] = {"POST", "PUT", "PATCH", "DELETE", "GET", NULL};
    size_t i = SIZE_MAX;
    int r = kind_param_choice(params, name, methods, &i, ret_error);

    if (r >= 0 && i != SIZE_MAX)
        *ret = methods[i];
    return r;
}

static int read_key(const cJSON *params, const char **ret, char **ret_error) {
    int r = read_text(params, "idempotency_key", HTTP_OPERATION_KEY_MAX, ret, ret_error);

    if (r < 0 || !*ret || is_printable(*ret))
        return r;
    return kind_params_error(ret_error, "parameter 'idempotency_key' must be printable ASCII "
                                        "without blanks");
}

/* ---- headers ---- */

/* What is said by other means, or must not be said here: params can be read by everybody who sees
 * the task. */
static const char *why_refused(const char *name) {
    static const struct {
        const char *name, *why;
    } table[] = {
        {"Authorization", "secrets belong into the settings of the backend (auth, credential)"},
        {"Proxy-Authorization", "secrets belong into the settings of the backend"},
        {"Cookie", "secrets belong into the settings of the backend"},
        {"Idempotency-Key", "parameter 'idempotency_key' is for that"},
        {"Content-Type", "the body is JSON"},
        {"Content-Length", "it follows from the body"},
        {"Transfer-Encoding", "it follows from the body"},
        {"Host", "it follows from the url"},
        {"Connection", "connections are shared by all requests"},
        {"Expect", "it is not for this"},
        {"Upgrade", "it is not for this"},
        {"TE", "it is not for this"},
    };

    for (size_t i = 0; i < ELEMENTSOF(table); i++)
        if (strcasecmp(table[i].name, name) == 0)
            return table[i].why;
    return NULL;
}

static bool is_token(const char *s) {
    static const char others[] = "!#$%&'*+-.^_`|~";

    if (!*s)
        return false;
    for (; *s; s++)
        if (!(*s >= 'a' && *s <= 'z') && !(*s >= 'A' && *s <= 'Z') && !(*s >= '0' && *s <= '9') &&
            !strchr(others, *s))
            return false;
    return true;
}

static bool is_header_value(const char *s) {
    for (; *s; s++)
        if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
            return false;
    return true;
}

static int check_header(const cJSON *header, char **ret_error) {
    const char *name = header->string, *why = why_refused(name);
    _cleanup_free_ char *shown = text_clean(name, strlen(name), 64);

    if (!is_token(name) || strlen(name) > 256)
        return kind_params_error(ret_error, "parameter 'headers': '%s' is no name of a header",
                                 strempty(shown));
    if (why)
        return kind_params_error(ret_error, "parameter 'headers': %s is not taken: %s", name, why);
    if (!cJSON_IsString(header) || !is_header_value(header->valuestring) ||
        strlen(header->valuestring) > 4 * KIB)
        return kind_params_error(
            ret_error, "parameter 'headers': the value of %s must be one line of text", name);
    return 0;
}

static int read_headers(const cJSON *params, const cJSON **ret, char **ret_error) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(params, "headers"), *header;

    if (!value)
        return 0;
    if (!cJSON_IsObject(value) || cJSON_GetArraySize(value) > HTTP_OPERATION_HEADERS_MAX)
        return wrong(value, "headers", "an object of at most 32 texts", ret_error);
    cJSON_ArrayForEach (header, value) {
        int r = check_header(header, ret_error);
        if (r < 0)
            return r;
    }
    *ret = value;
    return 0;
}

/* ---- the others ---- */

static int read_states(const cJSON *params, const char *name, const cJSON **ret, char **ret_error) {
    const cJSON *value = NULL, *state;
    int r;

    if (!cJSON_HasObjectItem(params, name))
        return 0;
    r = kind_param_array(params, name, "states", 1, HTTP_OPERATION_STATES_MAX, &value, ret_error);
    if (r < 0)
        return r;
    cJSON_ArrayForEach (state, value)
        if (!cJSON_IsString(state) || isempty(state->valuestring) ||
            strlen(state->valuestring) > 100)
            return wrong(state, name, "an array of words of up to 100 bytes", ret_error);
    *ret = value;
    return 0;
}

static int read_start(const cJSON *params, HttpOperationParams *p, char **ret_error) {
    int r = read_text(params, "backend", 255, &p->backend, ret_error);

    if (r >= 0 && !p->backend)
        r = kind_params_error(ret_error, "parameter 'backend' is missing: the name of a backend, "
                                         "see \"longrun backend list\"");
    if (r >= 0)
        r = read_path(params, "path", false, &p->path, ret_error);
    if (r >= 0 && !p->path)
        r = kind_params_error(ret_error, "parameter 'path' is missing: what is asked of the "
                                         "backend, such as \"/api/jobs\"");
    if (r >= 0)
        r = read_method(params, "method", &p->method, ret_error);
    if (r >= 0)
        r = read_headers(params, &p->headers, ret_error);
    if (r >= 0)
        r = read_key(params, &p->idempotency_key, ret_error);
    if (r >= 0)
        r = kind_param_u64(params, "start_tries", 1, HTTP_OPERATION_TRIES_MAX, &p->start_tries,
                           ret_error);
    p->body = cJSON_GetObjectItemCaseSensitive(params, "body");
    return r;
}

static int read_fields(const cJSON *params, HttpOperationParams *p, char **ret_error) {
    const struct {
        const char *name;
        const char **field;
    } fields[] = {
        {"url_field", &p->url_field},           {"state_field", &p->state_field},
        {"progress_field", &p->progress_field}, {"total_field", &p->total_field},
        {"message_field", &p->message_field},   {"result_field", &p->result_field},
        {"error_field", &p->error_field},
    };
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ELEMENTSOF(fields); i++)
        r = read_pointer(params, fields[i].name, fields[i].field, ret_error);
    if (r >= 0)
        r = read_template(params, &p->url_template, ret_error);
    if (r >= 0 && p->url_field && p->url_template)
        r = kind_params_error(ret_error, "parameters 'url_field' and 'url_template' say the same "
                                         "thing: give one of them");
    if (r >= 0 && p->total_field && !p->progress_field)
        r = kind_params_error(ret_error, "parameter 'total_field' is of what 'progress_field' "
                                         "counts: give that as well");
    return r;
}

static int read_follow(const cJSON *params, HttpOperationParams *p, char **ret_error) {
    uint64_t interval_ms = 0;
    int r = kind_param_u64(params, "poll_interval_ms", HTTP_OPERATION_INTERVAL_MIN_MS,
                           HTTP_OPERATION_INTERVAL_MAX_MS, &interval_ms, ret_error);

    p->poll_interval_usec = interval_ms * USEC_PER_MSEC;
    if (r >= 0)
        r = read_states(params, "succeeded_states", &p->succeeded_states, ret_error);
    if (r >= 0)
        r = read_states(params, "failed_states", &p->failed_states, ret_error);
    if (r >= 0)
        r = read_states(params, "cancelled_states", &p->cancelled_states, ret_error);
    return r;
}

static int read_cancel(const cJSON *params, HttpOperationParams *p, char **ret_error) {
    int r = read_path(params, "cancel_path", true, &p->cancel_path, ret_error);

    if (r >= 0)
        r = read_method(params, "cancel_method", &p->cancel_method, ret_error);
    p->cancel_body = cJSON_GetObjectItemCaseSensitive(params, "cancel_body");
    /* A path of its own is a request to do something, the url of the operation itself is to go. */
    if (!p->cancel_method)
        p->cancel_method = p->cancel_path ? "POST" : "DELETE";
    return r;
}

int http_operation_params_read(const cJSON *params, HttpOperationParams *ret, char **ret_error) {
    HttpOperationParams p = {.method = "POST", .start_tries = HTTP_OPERATION_TRIES_DEFAULT};
    int r = kind_check_names(params, names, ret_error);

    if (r >= 0)
        r = read_start(params, &p, ret_error);
    if (r >= 0)
        r = read_fields(params, &p, ret_error);
    if (r >= 0)
        r = read_follow(params, &p, ret_error);
    if (r >= 0)
        r = read_cancel(params, &p, ret_error);
    if (r >= 0)
        *ret = p;
    return r;
}
