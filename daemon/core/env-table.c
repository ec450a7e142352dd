#include "daemon/core/env-table.h"

#include <uthash.h>

#include "common/cleanup.h"
#include "common/strv.h"

struct EnvBlock {
    EnvTable *table; /* not owned */
    unsigned refs;
    char *key; /* the strings, each with its NUL, one behind the other */
    size_t key_size;
    char **strings; /* into key */
    UT_hash_handle hh;
};

struct EnvTable {
    EnvBlock *blocks;
    size_t size;
};

EnvTable *env_table_new(void) {
    return calloc(1, sizeof(EnvTable));
}

EnvTable *env_table_free(EnvTable *t) {
    free(t);
    return NULL;
}

static size_t env_block_size(const EnvBlock *b) {
    return sizeof(*b) + b->key_size + (strv_length(b->strings) + 1) * sizeof(char *);
}

static void env_block_free(EnvBlock *b) {
    if (!b)
        return;
    free(b->key);
    free(b->strings);
    free(b);
}

static EnvBlock *env_block_new(EnvTable *t, char *const *env) {
    size_t n = strv_length(env), size = 0;
    EnvBlock *b = calloc(1, sizeof(EnvBlock));

    if (!b)
        return NULL;
    for (size_t i = 0; i < n; i++)
        size += strlen(env[i]) + 1;
    b->table = t;
    b->refs = 1;
    b->key_size = size;
    b->key = malloc(size + 1);
    b->strings = calloc(n + 1, sizeof(char *));
    if (!b->key || !b->strings) {
        env_block_free(b);
        return NULL;
    }
    for (size_t i = 0, at = 0; i < n; i++) {
        b->strings[i] = strcpy(b->key + at, env[i]);
        at += strlen(env[i]) + 1;
    }
    return b;
}

EnvBlock *env_table_intern(EnvTable *t, char *const *env) {
    EnvBlock *b = env_block_new(t, env), *known;

    if (!b)
        return NULL;
    HASH_FIND(hh, t->blocks, b->key, b->key_size, known);
    if (known) {
        env_block_free(b);
        known->refs++;
        return known;
    }
    HASH_ADD_KEYPTR(hh, t->blocks, b->key, b->key_size, b);
    t->size += env_block_size(b);
    return b;
}

EnvBlock *env_block_ref(EnvBlock *b) {
    b->refs++;
    return b;
}

EnvBlock *env_block_unref(EnvBlock *b) {
    if (b && --b->refs == 0) {
        HASH_DEL(b->table->blocks, b);
        b->table->size -= env_block_size(b);
        env_block_free(b);
    }
    return NULL;
}

size_t env_table_size(const EnvTable *t) {
    return t->size;
}

char *const *env_block_strings(const EnvBlock *b) {
    static char *const none[] = {NULL};
    return b ? b->strings : none;
}
