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

typedef struct Bytes { /* "ay" */
    size_t size;
    char data[];
} Bytes;

static inline size_t id_list_length(const IdList *l) {
    return l ? l->n : 0;
}

static inline size_t code_list_length(const CodeList *l) {
    return l ? l->n : 0;
}

static inline size_t token_list_length(const TokenList *l) {
    return l ? l->n : 0;
}

static inline size_t bytes_length(const Bytes *b) {
    return b ? b->size : 0;
}

/* Each makes a list, NULL for n = 0, to be freed with free(). 0 or -ENOMEM. Names are copied, and
 * the claims sorted by them. */
int id_list_new(IdList **ret, const uint64_t *ids, size_t n);
int code_list_new(CodeList **ret, const int32_t *codes, size_t n);
int token_list_new(TokenList **ret, const TokenClaim *claims, size_t n);
int bytes_new(Bytes **ret, const void *data, size_t size);

/* Bytes of memory; 0 for NULL. */
size_t id_list_size(const IdList *l);
size_t code_list_size(const CodeList *l);
size_t token_list_size(const TokenList *l);
size_t bytes_size(const Bytes *b);

/* Copies the list into memory of token_list_size(). The others can be copied as they are. */
TokenList *token_list_place(void *where, const TokenList *l);

/* Ascending, each once. NULL-safe. */
void id_list_sort(IdList *l);
void code_list_sort(CodeList *l);

/* As base64 (RFC 4648), for the caller to free; NULL when memory is short. */
char *bytes_to_base64(const Bytes *b);
/* The other way; what is no base64 of its canonical form is -EINVAL. 0 or -ENOMEM. */
int bytes_from_base64(Bytes **ret, const char *text);
