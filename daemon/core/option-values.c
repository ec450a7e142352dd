#include "daemon/core/option-values.h"

#include <errno.h>
#include <stdlib.h>

#include "common/cleanup.h"

/* ---- numbers ---- */

size_t id_list_size(const IdList *l) {
    return l ? sizeof(IdList) + l->n * sizeof(l->ids[0]) : 0;
}

size_t code_list_size(const CodeList *l) {
    return l ? sizeof(CodeList) + l->n * sizeof(l->codes[0]) : 0;
}

int id_list_new(IdList **ret, const uint64_t *ids, size_t n) {
    IdList *l = NULL;

    if (n > 0) {
        l = malloc(sizeof(IdList) + n * sizeof(ids[0]));
        if (!l)
            return -ENOMEM;
        l->n = n;
        memcpy(l->ids, ids, n * sizeof(ids[0]));
    }
    *ret = l;
    return 0;
}

int code_list_new(CodeList **ret, const int32_t *codes, size_t n) {
    CodeList *l = NULL;

    if (n > 0) {
        l = malloc(sizeof(CodeList) + n * sizeof(codes[0]));
        if (!l)
            return -ENOMEM;
        l->n = n;
        memcpy(l->codes, codes, n * sizeof(codes[0]));
    }
    *ret = l;
    return 0;
}

static int compare_ids(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static int compare_codes(const void *a, const void *b) {
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return x < y ? -1 : x > y;
}

void id_list_sort(IdList *l) {
    size_t n = 0;

    if (!l)
        return;
    qsort(l->ids, l->n, sizeof(l->ids[0]), compare_ids);
    for (size_t i = 0; i < l->n; i++)
        if (n == 0 || l->ids[i] != l->ids[n - 1])
            l->ids[n++] = l->ids[i];
    l->n = n;
}

void code_list_sort(CodeList *l) {
    size_t n = 0;

    if (!l)
        return;
    qsort(l->codes, l->n, sizeof(l->codes[0]), compare_codes);
    for (size_t i = 0; i < l->n; i++)
        if (n == 0 || l->codes[i] != l->codes[n - 1])
            l->codes[n++] = l->codes[i];
    l->n = n;
}

/* ---- tokens ---- */

static size_t size_of_claims(const TokenClaim *claims, size_t n) {
    size_t size = sizeof(TokenList) + n * sizeof(TokenClaim);

    for (size_t i = 0; i < n; i++)
        size += strlen(claims[i].name) + 1;
    return size;
}

size_t token_list_size(const TokenList *l) {
    return l ? size_of_claims(l->claims, l->n) : 0;
}

/* The names lie behind the claims. */
static TokenList *place_claims(TokenList *l, const TokenClaim *claims, size_t n) {
    char *names = (char *)&l->claims[n];

    l->n = n;
    for (size_t i = 0; i < n; i++) {
        l->claims[i] = (TokenClaim){.name = names, .amount = claims[i].amount};
        names = stpcpy(names, claims[i].name) + 1;
    }
    return l;
}

TokenList *token_list_place(void *where, const TokenList *l) {
    return place_claims(where, l->claims, l->n);
}

static int compare_claims(const void *a, const void *b) {
    return strcmp(((const TokenClaim *)a)->name, ((const TokenClaim *)b)->name);
}

int token_list_new(TokenList **ret, const TokenClaim *claims, size_t n) {
    TokenList *l = NULL;

    if (n > 0) {
        l = malloc(size_of_claims(claims, n));
        if (!l)
            return -ENOMEM;
        place_claims(l, claims, n);
        qsort(l->claims, n, sizeof(TokenClaim), compare_claims);
    }
    *ret = l;
    return 0;
}
