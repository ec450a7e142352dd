#include "client-cli/json.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>

#include "client-cli/output.h"

/* cJSON prints what fits into an int as such, larger numbers as doubles: "1.5e+15". */
static cJSON *new_integer(const char *digits, double value) {
    return value >= INT_MIN && value <= INT_MAX ? cJSON_CreateNumber(value)
                                                : cJSON_CreateRaw(digits);
}

cJSON *json_new_u64(uint64_t value) {
    char digits[24];

    snprintf(digits, sizeof(digits), "%" PRIu64, value);
    return new_integer(digits, (double)value);
}

static cJSON *new_i64(int64_t value) {
    char digits[24];

    snprintf(digits, sizeof(digits), "%" PRId64, value);
    return new_integer(digits, (double)value);
}

static int read_basic(sd_bus_message *m, char type, cJSON **ret) {
    union {
        uint8_t y;
        int b;
        int16_t n;
        uint16_t q;
        int32_t i;
        uint32_t u;
        int64_t x;
        uint64_t t;
        double d;
        const char *s;
    } v;
    int r = sd_bus_message_read_basic(m, type, &v);

    if (r < 0)
        return r;
    switch (type) {
    case 'y':
        *ret = cJSON_CreateNumber(v.y);
        break;
    case 'b':
        *ret = cJSON_CreateBool(v.b);
        break;
    case 'n':
        *ret = cJSON_CreateNumber(v.n);
        break;
    case 'q':
        *ret = cJSON_CreateNumber(v.q);
        break;
    case 'i':
        *ret = cJSON_CreateNumber(v.i);
        break;
    case 'u':
        *ret = json_new_u64(v.u);
        break;
    case 'x':
        *ret = new_i64(v.x);
        break;
    case 't':
        *ret = json_new_u64(v.t);
        break;
    case 'd':
        *ret = cJSON_CreateNumber(v.d);
        break;
    case 's':
    case 'o':
    case 'g':
        *ret = cJSON_CreateString(v.s);
        break;
    default:
        return -EOPNOTSUPP;
    }
    return *ret ? 0 : -ENOMEM;
}

static int read_entry(sd_bus_message *m, const char *contents, cJSON *object) {
    _cleanup_json_ cJSON *value = NULL;
    const char *key;
    int r;

    r = sd_bus_message_enter_container(m, 'e', contents);
    if (r < 0)
        return r;
    r = sd_bus_message_read_basic(m, 's', &key);
    if (r < 0)
        return r;
    r = json_read_bus(m, &value);
    if (r < 0)
        return r;
    if (!cJSON_AddItemToObject(object, key, value))
        return -ENOMEM;
    TAKE_PTR(value);
    return sd_bus_message_exit_container(m);
}

static int read_container(sd_bus_message *m, char type, const char *contents, cJSON **ret) {
    bool is_object = type == 'a' && contents[0] == '{' && contents[1] == 's';
    _cleanup_json_ cJSON *container = is_object ? cJSON_CreateObject() : cJSON_CreateArray();
    int r;

    if (!container)
        return -ENOMEM;
    r = sd_bus_message_enter_container(m, type, contents);
    if (r < 0)
        return r;
    while ((r = sd_bus_message_at_end(m, false)) == 0) {
        const char *inner;
        char inner_type;

        r = sd_bus_message_peek_type(m, &inner_type, &inner);
        if (r < 0)
            return r;
        if (is_object) {
            r = read_entry(m, inner, container);
        } else {
            cJSON *item = NULL;
            r = json_read_bus(m, &item);
            if (r >= 0)
                cJSON_AddItemToArray(container, item);
        }
        if (r < 0)
            return r;
    }
    if (r < 0)
        return r;
    r = sd_bus_message_exit_container(m);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(container);
    return 0;
}

int json_read_bus(sd_bus_message *m, cJSON **ret) {
    const char *contents;
    char type;
    int r;

    r = sd_bus_message_peek_type(m, &type, &contents);
    if (r < 0)
        return r;
    if (r == 0)
        return -ENXIO;
    if (type == 'v') {
        cJSON *value = NULL;
        r = sd_bus_message_enter_container(m, 'v', contents);
        if (r < 0)
            return r;
        r = json_read_bus(m, &value);
        if (r < 0)
            return r;
        *ret = value;
        return sd_bus_message_exit_container(m);
    }
    if (type == 'a' || type == 'r')
        return read_container(m, type, contents, ret);
    return read_basic(m, type, ret);
}

