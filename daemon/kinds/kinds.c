#include "daemon/kinds/kinds.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>

#include "common/clock.h"
#include "common/message-queue.h"
#include "common/parse.h"
#include "common/text.h"

#define PACE_USEC (50 * USEC_PER_MSEC)
#define SHOWN_MAX ((size_t)64) /* bytes of a stranger's text in an error */

static const Kind *const kinds[] = {
    &kind_checksum,       &kind_compute_e, &kind_countdown, &kind_download,
    &kind_http_operation, &kind_map,       &kind_noop,      NULL,
};

const Kind *const *kind_all(void) {
    return kinds;
}

const Kind *kind_by_name(const char *name) {
    for (const Kind *const *k = kinds; *k; k++)
        if (streq((*k)->name, name))
            return *k;
    return NULL;
}

bool kind_takes_messages(const char *name) {
    const Kind *k = kind_by_name(name);

    return k && k->takes_messages;
}

const char *kind_program(const char *name) {
    const Kind *k = kind_by_name(name);

    return k && k->program ? k->program : KIND_PROGRAM_WORKER;
}

int kind_params_error(char **ret_error, const char *format, ...) {
    char *text;
    va_list ap;

    va_start(ap, format);
    int n = vasprintf(&text, format, ap);
    va_end(ap);
    if (n < 0)
        return -ENOMEM;
    *ret_error = text;
    return -EINVAL;
}

char *kind_describe_value(const cJSON *value) {
    _cleanup_free_ char *shown = NULL;
    char *text;

    if (cJSON_IsNumber(value))
        return asprintf(&text, "%.15g", value->valuedouble) < 0 ? NULL : text;
    if (cJSON_IsString(value)) {
        shown = text_clean(value->valuestring, strlen(value->valuestring), SHOWN_MAX);
        return shown && asprintf(&text, "'%s'", shown) >= 0 ? text : NULL;
    }
    return strdup(cJSON_IsArray(value)    ? "an array"
                  : cJSON_IsObject(value) ? "an object"
                  : cJSON_IsNull(value)   ? "null"
                  : cJSON_IsTrue(value)   ? "true"
                                          : "false");
}

char *kind_params_line(const char *json) {
    _cleanup_(cJSON_Deletep) cJSON *params = cJSON_Parse(json);

    return params ? cJSON_PrintUnformatted(params) : NULL;
}

/* "steps, step_ms"; the caller frees it. */
static char *join_words(const char *const *words) {
    _cleanup_free_ char *joined = NULL;
    size_t size = 1;

    for (const char *const *w = words; *w; w++)
        size += strlen(*w) + 2;
    joined = calloc(1, size);
    if (!joined)
        return NULL;
    for (const char *const *w = words; *w; w++) {
        if (w != words)
            strcat(joined, ", ");
        strcat(joined, *w);
    }
    return TAKE_PTR(joined);
}

static bool has_escaped_nul(const char *json) {
    for (const char *p = strchr(json, '\\'); p; p = strchr(p, '\\')) {
        if (strncmp(p, "\\u0000", 6) == 0)
            return true;
        /* Over the escaped character, so that the second half of "\\" does not begin another. */
        p += p[1] ? 2 : 1;
    }
    return false;
}

static int not_json(const char *json, const char *where, char **ret_error) {
    _cleanup_free_ char *near = text_clean(where, strlen(where), SHOWN_MAX / 2);

    if (isempty(near))
        return kind_params_error(ret_error, "the params are not JSON: the text ends too early");
    return kind_params_error(ret_error, "the params are not JSON: error at byte %zu, near '%s'",
                             (size_t)(where - json), near);
}

int kind_parse_params(const char *json, cJSON **ret, char **ret_error) {
    _cleanup_(cJSON_Deletep) cJSON *params = NULL;
    const char *end = json;

    if (strlen(json) > KIND_PARAMS_MAX)
        return kind_params_error(ret_error, "the params are longer than %" PRIu64 " bytes",
                                 KIND_PARAMS_MAX);
    if (!utf8_is_valid(json))
        return kind_params_error(ret_error, "the params are not valid UTF-8");
    if (has_escaped_nul(json))
        return kind_params_error(ret_error, "the params hold the character \\u0000, which no "
                                            "parameter can take");
    params = cJSON_ParseWithOpts(json, &end, true);
    if (!params)
        return not_json(json, end ?: json, ret_error);
    if (!cJSON_IsObject(params)) {
        _cleanup_free_ char *shown = kind_describe_value(params);
        return kind_params_error(
            ret_error, "the params must be a JSON object such as {\"name\": value}, not %s",
            strempty(shown));
    }
    *ret = TAKE_PTR(params);
    return 0;
}

static int refuse_name(const char *key, const char *const *names, char **ret_error) {
    _cleanup_free_ char *known = join_words(names);
    _cleanup_free_ char *shown = text_clean(key, strlen(key), SHOWN_MAX);

    if (!known || !shown)
        return -ENOMEM;
    return kind_params_error(ret_error, "unknown parameter '%s': this kind takes %s", shown,
                             *known ? known : "none");
}

