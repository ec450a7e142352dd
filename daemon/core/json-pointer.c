#include "daemon/core/json-pointer.h"

#include "common/parse.h"

bool json_pointer_is_valid(const char *pointer) {
    if (strlen(pointer) > JSON_POINTER_MAX || (pointer[0] != '/' && pointer[0] != '\0'))
        return false;
    for (const char *p = pointer; (p = strchr(p, '~')); p++)
        if (p[1] != '0' && p[1] != '1')
            return false;
    return true;
}

/* The name behind a slash, and the pointer to the next slash or the end. */
static const char *take_name(const char *p, char name[JSON_POINTER_MAX + 1]) {
    for (; *p && *p != '/'; p++) {
        char c = *p;
        if (c == '~')
            c = *++p == '1' ? '/' : '~';
        *name++ = c;
    }
    *name = '\0';
    return p;
}

/* An index has no sign, no zeros in front; "-", which is behind the last, points to nothing. */
static const cJSON *item_of(const cJSON *array, const char *name) {
    const cJSON *item = array->child;
    uint64_t index;

    if ((name[0] == '0' && name[1]) || parse_u64(name, &index) < 0)
        return NULL;
    for (; item && index > 0; index--)
        item = item->next;
    return item;
}

static const cJSON *member_of(const cJSON *object, const char *name) {
    const cJSON *item = object->child;

    while (item && !streq(strempty(item->string), name))
        item = item->next;
    return item;
}

const cJSON *json_pointer_get(const cJSON *root, const char *pointer) {
    char name[JSON_POINTER_MAX + 1];
    const cJSON *at = root;

    if (!json_pointer_is_valid(pointer))
        return NULL;
    while (at && *pointer) {
        pointer = take_name(pointer + 1, name);
        at = cJSON_IsArray(at)    ? item_of(at, name)
             : cJSON_IsObject(at) ? member_of(at, name)
                                  : NULL;
    }
    return at;
}