/* "CreatedAt" to "created-at". */
static char *dashed(const char *name) {
    char *key = must(malloc(2 * strlen(name) + 1)), *out = key;

    for (const char *p = name; *p; p++) {
        if (isupper((unsigned char)*p) && p != name)
            *out++ = '-';
        *out++ = (char)tolower((unsigned char)*p);
    }
    *out = '\0';
    return key;
}

/* Structures come as arrays: (usiittts) becomes an object. */
static void tidy_attempts(cJSON *attempts) {
    static const char *const keys[] = {"number",     "state",       "exit-code",  "exit-signal",
                                       "started-at", "finished-at", "log-offset", "message"};
    cJSON *attempt;

    cJSON_ArrayForEach (attempt, attempts) {
        if (!cJSON_IsArray(attempt))
            continue;
        cJSON *object = must(cJSON_CreateObject());
        for (size_t i = 0; i < ELEMENTSOF(keys) && attempt->child; i++)
            cJSON_AddItemToObject(object, keys[i],
                                  cJSON_DetachItemViaPointer(attempt, attempt->child));
        cJSON_ReplaceItemViaPointer(attempts, attempt, object);
        attempt = object;
    }
}

void json_tidy_task(cJSON *task) {
    cJSON *item;

    cJSON_ArrayForEach (item, task) {
        char *key = dashed(item->string);
        cJSON_free(item->string);
        item->string = key;
    }
    tidy_attempts(cJSON_GetObjectItemCaseSensitive(task, "attempts"));
    item = cJSON_GetObjectItemCaseSensitive(task, "params");
    if (!cJSON_IsString(item))
        return;
    cJSON *params = cJSON_Parse(item->valuestring) ?: cJSON_CreateNull();
    cJSON_ReplaceItemInObjectCaseSensitive(task, "params", must(params));
}

const char *json_string(const cJSON *object, const char *key) {
    return strempty(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key)));
}

uint64_t json_to_u64(const cJSON *value) {
    if (cJSON_IsRaw(value))
        return strtoull(value->valuestring, NULL, 10);
    return cJSON_IsNumber(value) && value->valuedouble > 0 ? (uint64_t)value->valuedouble : 0;
}

uint64_t json_u64(const cJSON *object, const char *key) {
    return json_to_u64(cJSON_GetObjectItemCaseSensitive(object, key));
}

double json_double(const cJSON *object, const char *key) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    return cJSON_IsNumber(item) ? item->valuedouble : -1;
}

int32_t json_i32(const cJSON *object, const char *key) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    return cJSON_IsNumber(item) ? item->valueint : 0;
}

bool json_is_true(const cJSON *object, const char *key) {
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, key));
}

/* Parsers take what is no JSON, line feeds in strings: then it is not what was written. */
static bool is_one_line(const char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < 0x20)
            return false;
    return true;
}

cJSON *json_new_embedded(const char *text) {
    cJSON *value = cJSON_ParseWithOpts(text, NULL, true);

    if (!value)
        return must(cJSON_CreateString(text));
    _cleanup_free_ char *small = must(strdup(text));
    cJSON_Minify(small);
    if (!is_one_line(small))
        return value;
    cJSON_Delete(value);
    return must(cJSON_CreateRaw(small));
}

/* Control characters that cJSON leaves as they are, though terminals obey them: U+007F to U+009F.
 * All of them stand within strings. */
static void put_text(const char *text) {
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (*p == 0x7f)
            fputs("\\u007f", stdout);
        else if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
            printf("\\u%04x", *++p);
        else
            putchar(*p);
    putchar('\n');
}

void json_print_line(const cJSON *value) {
    char *text = must(cJSON_PrintUnformatted(value));

    put_text(text);
    fflush(stdout);
    cJSON_free(text);
}

int json_print(const cJSON *value) {
    char *text = must(cJSON_Print(value));

    put_text(text);
    cJSON_free(text);
    return EXIT_SUCCESS;
}

int json_print_number(const char *key, uint32_t n) {
    _cleanup_json_ cJSON *object = must(cJSON_CreateObject());

    cJSON_AddNumberToObject(object, key, n);
    return json_print(object);
}
