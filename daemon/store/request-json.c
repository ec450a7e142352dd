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

/* It is not a part of the text. */
static bool is_elsewhere(const TaskOption *o) {
    return o->offset == offsetof(TaskSpec, label) || o->offset == offsetof(TaskSpec, group) ||
           o->offset == offsetof(TaskSpec, env) || o->offset == offsetof(TaskSpec, priority) ||
           o->offset == offsetof(TaskSpec, parent) || (o->flags & TASK_OPTION_CALL);
}

/* ---- writing ---- */

/* cJSON itself would write no more than 15 digits, and take its time over them. */
static cJSON *number_to_json(uint64_t n) {
    char digits[32];

    snprintf(digits, sizeof(digits), "%" PRIu64, n);
    return n <= EXACT_MAX ? cJSON_CreateRaw(digits) : cJSON_CreateString(digits);
}

static cJSON *ids_to_json(const IdList *l) {
    _cleanup_cjson_ cJSON *array = cJSON_CreateArray();

    for (size_t i = 0; array && i < id_list_length(l); i++) {
        cJSON *number = number_to_json(l->ids[i]);
        if (!number || !cJSON_AddItemToArray(array, number)) {
            cJSON_Delete(number);
            return NULL;
        }
    }
    return TAKE_PTR(array);
}

static cJSON *tokens_to_json(const TokenList *l) {
    _cleanup_cjson_ cJSON *object = cJSON_CreateObject();

    for (size_t i = 0; object && i < token_list_length(l); i++) {
        const TokenClaim *c = &l->claims[i];
        cJSON *number = number_to_json(c->amount);
        if (!number || !cJSON_AddItemToObject(object, c->name, number)) {
            cJSON_Delete(number);
            return NULL;
        }
    }
    return TAKE_PTR(object);
}

static cJSON *codes_to_json(const CodeList *l) {
    return l ? cJSON_CreateIntArray(l->codes, (int)l->n) : cJSON_CreateArray();
}

static cJSON *strings_to_json(char *const *strings) {
    if (!strings)
        return cJSON_CreateArray();
    return cJSON_CreateStringArray((const char *const *)strings, (int)strv_length(strings));
}

/* NULL when memory is short. */
static cJSON *field_to_json(const TaskOption *o, const void *field) {
    switch (task_option_type(o)) {
    case TASK_OPTION_STRING:
        return cJSON_CreateStringReference(*(char *const *)field);
    case TASK_OPTION_STRINGS:
        return strings_to_json(*(char **const *)field);
    case TASK_OPTION_ENV:
        return strings_to_json(env_block_strings(*(EnvBlock *const *)field));
    case TASK_OPTION_BOOL:
        return cJSON_CreateBool(*(const bool *)field);
    case TASK_OPTION_U32:
        return number_to_json(*(const uint32_t *)field);
    case TASK_OPTION_I32:
        return cJSON_CreateNumber(*(const int32_t *)field);
    case TASK_OPTION_U64:
        return number_to_json(*(const uint64_t *)field);
    case TASK_OPTION_IDS:
        return ids_to_json(*(IdList *const *)field);
    case TASK_OPTION_CODES:
        return codes_to_json(*(CodeList *const *)field);
    case TASK_OPTION_TOKENS:
        return tokens_to_json(*(TokenList *const *)field);
    }
    return NULL;
}

/* Lists are none by default. */
static bool is_same(const TaskOption *o, const void *field, const void *other) {
    switch (task_option_type(o)) {
    case TASK_OPTION_STRING:
        return streq(*(char *const *)field, *(char *const *)other);
    case TASK_OPTION_BOOL:
        return *(const bool *)field == *(const bool *)other;
    case TASK_OPTION_U32:
    case TASK_OPTION_I32:
        return *(const uint32_t *)field == *(const uint32_t *)other;
    case TASK_OPTION_U64:
        return *(const uint64_t *)field == *(const uint64_t *)other;
    case TASK_OPTION_STRINGS:
    case TASK_OPTION_ENV:
    case TASK_OPTION_IDS:
    case TASK_OPTION_CODES:
    case TASK_OPTION_TOKENS:
        return !*(void *const *)field;
    }
    return false;
}

static bool add_option(cJSON *object, const TaskOption *o, const TaskSpec *spec) {
    cJSON *value = field_to_json(o, task_option_value(o, spec));

    if (value && cJSON_AddItemToObjectCS(object, o->name, value))
        return true;
    cJSON_Delete(value);
    return false;
}

char *request_to_json(const TaskSpec *spec) {
    _cleanup_cjson_ cJSON *json = cJSON_CreateObject();
    const TaskSpec *other = request_plain();

    if (!json || !other)
        return NULL;
    for (const TaskOption *o = task_options(); o->name; o++)
        if (!is_elsewhere(o) &&
            !is_same(o, task_option_value(o, spec), task_option_value(o, other)) &&
            !add_option(json, o, spec))
            return NULL;
    return cJSON_PrintUnformatted(json);
}

char *request_defaults_to_json(const TaskSpec *defaults) {
    _cleanup_cjson_ cJSON *json = cJSON_CreateObject();

    if (!json)
        return NULL;
    for (const TaskOption *o = task_options(); defaults && o->name; o++)
        if ((defaults->given & task_option_bit(o)) && !add_option(json, o, defaults))
            return NULL;
    return cJSON_PrintUnformatted(json);
}

/* ---- reading ---- */

/* Each of these fills in a field: 1, 0 when the value is of another type, or -ENOMEM. */