int kind_check_names(const cJSON *params, const char *const *names, char **ret_error) {
    uint64_t seen = 0;
    const cJSON *param;

    cJSON_ArrayForEach (param, params) {
        size_t i = 0;
        while (names[i] && !streq(names[i], param->string))
            i++;
        if (!names[i])
            return refuse_name(param->string, names, ret_error);
        if (seen & (UINT64_C(1) << i))
            return kind_params_error(ret_error, "parameter '%s' is given twice", names[i]);
        seen |= UINT64_C(1) << i;
    }
    return 0;
}

int kind_check_no_params(const cJSON *params, char **ret_error) {
    return kind_check_names(params, (const char *const[]){NULL}, ret_error);
}

int kind_param_u64(const cJSON *params, const char *name, uint64_t min, uint64_t max, uint64_t *ret,
                   char **ret_error) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(params, name);

    if (!value)
        return 0;
    double number = value->valuedouble;
    if (cJSON_IsNumber(value) && isfinite(number) && number == floor(number) &&
        number >= (double)min && number <= (double)max) {
        *ret = (uint64_t)number;
        return 0;
    }

    _cleanup_free_ char *shown = kind_describe_value(value);
    return kind_params_error(
        ret_error, "parameter '%s' must be a whole number from %" PRIu64 " to %" PRIu64 ", not %s",
        name, min, max, strempty(shown));
}

int kind_param_double(const cJSON *params, const char *name, double min, double max, double *ret,
                      char **ret_error) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(params, name);

    if (!value)
        return 0;
    if (cJSON_IsNumber(value) && value->valuedouble >= min && value->valuedouble <= max) {
        *ret = value->valuedouble;
        return 0;
    }

    _cleanup_free_ char *shown = kind_describe_value(value);
    return kind_params_error(ret_error, "parameter '%s' must be a number from %g to %g, not %s",
                             name, min, max, strempty(shown));
}

int kind_param_bool(const cJSON *params, const char *name, bool *ret, char **ret_error) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(params, name);

    if (!value)
        return 0;
    if (cJSON_IsBool(value)) {
        *ret = cJSON_IsTrue(value);
        return 0;
    }

    _cleanup_free_ char *shown = kind_describe_value(value);
    return kind_params_error(ret_error, "parameter '%s' must be true or false, not %s", name,
                             strempty(shown));
}

int kind_param_choice(const cJSON *params, const char *name, const char *const *words, size_t *ret,
                      char **ret_error) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(params, name);

    if (!value)
        return 0;
    for (size_t i = 0; cJSON_IsString(value) && words[i]; i++)
        if (streq(words[i], value->valuestring)) {
            *ret = i;
            return 0;
        }

    _cleanup_free_ char *shown = kind_describe_value(value);
    _cleanup_free_ char *known = join_words(words);
    return kind_params_error(ret_error, "parameter '%s' must be one of %s, not %s", name,
                             strempty(known), strempty(shown));
}

int kind_param_message(const cJSON *params, const char *name, const char **ret, char **ret_error) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(params, name);

    if (!value)
        return 0;
    if (cJSON_IsString(value) && message_check(value->valuestring) >= 0) {
        *ret = value->valuestring;
        return 0;
    }

    _cleanup_free_ char *shown = kind_describe_value(value);
    return kind_params_error(
        ret_error, "parameter '%s' must be one line of text of up to %" PRIu64 " bytes, not %s",
        name, MESSAGE_MAX, strempty(shown));
}

int kind_param_array(const cJSON *params, const char *name, const char *what, size_t min,
                     size_t max, const cJSON **ret, char **ret_error) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(params, name);

    if (!value)
        return kind_params_error(ret_error, "parameter '%s' is missing: an array of %s", name,
                                 what);
    if (!cJSON_IsArray(value)) {
        _cleanup_free_ char *shown = kind_describe_value(value);
        return kind_params_error(ret_error, "parameter '%s' must be an array of %s, not %s", name,
                                 what, strempty(shown));
    }

    size_t size = (size_t)cJSON_GetArraySize(value);
    if (size < min || size > max)
        return kind_params_error(ret_error,
                                 "parameter '%s' must be an array of %zu to %zu %s, not of %zu",
                                 name, min, max, what, size);
    *ret = value;
    return 0;
}

int kind_fail_params(TaskContext *c, int r, const char *error) {
    if (error)
        task_context_message(c, "%s", error);
    return r;
}

int kind_set_result(TaskContext *c, const char *json) {
    int r = task_context_set_result(c, json);

    if (r == -EFBIG) {
        char size[FORMAT_MAX];
        task_context_message(c,
                             "The result has %s, more than this task may keep: raise the option "
                             "result-max",
                             format_size(size, strlen(json)));
    } else if (r < 0)
        task_context_message(c, "The result could not be stored: %s", strerror(-r));
    return r;
}

bool kind_pace_due(KindPace *p) {
    uint64_t now = clock_usec(CLOCK_MONOTONIC);

    if (now < p->next_usec)
        return false;
    p->next_usec = now + PACE_USEC;
    return true;
}
