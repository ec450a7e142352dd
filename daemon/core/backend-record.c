#include "daemon/core/backend-record.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/strv.h"

DEFINE_CLEANUP(BackendSettings *, backend_settings_free)

/* ---- writing ---- */

/* cJSON has doubles, which do not have room for all numbers. */
static cJSON *number_to_json(uint64_t number) {
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, number);
    return cJSON_CreateRaw(text);
}

static cJSON *strings_to_json(char *const *list) {
    return cJSON_CreateStringArray((const char *const *)list, (int)strv_length(list));
}

/* NULL when memory is short; *ret_same: it is as in the other ones. */
static cJSON *value_to_json(const BackendSettings *s, const BackendSettings *other,
                            const BackendSetting *i, bool *ret_same) {
    const void *value = (const char *)s + i->offset, *before = (const char *)other + i->offset;
    char *const *list;

    switch (i->type[0]) {
    case 's':
        *ret_same = streq(*(char *const *)value, *(char *const *)before);
        return cJSON_CreateString(*(char *const *)value);
    case 'a':
        list = *(char **const *)value;
        *ret_same = strv_length(list) == 0;
        return list ? strings_to_json(list) : cJSON_CreateArray();
    case 'b':
        *ret_same = *(const bool *)value == *(const bool *)before;
        return cJSON_CreateBool(*(const bool *)value);
    case 'u':
        *ret_same = *(const uint32_t *)value == *(const uint32_t *)before;
        return number_to_json(*(const uint32_t *)value);
    default:
        *ret_same = *(const uint64_t *)value == *(const uint64_t *)before;
        return number_to_json(*(const uint64_t *)value);
    }
}

static bool add_value(cJSON *object, const BackendSettings *s, const BackendSettings *other,
                      const BackendSetting *i) {
    bool same;
    cJSON *value = value_to_json(s, other, i, &same);

    if (!value)
        return false;
    if (!same && cJSON_AddItemToObject(object, i->name, value))
        return true;
    cJSON_Delete(value);
    return same;
}

char *backend_settings_to_json(const BackendSettings *s) {
    _cleanup_(backend_settings_freep) BackendSettings *plain = backend_settings_new();
    cJSON *object = plain ? cJSON_CreateObject() : NULL;
    bool ok = object;
    char *text;

    for (const BackendSetting *i = backend_settings(); ok && i->name; i++)
        ok = add_value(object, s, plain, i);
    text = ok ? cJSON_PrintUnformatted(object) : NULL;
    cJSON_Delete(object);
    return text;
}

/* ---- reading ---- */

static int read_string(const cJSON *value, char **field) {
    if (!cJSON_IsString(value))
        return 0;
    char *copy = strdup(value->valuestring);
    if (!copy)
        return -ENOMEM;
    free(*field);
    *field = copy;
    return 0;
}

static int read_strings(const cJSON *value, char ***field) {
    const cJSON *item;
    size_t n = 0;
    int r = 0;

    if (!cJSON_IsArray(value))
        return 0;
    *field = strv_free(*field);
    cJSON_ArrayForEach (item, value) {
        if (r >= 0 && cJSON_IsString(item))
            r = strv_push(field, &n, strdup(item->valuestring));
    }
    return r;
}

/* All of them are far below 2^53, up to which doubles are exact. */
static bool read_number(const cJSON *value, uint64_t *ret) {
    if (!cJSON_IsNumber(value) || value->valuedouble < 0 || value->valuedouble > 0x1p53)
        return false;
    *ret = (uint64_t)value->valuedouble;
    return true;
}

static int read_value(const cJSON *value, const BackendSetting *i, BackendSettings *s) {
    void *field = (char *)s + i->offset;
    uint64_t number;

    switch (i->type[0]) {
    case 's':
        return read_string(value, field);
    case 'a':
        return read_strings(value, field);
    case 'b':
        if (cJSON_IsBool(value))
            *(bool *)field = cJSON_IsTrue(value);
        return 0;
    default:
        if (!read_number(value, &number))
            return 0;
        if (i->type[0] == 't')
            *(uint64_t *)field = number;
        else if (number <= UINT32_MAX)
            *(uint32_t *)field = (uint32_t)number;
        return 0;
    }
}

int backend_settings_from_json(BackendSettings **ret, const char *json) {
    _cleanup_(backend_settings_freep) BackendSettings *s = backend_settings_new();
    cJSON *object = cJSON_Parse(json);
    int r = !s ? -ENOMEM : cJSON_IsObject(object) ? 0 : -EBADMSG;

    for (const BackendSetting *i = backend_settings(); r >= 0 && i->name; i++)
        r = read_value(cJSON_GetObjectItemCaseSensitive(object, i->name), i, s);
    cJSON_Delete(object);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(s);
    return 0;
}
