#pragma once

#include "common/macro.h"

/* Values of options that are lists. NULL stands for the empty one. Each is one piece of memory. */

typedef struct IdList { /* "at" */
    size_t n;
    uint64_t ids[];
} IdList;

typedef struct CodeList { /* "ai" */
    size_t n;
    int32_t codes[];
} CodeList;

/* So many tokens of a resource, see core/resource.h. */
typedef struct TokenClaim {
    const char *name; /* lies in the list's own memory */
    uint32_t amount;
} TokenClaim;

typedef struct TokenList { /* "a{su}": by name, each name once */
    size_t n;
    TokenClaim claims[];
} TokenList;

static inline size_t id_list_length(const IdList *l) {
    return l ? l->n : 0;
}

static inline size_t code_list_length(const CodeList *l) {
    return l ? l->n : 0;
}

static inline size_t token_list_length(const TokenList *l) {
    return l ? l->n : 0;
}
