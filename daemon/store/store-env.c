#include "daemon/store/store-env.h"

#include <errno.h>
#include <gcrypt.h>

#include "common/strv.h"
#include "daemon/store/store-statements.h"

#define HASH_SIZE 32 /* of SHA-256 */

/* All strings with their NULs, one behind the other. */
static char *env_to_block(const EnvBlock *env, size_t *ret_size) {
    char *const *strings = env_block_strings(env);
    size_t size = 0, at = 0;

    for (size_t i = 0; strings[i]; i++)
        size += strlen(strings[i]) + 1;
    char *block = malloc(size);
    if (!block)
        return NULL;
    for (size_t i = 0; strings[i]; i++) {
        size_t n = strlen(strings[i]) + 1;
        memcpy(block + at, strings[i], n);
        at += n;
    }
    *ret_size = size;
    return block;
}

static int find_env(StoreDb *d, const unsigned char hash[HASH_SIZE], int64_t *ret) {
    sqlite3_stmt *s;
    int r = store_statement(d, STATEMENT_FIND_ENV, &s);

    if (r < 0)
        return r;
    (void)sqlite3_bind_blob(s, 1, hash, HASH_SIZE, SQLITE_STATIC);
    r = store_db_step(d, s);
    if (r > 0)
        *ret = sqlite3_column_int64(s, 0);
    (void)sqlite3_reset(s);
    return r;
}

static int put_env(StoreDb *d, const EnvBlock *env, int64_t *ret) {
    unsigned char hash[HASH_SIZE];
    sqlite3_stmt *s;
    size_t size;
    _cleanup_free_ char *block = env_to_block(env, &size);

    if (!block)
        return -ENOMEM;
    gcry_md_hash_buffer(GCRY_MD_SHA256, hash, block, size);
    int r = find_env(d, hash, ret);
    if (r != 0)
        return MIN(r, 0);
    r = store_statement(d, STATEMENT_INSERT_ENV, &s);
    if (r < 0)
        return r;
    (void)sqlite3_bind_blob(s, 1, hash, HASH_SIZE, SQLITE_STATIC);
    (void)sqlite3_bind_blob64(s, 2, block, size, SQLITE_STATIC);
    r = store_db_run(d, s);
    if (r >= 0)
        *ret = sqlite3_last_insert_rowid(d->db);
    return r;
}

int store_env_put(StoreDb *d, const EnvBlock *env, StoreEnvCache *cache, int64_t *ret) {
    int r = 0;

    *ret = 0;
    if (!env_block_strings(env)[0])
        return 0;
    if (env != cache->block) {
        r = put_env(d, env, &cache->id);
        cache->block = r >= 0 ? env : NULL;
    }
    *ret = cache->id;
    return r;
}

EnvBlock *store_env_intern(EnvTable *envs, const char *block, size_t size) {
    _cleanup_free_ char **strings = NULL;
    size_t n = 0;

    for (size_t at = 0; at < size; at += strnlen(block + at, size - at) + 1)
        n++;
    strings = calloc(n + 1, sizeof(char *));
    if (!strings)
        return NULL;
    n = 0;
    for (size_t at = 0; at < size; at += strnlen(block + at, size - at) + 1)
        strings[n++] = (char *)block + at;
    return env_table_intern(envs, strings);
}
