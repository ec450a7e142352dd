#pragma once

#include "common/macro.h"

/* Environment blocks, each different one kept once: a thousand tasks from one shell share theirs.
 */

typedef struct EnvTable EnvTable;
typedef struct EnvBlock EnvBlock;

EnvTable *env_table_new(void);
EnvTable *env_table_free(EnvTable *t); /* NULL-safe; all blocks must have been given back */

/* A reference to the block with these strings, in this order, to be given back by
 * env_block_unref(). NULL when memory is short. */
EnvBlock *env_table_intern(EnvTable *t, char *const *env);
EnvBlock *env_block_ref(EnvBlock *b);   /* gives b */
EnvBlock *env_block_unref(EnvBlock *b); /* NULL-safe, gives NULL */

/* Bytes of memory that all blocks together hold. */
size_t env_table_size(const EnvTable *t);

char *const *env_block_strings(const EnvBlock *b); /* NULL-terminated; the empty one for NULL */
