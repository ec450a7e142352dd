#include "daemon/core/resource.h"

#include <errno.h>
#include <inttypes.h>

static Resource *find(const ResourceTable *t, const char *name) {
    Resource *r;

    HASH_FIND_STR(t->by_name, name, r);
    return r;
}

static void drop(ResourceTable *t, Resource *r) {
    HASH_DELETE(hh, t->by_name, r);
    free(r->name);
    free(r);
}

static int compare_names(const Resource *a, const Resource *b) {
    return strcmp(a->name, b->name);
}

static Resource *add(ResourceTable *t, const char *name) {
    Resource *r = calloc(1, sizeof(Resource));

    if (r)
        r->name = strdup(name);
    if (!r || !r->name) {
        free(r);
        return NULL;
    }
    HASH_ADD_KEYPTR_INORDER(hh, t->by_name, r->name, strlen(r->name), r, compare_names);
    t->made++;
    return r;
}

void resource_table_done(ResourceTable *t) {
    while (t->by_name)
        drop(t, t->by_name);
}

Resource *resource_find(const ResourceTable *t, const char *name) {
    Resource *r = find(t, name);

    return r && !r->removed ? r : NULL;
}

int resource_configure(ResourceTable *t, const char *name, uint32_t capacity) {
    Resource *r = find(t, name);

    if (!r && capacity == 0)
        return 0;
    if (!r)
        r = add(t, name);
    if (!r)
        return -ENOMEM;
    t->made += r->removed;
    r->capacity = capacity;
    r->removed = capacity == 0;
    if (r->removed && r->used == 0)
        drop(t, r);
    return 0;
}

Resource *resource_next(const ResourceTable *t, const Resource *r) {
    Resource *next = r ? r->hh.next : t->by_name;

    while (next && next->removed)
        next = next->hh.next;
    return next;
}

/* ---- claims ---- */

int resource_check(const ResourceTable *t, const TokenList *wanted, Error *error) {
    for (size_t i = 0; i < token_list_length(wanted); i++) {
        const TokenClaim *c = &wanted->claims[i];
        const Resource *r = resource_find(t, c->name);
        if (!r)
            return error_set(error, ERROR_NO_SUCH_RESOURCE,
                             "there is no resource \"%s\": longrun resource set %s N makes one",
                             c->name, c->name);
        if (c->amount > r->capacity)
            return error_set(error, ERROR_INVALID_OPTION,
                             "resources: it wants %s=%" PRIu32 ", but there are only %" PRIu32
                             ": ask for less, or raise it with longrun resource set %s %" PRIu32,
                             c->name, c->amount, r->capacity, c->name, c->amount);
    }
    return 0;
}

bool resource_are_there(const ResourceTable *t, const TokenList *wanted) {
    for (size_t i = 0; i < token_list_length(wanted); i++) {
        const Resource *r = resource_find(t, wanted->claims[i].name);
        if (!r || wanted->claims[i].amount > r->capacity)
            return false;
    }
    return true;
}

bool resource_are_free(const ResourceTable *t, const TokenList *wanted,
                       const TokenClaim **ret_lacking) {
    for (size_t i = 0; i < token_list_length(wanted); i++) {
        const TokenClaim *c = &wanted->claims[i];
        const Resource *r = resource_find(t, c->name);
        if (!r || (uint64_t)r->used + c->amount > r->capacity) {
            *ret_lacking = c;
            return false;
        }
    }
    return true;
}

/* One that is not there is made, and gone again when its tokens are given back. */
static Resource *find_or_add(ResourceTable *t, const char *name) {
    Resource *r = find(t, name);

    if (!r && (r = add(t, name)))
        r->removed = true;
    return r;
}

int resource_take(ResourceTable *t, const TokenList *wanted) {
    for (size_t i = 0; i < token_list_length(wanted); i++) {
        Resource *r = find_or_add(t, wanted->claims[i].name);
        if (!r)
            return -ENOMEM;
        r->used += wanted->claims[i].amount;
    }
    return 0;
}

void resource_give_back(ResourceTable *t, const TokenList *held) {
    for (size_t i = 0; i < token_list_length(held); i++) {
        Resource *r = find(t, held->claims[i].name);
        if (!r)
            continue;
        r->used -= MIN(r->used, held->claims[i].amount);
        if (r->removed && r->used == 0)
            drop(t, r);
    }
}
