#include "client-cli/params.h"

#include <ctype.h>

#include "client-cli/json.h"
#include "client-cli/output.h"
#include "common/text.h"

#define ARRAY_MARK "[]"

static size_t skip_digits(const char *s) {
    return strspn(s, "0123456789");
}

/* A number as RFC 8259 has it, and nothing behind. cJSON takes "007" and "1." for numbers, too; to
 * people those are a name and a version. */
static bool is_json_number(const char *s) {
    size_t n;

    s += *s == '-';
    n = skip_digits(s);
    if (n == 0 || (n > 1 && s[0] == '0'))
        return false;
    s += n;
    if (*s == '.') {
        n = skip_digits(s + 1);
        if (n == 0)
            return false;
        s += 1 + n;
    }
    if (*s == 'e' || *s == 'E') {
        s++;
        s += *s == '+' || *s == '-';
        n = skip_digits(s);
        if (n == 0)
            return false;
        s += n;
    }
    return *s == '\0';
}

static cJSON *value_new(const char *text) {
    /* As it was written: large numbers keep all of their digits. */
    if (is_json_number(text))
        return must(cJSON_CreateRaw(text));
    if (*text == '-' || isdigit((unsigned char)*text))
        return must(cJSON_CreateString(text));
    return cJSON_ParseWithOpts(text, NULL, true) ?: must(cJSON_CreateString(text));
}

static int put_param(const Invocation *inv, cJSON *params, const char *text) {
    const char *equals = strchr(text, '=');
    size_t mark = strlen(ARRAY_MARK), n = equals ? (size_t)(equals - text) : 0;
    bool is_item = n >= mark && strncmp(equals - mark, ARRAY_MARK, mark) == 0;

    if (n == (is_item ? mark : 0))
        return usage_error(inv->command, "--param wants NAME=VALUE or NAME[]=VALUE, not \"%s\"",
                           text);
    if (!utf8_is_valid(text))
        return usage_error(inv->command, "--param: JSON holds UTF-8 alone, and \"%s\" is not",
                           text);

    _cleanup_free_ char *key = must(strndup(text, is_item ? n - mark : n));
    cJSON *value = value_new(equals + 1);
    cJSON *before = cJSON_GetObjectItemCaseSensitive(params, key);
    if (!is_item) {
        if (before)
            cJSON_ReplaceItemInObjectCaseSensitive(params, key, value);
        else
            cJSON_AddItemToObject(params, key, value);
        return 0;
    }
    if (before && !cJSON_IsArray(before)) {
        cJSON_Delete(value);
        return usage_error(inv->command, "--param %s: \"%s\" has a value that is no array", text,
                           key);
    }
    cJSON_AddItemToArray(before ?: cJSON_AddArrayToObject(params, key), value);
    return 0;
}

/* The object that --params has, or an empty one. */
static int read_base(const Invocation *inv, cJSON **ret) {
    const char *base = invocation_value(inv, OPT_PARAMS);
    _cleanup_json_ cJSON *params =
        base ? cJSON_ParseWithOpts(base, NULL, true) : must(cJSON_CreateObject());

    if (!cJSON_IsObject(params) || !utf8_is_valid(strempty(base)))
        return usage_error(inv->command,
                           "--params wants a JSON object, as in '{\"steps\": 10}', not \"%s\"",
                           strempty(base));
    *ret = TAKE_PTR(params);
    return 0;
}

int params_read(const Invocation *inv, cJSON **ret) {
    _cleanup_json_ cJSON *params = NULL;
    int r = read_base(inv, &params);

    for (size_t i = 0; i < inv->n_options && r == 0; i++)
        if (inv->options[i].id == OPT_PARAM)
            r = put_param(inv, params, inv->options[i].value);
    if (r == 0)
        *ret = TAKE_PTR(params);
    return r;
}

int params_build(const Invocation *inv, char **ret) {
    const char *base = invocation_value(inv, OPT_PARAMS);
    _cleanup_json_ cJSON *params = NULL;

    *ret = NULL;
    if (!base && !invocation_has(inv, OPT_PARAM))
        return 0;
    int r = params_read(inv, &params);
    if (r != 0)
        return r;
    /* As it was written: large numbers keep all of their digits. */
    *ret =
        invocation_has(inv, OPT_PARAM) ? must(cJSON_PrintUnformatted(params)) : must(strdup(base));
    return 0;
}

void params_set(cJSON *params, const char *name, cJSON *value) {
    must(value);
    if (cJSON_HasObjectItem(params, name))
        cJSON_ReplaceItemInObjectCaseSensitive(params, name, value);
    else
        cJSON_AddItemToObject(params, name, value);
}

static int put_header(const Invocation *inv, const char *word, cJSON *headers) {
    const char *colon = strchr(word, ':');

    if (!colon || colon == word)
        return usage_error(inv->command, "--header wants 'NAME: VALUE', not \"%s\"", word);
    int r = text_check("a header", word);
    if (r != 0)
        return r;
    _cleanup_free_ char *name = must(strndup(word, (size_t)(colon - word)));
    colon += 1 + strspn(colon + 1, " \t");
    params_set(headers, name, cJSON_CreateString(colon));
    return 0;
}

int params_set_headers(const Invocation *inv, cJSON *params) {
    _cleanup_json_ cJSON *headers = must(cJSON_CreateObject());
    int r = 0;

    for (size_t i = 0; i < inv->n_options && r == 0; i++)
        if (inv->options[i].id == OPT_HEADER)
            r = put_header(inv, inv->options[i].value, headers);
    if (r == 0 && headers->child)
        params_set(params, "headers", TAKE_PTR(headers));
    return r;
}
