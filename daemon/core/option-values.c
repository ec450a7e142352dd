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

/* The value of each digit, -1 for what is none. */
typedef struct Digits {
    int8_t values[256];
} Digits;

static void digits_init(Digits *d) {
    memset(d->values, -1, sizeof(d->values));
    for (int8_t i = 0; i < 64; i++)
        d->values[(unsigned char)base64_digits[i]] = i;
}

/* Three bytes of four digits; negative when one is none. */
static int32_t decode_group(const Digits *d, const char *text) {
    const unsigned char *p = (const unsigned char *)text;
    int32_t a = d->values[p[0]], b = d->values[p[1]], c = d->values[p[2]], e = d->values[p[3]];

    return (a | b | c | e) < 0 ? -1 : a << 18 | b << 12 | c << 6 | e;
}

/* The last one: where it is padded, what is left over must be zero. */
static bool decode_last(const Digits *d, const char *text, size_t padding, char *to) {
    char digits[] = {text[0], text[1], padding > 1 ? 'A' : text[2], padding > 0 ? 'A' : text[3]};
    int32_t group = decode_group(d, digits);

    if (group < 0 || (group & ((1 << 8 * padding) - 1)) != 0)
        return false;
    for (size_t i = 0; i < 3 - padding; i++)
        to[i] = (char)(group >> (16 - 8 * i));
    return true;
}

static bool decode(const char *text, size_t n, size_t padding, char *to) {
    Digits d;

    digits_init(&d);
    for (; n > 4; n -= 4, text += 4, to += 3) {
        int32_t group = decode_group(&d, text);
        if (group < 0)
            return false;
        to[0] = (char)(group >> 16);
        to[1] = (char)(group >> 8);
        to[2] = (char)group;
    }
    return decode_last(&d, text, padding, to);
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
    if (!decode(text, n, padding, b->data))
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
