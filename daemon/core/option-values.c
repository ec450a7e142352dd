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

/* ---- bytes ---- */

size_t bytes_size(const Bytes *b) {
    return b ? sizeof(Bytes) + b->size : 0;
}

int bytes_new(Bytes **ret, const void *data, size_t size) {
    Bytes *b = NULL;

    if (size > 0) {
        b = malloc(sizeof(Bytes) + size);
        if (!b)
            return -ENOMEM;
        b->size = size;
        memcpy(b->data, data, size);
    }
    *ret = b;
    return 0;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Of up to three bytes; what is missing of them counts as zero. */
static uint32_t group_at(const unsigned char *p, size_t n) {
    return (uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);
}

char *bytes_to_base64(const Bytes *b) {
    size_t size = bytes_length(b);
    char *text = malloc((size + 2) / 3 * 4 + 1), *to = text;

    if (!text)
        return NULL;
    for (size_t i = 0; i < size; i += 3) {
        size_t n = MIN(size - i, (size_t)3);
        uint32_t group = group_at((const unsigned char *)b->data + i, n);
        for (size_t j = 0; j < 4; j++)
            *to++ = j <= n ? base64_digits[group >> (18 - 6 * j) & 0x3f] : '=';
    }
    *to = '\0';
    return text;
}

/* -1 when it is no digit. */
static int base64_value(char c) {
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

/* Decodes four characters, of which the last `padding` are '='. */
static bool decode_group(const char *p, size_t padding, char *to) {
    uint32_t group = 0;

    for (size_t i = 0; i < 4; i++) {
        int value = i >= 4 - padding ? 0 : base64_value(p[i]);
        if (value < 0)
            return false;
        group = group << 6 | (uint32_t)value;
    }
    for (size_t i = 0; i < 3; i++) {
        char byte = (char)(group >> (16 - 8 * i) & 0xff);
        if (i < 3 - padding)
            to[i] = byte;
        else if (byte != 0)
            return false;
    }
    return true;
}

int bytes_from_base64(Bytes **ret, const char *text) {
    size_t n = strlen(text), padding = 0;

    if (n % 4 != 0)
        return -EINVAL;
    while (padding < 2 && padding < n && text[n - 1 - padding] == '=')
        padding++;
    if (n == 0) {
        *ret = NULL;
        return 0;
    }
    _cleanup_free_ Bytes *b = malloc(sizeof(Bytes) + n / 4 * 3);
    if (!b)
        return -ENOMEM;
    b->size = n / 4 * 3 - padding;
    for (size_t i = 0; i < n; i += 4)
        if (!decode_group(text + i, i + 4 == n ? padding : 0, b->data + i / 4 * 3))
            return -EINVAL;
    *ret = TAKE_PTR(b);
    return 0;
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
