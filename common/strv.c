#include "common/strv.h"

char **strv_free(char **v) {
    STRV_FOREACH (s, v)
        free(*s);
    free(v);
    return NULL;
}

size_t strv_length(char *const *v) {
    size_t n = 0;

    while (v && v[n])
        n++;
    return n;
}

char **strv_copy(char *const *v) {
    size_t n = strv_length(v);
    _cleanup_(strv_freep) char **copy = calloc(n + 1, sizeof(char *));

    if (!copy)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        copy[i] = strdup(v[i]);
        if (!copy[i])
            return NULL;
    }
    return TAKE_PTR(copy);
}

int strv_push(char ***v, size_t *count, char *s) {
    _cleanup_free_ char *owned = s;

    if (!owned)
        return -ENOMEM;
    /* Room is doubled whenever the number of slots in use, terminator included, is a power of two.
     */
    size_t used = *count + 1;
    if (!*v || (used & (used - 1)) == 0) {
        char **grown = realloc(*v, used * 2 * sizeof(char *));
        if (!grown)
            return -ENOMEM;
        *v = grown;
    }
    (*v)[*count] = TAKE_PTR(owned);
    (*v)[++*count] = NULL;
    return 0;
}
