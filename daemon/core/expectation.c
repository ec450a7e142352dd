#include "daemon/core/expectation.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/text.h"
#include "daemon/core/json-pointer.h"
#include "daemon/core/json-text.h"

/* ---- status codes ---- */

/* Three digits. */
static int take_code(const char **p, unsigned *ret) {
    unsigned code = 0;

    for (int i = 0; i < 3; i++, (*p)++) {
        if (!isdigit((unsigned char)**p))
            return -EINVAL;
        code = code * 10 + (unsigned)(**p - '0');
    }
    *ret = code;
    return code >= 100 && code <= 599 ? 0 : -EINVAL;
}

/* One code or a range, and the comma behind it, if any. */
static int take_range(const char **p, unsigned *ret_first, unsigned *ret_last) {
    int r;

    *p += strspn(*p, " ");
    r = take_code(p, ret_first);
    *ret_last = *ret_first;
    if (r >= 0 && **p == '-') {
        (*p)++;
        r = take_code(p, ret_last);
    }
    if (r < 0 || *ret_last < *ret_first)
        return -EINVAL;
    *p += strspn(*p, " ");
    if (**p == '\0')
        return 0;
    if (**p != ',' || !(*p)[1])
        return -EINVAL;
    (*p)++;
    return 0;
}

int status_ranges_check(const char *ranges) {
    unsigned first, last;

    while (*ranges)
        if (take_range(&ranges, &first, &last) < 0)
            return -EINVAL;
    return 0;
}

bool status_ranges_have(const char *ranges, unsigned status) {
    unsigned first, last;

    if (!*ranges)
        return status >= 200 && status <= 299;
    while (*ranges && take_range(&ranges, &first, &last) >= 0)
        if (status >= first && status <= last)
            return true;
    return false;
}

/* ---- JSON ---- */

/* Cuts it into the pointer, copied to a buffer, and the JSON behind the "==". */
static int split(const char *text, char pointer[EXPECTATION_TEXT_MAX + 1], const char **ret_value) {
    const char *equals = strstr(text, "==");
    size_t size;

    if (!equals || strlen(text) > EXPECTATION_TEXT_MAX)
        return -EINVAL;
    text += strspn(text, " \t");
    for (size = (size_t)(equals - text); size > 0 && strchr(" \t", text[size - 1]); size--)
        ;
    memcpy(pointer, text, size);
    pointer[size] = '\0';
    *ret_value = equals + strlen("==");
    return 0;
}

int expectation_check(const char *text, Error *error) {
    char pointer[EXPECTATION_TEXT_MAX + 1];
    const char *value;

    if (split(text, pointer, &value) < 0)
        return error_set(error, ERROR_INVALID_OPTION,
                         "the expectation \"%.100s\" is not POINTER == VALUE of at most %d bytes, "
                         "as /status == \"online\"",
                         text, EXPECTATION_TEXT_MAX);
    if (!json_pointer_is_valid(pointer))
        return error_set(error, ERROR_INVALID_OPTION,
                         "the expectation \"%.100s\" does not begin with a JSON Pointer: it begins "
                         "with \"/\", and \"~\" in it is written ~0",
                         text);
    if (json_text_check(value, strlen(value), NULL) < 0)
        return error_set(error, ERROR_INVALID_OPTION,
                         "the expectation \"%.100s\" does not end with JSON; a text is in double "
                         "quotes",
                         text);
    return 0;
}

/* What is there, for people; a container can be large. */
static char *describe(const cJSON *is) {
    _cleanup_free_ char *text = NULL;

    if (cJSON_IsObject(is) || cJSON_IsArray(is))
        return strdup(cJSON_IsObject(is) ? "an object" : "an array");
    text = cJSON_PrintUnformatted(is);
    return text ? text_clean(text, strlen(text), 100) : NULL;
}

static int mismatch(const char *pointer, const cJSON *is, const char *wanted, Error *error) {
    _cleanup_free_ char *text = is ? describe(is) : NULL;

    wanted += strspn(wanted, " \t");
    if (is)
        return error_set(error, ERROR_BACKEND_FAILED, "%s is %s, expected is %s",
                         *pointer ? pointer : "the answer", text ?: "another", wanted);
    return error_set(error, ERROR_BACKEND_FAILED, "there is no %s in the answer, expected is %s",
                     pointer, wanted);
}

int expectation_holds(const char *text, const cJSON *json, Error *error) {
    char pointer[EXPECTATION_TEXT_MAX + 1];
    const char *value;
    const cJSON *is;
    cJSON *wanted;
    bool equal;

    if (split(text, pointer, &value) < 0)
        return expectation_check(text, error);
    wanted = cJSON_Parse(value);
    if (!wanted)
        return -ENOMEM;
    is = json_pointer_get(json, pointer);
    equal = is && cJSON_Compare(is, wanted, true);
    cJSON_Delete(wanted);
    return equal ? 0 : mismatch(pointer, is, value, error);
}
