#include "daemon/store/request-json.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>

#include "common/parse.h"
#include "common/strv.h"
#include "daemon/core/task-options.h"

/* cJSON reads numbers as doubles, which hold whole ones up to here. Above, it is a string. */
#define EXACT_MAX (UINT64_C(1) << 53)

static void cjson_deletep(cJSON **j) {
    cJSON_Delete(*j);
}
#define _cleanup_cjson_ _cleanup_(cjson_deletep)

TaskSpec *request_new(const char *kind) {
    return task_spec_new(kind, &(TaskDefaults){.cwd = ""});
}

/* What is left out. Made once; it is never freed. */
static TaskSpec *plain;

static void make_plain(void) {
    plain = request_new("");
}

static const TaskSpec *request_plain(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_plain);
    return plain;
}

static bool has_own_place(const TaskOption *o) {
    return o->offset == offsetof(TaskSpec, label) || o->offset == offsetof(TaskSpec, group) ||
           o->offset == offsetof(TaskSpec, env);
}

/* ---- writing ---- */

/* cJSON itself would write no more than 15 digits, and take its time over them. */
static cJSON *number_to_json(uint64_t n) {
    char digits[32];

    snprintf(digits, sizeof(digits), "%" PRIu64, n);
    return n <= EXACT_MAX ? cJSON_CreateRaw(digits) : cJSON_CreateString(digits);
}

/* The value of a field, NULL when memory is short. *ret_same: it is to be left out. */
static cJSON *field_to_json(const TaskOption *o, const void *field, const void *other,
                            bool *ret_same) {
    const char *s, *plain_s;
    char *const *strings;

    switch (o->type[0]) {
    case 's':
        s = *(char *const *)field;
        plain_s = *(char *const *)other;
        *ret_same = streq(s, plain_s);
        return *ret_same ? NULL : cJSON_CreateStringReference(s);
    case 'a':
        strings = *(char **const *)field;
        *ret_same = !strings;
        return *ret_same ? NULL
                         : cJSON_CreateStringArray((const char *const *)strings,
                                                   (int)strv_length(strings));
    case 'b':
        *ret_same = *(const bool *)field == *(const bool *)other;
        return *ret_same ? NULL : cJSON_CreateBool(*(const bool *)field);
    case 'u':
        *ret_same = *(const uint32_t *)field == *(const uint32_t *)other;
        return *ret_same ? NULL : number_to_json(*(const uint32_t *)field);
    case 'i':
        *ret_same = *(const int32_t *)field == *(const int32_t *)other;
        return *ret_same ? NULL : cJSON_CreateNumber(*(const int32_t *)field);
    default:
        *ret_same = *(const uint64_t *)field == *(const uint64_t *)other;
        return *ret_same ? NULL : number_to_json(*(const uint64_t *)field);
    }
}

char *request_to_json(const TaskSpec *spec) {
    _cleanup_cjson_ cJSON *json = cJSON_CreateObject();
    const TaskSpec *other = request_plain();

    if (!json || !other)
        return NULL;
    for (const TaskOption *o = task_options(); o->name; o++) {
        bool same;
        if (has_own_place(o))
            continue;
        cJSON *value = field_to_json(o, (const char *)spec + o->offset,
                                     (const char *)other + o->offset, &same);
        if (same)
            continue;
        if (!value || !cJSON_AddItemToObjectCS(json, o->name, value)) {
            cJSON_Delete(value);
            return NULL;
        }
    }
    return cJSON_PrintUnformatted(json);
}

/* ---- reading ---- */

static int string_from_json(const cJSON *value, char **field) {
    if (!cJSON_IsString(value))
        return 0;
    char *copy = strdup(value->valuestring);
    if (!copy)
        return -ENOMEM;
    free(*field);
    *field = copy;
    return 0;
}

static int strings_from_json(const cJSON *value, char ***field) {
    size_t n = 0, size = cJSON_IsArray(value) ? (size_t)cJSON_GetArraySize(value) : 0;
    const cJSON *item;

    if (!cJSON_IsArray(value))
        return 0;
    _cleanup_(strv_freep) char **strings = calloc(size + 1, sizeof(char *));
    if (!strings)
        return -ENOMEM;
    cJSON_ArrayForEach (item, value) {
        strings[n] = strdup(cJSON_IsString(item) ? item->valuestring : "");
        if (!strings[n++])
            return -ENOMEM;
    }
    strv_free(*field);
    *field = TAKE_PTR(strings);
    return 0;
}

/* A whole number from min to max; what is none leaves the field as it is. */
static bool number_from_json(const cJSON *value, double min, double max, double *ret) {
    if (!cJSON_IsNumber(value) || !(value->valuedouble >= min && value->valuedouble <= max) ||
        value->valuedouble != floor(value->valuedouble))
        return false;
    *ret = value->valuedouble;
    return true;
}

static int field_from_json(const TaskOption *o, const cJSON *value, void *field) {
    double n;

    switch (o->type[0]) {
    case 's':
        return string_from_json(value, field);
    case 'a':
        return strings_from_json(value, field);
    case 'b':
        if (cJSON_IsBool(value))
            *(bool *)field = cJSON_IsTrue(value);
        return 0;
    case 'u':
        if (number_from_json(value, 0, UINT32_MAX, &n))
            *(uint32_t *)field = (uint32_t)n;
        return 0;
    case 'i':
        if (number_from_json(value, INT32_MIN, INT32_MAX, &n))
            *(int32_t *)field = (int32_t)n;
        return 0;
    default:
        if (cJSON_IsString(value))
            (void)parse_u64(value->valuestring, field);
        else if (number_from_json(value, 0, (double)EXACT_MAX, &n))
            *(uint64_t *)field = (uint64_t)n;
        return 0;
    }
}

int request_from_json(TaskSpec *spec, const char *json) {
    _cleanup_cjson_ cJSON *object = cJSON_Parse(json);

    if (!cJSON_IsObject(object))
        return -EBADMSG;
    for (const TaskOption *o = task_options(); o->name; o++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, o->name);
        int r =
            value && !has_own_place(o) ? field_from_json(o, value, (char *)spec + o->offset) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}
