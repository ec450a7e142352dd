#include "tests/backend/json.h"

const char *json_string(const cJSON *object, const char *name, const char *missing) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name)) ?: missing;
}

double json_number(const cJSON *object, const char *name, double missing) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);

    return cJSON_IsNumber(value) ? value->valuedouble : missing;
}

bool json_bool(const cJSON *object, const char *name, bool missing) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);

    return cJSON_IsBool(value) ? cJSON_IsTrue(value) : missing;
}

uint64_t json_usec(const cJSON *object, const char *name_ms, uint64_t missing) {
    double ms = json_number(object, name_ms, -1);

    return ms < 0 ? missing : (uint64_t)(ms * (double)USEC_PER_MSEC);
}

cJSON *json_object_parse(const char *text, size_t size) {
    cJSON *j = cJSON_ParseWithLength(strempty(text), size);

    if (cJSON_IsObject(j))
        return j;
    cJSON_Delete(j);
    return NULL;
}

/* ---- documents that lie ---- */

static cJSON *wrong_value(const cJSON *value) {
    if (cJSON_IsString(value))
        return cJSON_CreateNumber(-1e300);
    if (cJSON_IsNumber(value))
        return cJSON_CreateString("many");
    return cJSON_CreateObject();
}

static cJSON *spoiled(const cJSON *value, const char *how) {
    bool is_tree = cJSON_IsObject(value) || cJSON_IsArray(value);

    if (streq(how, "lists") && cJSON_IsArray(value))
        return cJSON_CreateString("none");
    if (streq(how, "null") && !is_tree)
        return cJSON_CreateNull();
    if (streq(how, "values") && !is_tree)
        return wrong_value(value);
    if (streq(how, "missing") && cJSON_IsObject(value))
        return cJSON_CreateObject();
    return NULL;
}

/* Documents of this server are not deep. */
static void spoil_members(cJSON *tree, const char *how) {
    for (cJSON *item = tree->child, *next; item; item = next) {
        cJSON *other = spoiled(item, how);
        next = item->next;
        if (!other) {
            spoil_members(item, how);
            continue;
        }
        if (item->string)
            other->string = strdup(item->string);
        cJSON_ReplaceItemViaPointer(tree, item, other);
    }
}

cJSON *json_spoil(cJSON *j, const char *how) {
    cJSON *other = streq(how, "top") ? cJSON_CreateNumber(42) : spoiled(j, how);

    if (other) {
        cJSON_Delete(j);
        return other;
    }
    spoil_members(j, how);
    return j;
}
