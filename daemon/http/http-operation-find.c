#include "daemon/http/http-operation-find.h"

#include "daemon/core/json-pointer.h"
#include "daemon/http/http-operation-words.h"

/* In which members of an answer the others are looked for as well. */
static const char *const containers[] = {
    "operation", "job",    "task",   "metadata", "properties", "data",
    "progress",  "status", "result", "import",   "export",     NULL,
};

/* Of an object so many are looked at, for each name: the loop has other things to do. */
#define MEMBERS_MAX 1000

bool operation_is_text(const cJSON *value) {
    return cJSON_IsString(value) && !isempty(value->valuestring);
}

bool operation_is_number(const cJSON *value) {
    return cJSON_IsNumber(value);
}

static bool is_there(const cJSON *value) {
    return value && !cJSON_IsNull(value);
}

static const cJSON *find_member(const cJSON *object, const char *name) {
    const cJSON *m = cJSON_IsObject(object) ? object->child : NULL;

    for (unsigned i = 0; m && i < MEMBERS_MAX; i++, m = m->next)
        if (is_there(m) && operation_words_equal(m->string, name))
            return m;
    return NULL;
}

static const cJSON *good_member(const cJSON *object, const char *const *names,
                                bool (*is_good)(const cJSON *value)) {
    for (; *names; names++) {
        const cJSON *m = find_member(object, *names);
        if (m && is_good(m))
            return m;
    }
    return NULL;
}

const cJSON *operation_member(const cJSON *object, const char *const *names) {
    return good_member(object, names, is_there);
}

const cJSON *operation_find(const cJSON *root, const char *const *names,
                            bool (*is_good)(const cJSON *value)) {
    const cJSON *found = good_member(root, names, is_good);

    for (const char *const *c = containers; !found && *c; c++)
        found = good_member(find_member(root, *c), names, is_good);
    return found;
}

const cJSON *operation_point(const cJSON *root, const char *pointer) {
    const cJSON *value = json_pointer_get(root, pointer);

    return is_there(value) ? value : NULL;
}

/* ---- links ---- */

static const char *link_text(const cJSON *value) {
    static const char *const href[] = {"href", "url", "uri", NULL};
    const cJSON *text = cJSON_IsObject(value) ? operation_member(value, href) : value;

    return operation_is_text(text) ? text->valuestring : NULL;
}

static const char *link_of_relation(const cJSON *array, const char *name) {
    const cJSON *item = array->child;

    for (unsigned i = 0; item && i < MEMBERS_MAX; i++, item = item->next) {
        const cJSON *rel = find_member(item, "rel");
        if (operation_is_text(rel) && operation_words_equal(rel->valuestring, name))
            return link_text(item);
    }
    return NULL;
}

static const char *link_in(const cJSON *value, const char *name) {
    return cJSON_IsArray(value) ? link_of_relation(value, name)
                                : link_text(find_member(value, name));
}

const char *operation_link(const cJSON *root, const char *const *names) {
    const cJSON *links = find_member(root, "links");
    const char *found = NULL;

    for (; !found && *names; names++) {
        found = link_in(root, *names);
        if (!found && links)
            found = link_in(links, *names);
    }
    return found;
}
