#include "daemon/store/request-json.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>

#include "common/parse.h"
#include "common/strv.h"
#include "daemon/core/json-scan.h"
#include "daemon/core/task-options.h"

/* Others who read the text may take numbers for doubles, which hold whole ones up to here. Above,
 * it is a string. */
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

static cJSON *bytes_to_json(const Bytes *b) {
    _cleanup_free_ char *text = bytes_to_base64(b);

    return text ? cJSON_CreateString(text) : NULL;
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
    case TASK_OPTION_BYTES:
        return bytes_to_json(*(Bytes *const *)field);
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
    case TASK_OPTION_BYTES:
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

/* Each of these fills in a field: 1, 0 when the value is of another type, or -ENOMEM. Strings stay
 * where they are, in the text; lists get memory of their own. */

static int string_from_json(const JsonValue *value, char **field) {
    if (value->type != JSON_STRING)
        return 0;
    *field = value->text;
    return 1;
}

static int strings_from_json(const JsonValue *value, char ***field) {
    static char none[] = "";
    JsonValue item;
    size_t n = 0;

    if (value->type != JSON_ARRAY)
        return 0;
    char **strings = calloc(json_count(value) + 1, sizeof(char *));
    if (!strings)
        return -ENOMEM;
    for (JsonWalk w = json_walk(value); json_next(&w, NULL, &item);)
        strings[n++] = item.type == JSON_STRING ? item.text : none;
    free(*field);
    *field = strings;
    return 1;
}

static bool u64_from_json(const JsonValue *value, uint64_t *ret) {
    if (value->type == JSON_STRING)
        return parse_u64(value->text, ret) >= 0;
    if (value->type != JSON_NUMBER || value->is_negative)
        return false;
    *ret = value->number;
    return true;
}

static bool u32_from_json(const JsonValue *value, uint32_t *ret) {
    if (value->type != JSON_NUMBER || value->is_negative || value->number > UINT32_MAX)
        return false;
    *ret = (uint32_t)value->number;
    return true;
}

static bool i32_from_json(const JsonValue *value, int32_t *ret) {
    if (value->type != JSON_NUMBER || value->number > (uint64_t)INT32_MAX + value->is_negative)
        return false;
    *ret = value->is_negative ? (int32_t) - (int64_t)value->number : (int32_t)value->number;
    return true;
}

/* What is no number in a list is left out of it. */
static int ids_from_json(const JsonValue *value, IdList **field) {
    JsonValue item;
    size_t n = 0;

    if (value->type != JSON_ARRAY)
        return 0;
    _cleanup_free_ uint64_t *ids = calloc(json_count(value) + 1, sizeof(uint64_t));
    if (!ids)
        return -ENOMEM;
    for (JsonWalk w = json_walk(value); json_next(&w, NULL, &item);)
        n += u64_from_json(&item, &ids[n]);
    free(TAKE_PTR(*field));
    return id_list_new(field, ids, n) < 0 ? -ENOMEM : 1;
}

static int codes_from_json(const JsonValue *value, CodeList **field) {
    JsonValue item;
    size_t n = 0;

    if (value->type != JSON_ARRAY)
        return 0;
    _cleanup_free_ int32_t *codes = calloc(json_count(value) + 1, sizeof(int32_t));
    if (!codes)
        return -ENOMEM;
    for (JsonWalk w = json_walk(value); json_next(&w, NULL, &item);)
        n += i32_from_json(&item, &codes[n]);
    free(TAKE_PTR(*field));
    return code_list_new(field, codes, n) < 0 ? -ENOMEM : 1;
}

static int tokens_from_json(const JsonValue *value, TokenList **field) {
    JsonValue item;
    size_t n = 0;
    char *name;

    if (value->type != JSON_OBJECT)
        return 0;
    _cleanup_free_ TokenClaim *claims = calloc(json_count(value) + 1, sizeof(TokenClaim));
    if (!claims)
        return -ENOMEM;
    for (JsonWalk w = json_walk(value); json_next(&w, &name, &item);) {
        claims[n].name = name;
        n += u32_from_json(&item, &claims[n].amount);
    }
    free(TAKE_PTR(*field));
    return token_list_new(field, claims, n) < 0 ? -ENOMEM : 1;
}

/* Of a text that was damaged nothing is taken. */
static int bytes_from_json(const JsonValue *value, Bytes **field) {
    Bytes *bytes;
    int r = value->type == JSON_STRING ? bytes_from_base64(&bytes, value->text) : -EINVAL;

    if (r < 0)
        return r == -EINVAL ? 0 : r;
    free(*field);
    *field = bytes;
    return 1;
}

static int field_from_json(const TaskOption *o, const JsonValue *value, void *field) {
    switch (task_option_type(o)) {
    case TASK_OPTION_STRING:
        return string_from_json(value, field);
    case TASK_OPTION_STRINGS:
        return strings_from_json(value, field);
    case TASK_OPTION_ENV: /* has a place of its own */
        return 0;
    case TASK_OPTION_BOOL:
        if (value->type != JSON_BOOL)
            return 0;
        *(bool *)field = value->number;
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
    case TASK_OPTION_BYTES:
        return bytes_from_json(value, field);
    }
    return 0;
}

/* Keys are mostly in the order of the table: so the search begins behind the one before. NULL when
 * there is none of that name. */
static const TaskOption *next_option(const TaskOption *from, const char *name) {
    const TaskOption *first = task_options(), *o = from->name ? from : first, *start = o;

    do {
        if (o->name[0] == name[0] && streq(o->name, name))
            return o;
        o = (o + 1)->name ? o + 1 : first;
    } while (o != start);
    return NULL;
}

/* Sets `given` of what it fills in. 0, -EBADMSG or -ENOMEM. */
static int read_options(TaskSpec *spec, char *text, bool (*wanted)(const TaskOption *o)) {
    const TaskOption *next = task_options();
    JsonValue object, value;
    char *name;

    if (json_scan(text, &object) < 0 || object.type != JSON_OBJECT)
        return -EBADMSG;
    for (JsonWalk w = json_walk(&object); json_next(&w, &name, &value);) {
        const TaskOption *o = next_option(next, name);
        if (!o)
            continue;
        next = o + 1;
        int r = wanted(o) ? field_from_json(o, &value, task_option_field(o, spec)) : 0;
        if (r < 0)
            return r;
        if (r > 0)
            spec->given |= task_option_bit(o);
    }
    return 0;
}

/* Of a request whose strings lie elsewhere. */
static void free_lists(TaskSpec *spec) {
    for (const TaskOption *const *o = task_options_owned(); *o; o++)
        if (task_option_type(*o) != TASK_OPTION_STRING)
            free(*(void **)task_option_field(*o, spec));
}

static bool is_in_text(const TaskOption *o) {
    return !is_elsewhere(o);
}

int request_from_json(TaskSpec **ret, const RequestColumns *columns, const char *json) {
    _cleanup_free_ char *text = strdup(json);
    const TaskSpec *plain_spec = request_plain();
    TaskSpec spec;
    int r, p;

    if (!text || !plain_spec)
        return -ENOMEM;
    spec = *plain_spec;
    spec.kind = (char *)columns->kind; /* what follows is copied */
    spec.label = (char *)columns->label;
    spec.group = (char *)columns->group;
    spec.priority = columns->priority;
    spec.parent = columns->parent;
    r = read_options(&spec, text, is_in_text);
    spec.given = 0;
    p = r >= 0 || r == -EBADMSG ? task_spec_pack_copy(ret, &spec) : 0;
    free_lists(&spec);
    return p < 0 ? p : r;
}

static bool is_default(const TaskOption *o) {
    return o->flags & TASK_OPTION_DEFAULT;
}

int request_defaults_from_json(TaskSpec **ret, const char *json) {
    _cleanup_free_ char *text = strdup(json);
    const TaskSpec *plain_spec = request_plain();
    TaskSpec spec, *copy = NULL;

    if (!text || !plain_spec)
        return -ENOMEM;
    spec = *plain_spec;
    int r = read_options(&spec, text, is_default);
    if (r >= 0 && spec.given != 0) {
        copy = task_spec_copy(&spec, 0);
        r = copy ? 0 : -ENOMEM;
    }
    free_lists(&spec);
    if (r >= 0)
        *ret = copy;
    return r;
}
