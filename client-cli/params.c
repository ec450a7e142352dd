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

int params_build(const Invocation *inv, char **ret) {
    const char *base = invocation_value(inv, OPT_PARAMS);
    _cleanup_json_ cJSON *params = NULL;

    if (!base && !invocation_has(inv, OPT_PARAM)) {
        *ret = NULL;
        return 0;
    }
    params = base ? cJSON_ParseWithOpts(base, NULL, true) : must(cJSON_CreateObject());
    if (!cJSON_IsObject(params) || !utf8_is_valid(strempty(base)))
        return usage_error(inv->command,
                           "--params wants a JSON object, as in '{\"steps\": 10}', not \"%s\"",
                           strempty(base));
    if (!invocation_has(inv, OPT_PARAM)) {
        *ret = must(strdup(base));
        return 0;
    }
    for (size_t i = 0; i < inv->n_options; i++) {
        if (inv->options[i].id != OPT_PARAM)
            continue;
        int r = put_param(inv, params, inv->options[i].value);
        if (r != 0)
            return r;
    }
    *ret = must(cJSON_PrintUnformatted(params));
    return 0;
}
