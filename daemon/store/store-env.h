#pragma once

#include "daemon/core/env-table.h"
#include "daemon/store/store-db.h"

/* Environments as rows of the table env: each different one once, by its SHA-256. */

/* The environment that was put in last, since neighbours mostly share theirs. Good for one
 * transaction. */
typedef struct StoreEnvCache {
    const EnvBlock *block; /* not owned */
    int64_t id;
} StoreEnvCache;

/* Its id; puts it in when it is not there. 0 for the empty one. */
int store_env_put(StoreDb *d, const EnvBlock *env, StoreEnvCache *cache, int64_t *ret);

/* The block as it is on disk: each string with its NUL. NULL when memory is short. */
EnvBlock *store_env_intern(EnvTable *envs, const char *block, size_t size);