static int string_from_json(const cJSON *value, char **field) {
    if (!cJSON_IsString(value))
        return 0;
    char *copy = strdup(value->valuestring);
    if (!copy)
        return -ENOMEM;
    free(*field);
    *field = copy;
    return 1;
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
    return 1;
}

/* A whole number from min to max. */
static bool number_from_json(const cJSON *value, double min, double max, double *ret) {
    if (!cJSON_IsNumber(value) || !(value->valuedouble >= min && value->valuedouble <= max) ||
        value->valuedouble != floor(value->valuedouble))
        return false;
    *ret = value->valuedouble;
    return true;
}

static bool u32_from_json(const cJSON *value, uint32_t *ret) {
    double n;

    if (!number_from_json(value, 0, UINT32_MAX, &n))
        return false;
    *ret = (uint32_t)n;
    return true;
}

static bool i32_from_json(const cJSON *value, int32_t *ret) {
    double n;

    if (!number_from_json(value, INT32_MIN, INT32_MAX, &n))
        return false;
    *ret = (int32_t)n;
    return true;
}

static bool u64_from_json(const cJSON *value, uint64_t *ret) {
    double n;

    if (cJSON_IsString(value))
        return parse_u64(value->valuestring, ret) >= 0;
    if (!number_from_json(value, 0, (double)EXACT_MAX, &n))
        return false;
    *ret = (uint64_t)n;
    return true;
}

/* What is no number in a list is left out of it. */
static int ids_from_json(const cJSON *value, IdList **field) {
    size_t n = 0;
    IdList *l;

    if (!cJSON_IsArray(value))
        return 0;
    _cleanup_free_ uint64_t *ids = calloc((size_t)cJSON_GetArraySize(value) + 1, sizeof(uint64_t));
    if (!ids)
        return -ENOMEM;
    const cJSON *item;
    cJSON_ArrayForEach (item, value)
        n += u64_from_json(item, &ids[n]);
    int r = id_list_new(&l, ids, n);
    if (r < 0)
        return r;
    free(*field);
    *field = l;
    return 1;
}

static int codes_from_json(const cJSON *value, CodeList **field) {
    size_t n = 0;
    CodeList *l;

    if (!cJSON_IsArray(value))
        return 0;
    _cleanup_free_ int32_t *codes = calloc((size_t)cJSON_GetArraySize(value) + 1, sizeof(int32_t));
    if (!codes)
        return -ENOMEM;
    const cJSON *item;
    cJSON_ArrayForEach (item, value)
        n += i32_from_json(item, &codes[n]);
    int r = code_list_new(&l, codes, n);
    if (r < 0)
        return r;
    free(*field);
    *field = l;
    return 1;
}

static int tokens_from_json(const cJSON *value, TokenList **field) {
    size_t n = 0;
    TokenList *l;

    if (!cJSON_IsObject(value))
        return 0;
    _cleanup_free_ TokenClaim *claims =
        calloc((size_t)cJSON_GetArraySize(value) + 1, sizeof(TokenClaim));
    if (!claims)
        return -ENOMEM;
    const cJSON *item;
    cJSON_ArrayForEach (item, value) {
        claims[n].name = item->string;
        n += u32_from_json(item, &claims[n].amount);
    }
    int r = token_list_new(&l, claims, n);
    if (r < 0)
        return r;
    free(*field);
    *field = l;
    return 1;
}

static int field_from_json(const TaskOption *o, const cJSON *value, void *field) {
    switch (task_option_type(o)) {
    case TASK_OPTION_STRING:
        return string_from_json(value, field);
    case TASK_OPTION_STRINGS:
        return strings_from_json(value, field);
    case TASK_OPTION_ENV: /* has a place of its own */
        return 0;
    case TASK_OPTION_BOOL:
        if (!cJSON_IsBool(value))
            return 0;
        *(bool *)field = cJSON_IsTrue(value);
        return 1;
    case TASK_OPTION_U32:
        return u32_from_json(value, field);
    case TASK_OPTION_I32:
        return i32_from_json(value, field);
    case TASK_OPTION_U64:
        return u64_from_json(value, field);
    case TASK_OPTION_IDS:
        return ids_from_json(value, field);
    case TASK_OPTION_CODES:
        return codes_from_json(value, field);
    case TASK_OPTION_TOKENS:
        return tokens_from_json(value, field);
    }
    return 0;
}

int request_from_json(TaskSpec *spec, const char *json) {
    _cleanup_cjson_ cJSON *object = cJSON_Parse(json);

    if (!cJSON_IsObject(object))
        return -EBADMSG;
    for (const TaskOption *o = task_options(); o->name; o++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, o->name);
        int r =
            value && !is_elsewhere(o) ? field_from_json(o, value, task_option_field(o, spec)) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

int request_defaults_from_json(TaskSpec **ret, const char *json) {
    _cleanup_cjson_ cJSON *object = cJSON_Parse(json);
    _cleanup_(task_spec_freep) TaskSpec *defaults = request_new("");

    if (!defaults)
        return -ENOMEM;
    if (!cJSON_IsObject(object))
        return -EBADMSG;
    for (const TaskOption *o = task_options(); o->name; o++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, o->name);
        if (!value || !(o->flags & TASK_OPTION_DEFAULT))
            continue;
        int r = field_from_json(o, value, task_option_field(o, defaults));
        if (r < 0)
            return r;
        if (r > 0)
            defaults->given |= task_option_bit(o);
    }
    *ret = defaults->given != 0 ? TAKE_PTR(defaults) : NULL;
    return 0;
}
