#pragma once

#include <stdarg.h>

#include "common/cleanup.h"
#include "common/macro.h"

/* This server has no use for going on without memory. */

static inline void *must(void *p) {
    if (!p)
        abort();
    return p;
}

static inline char *must_copy(const char *s) {
    return must(strdup(s));
}

_printf_(1, 2) static inline char *must_printf(const char *format, ...) {
    char *s = NULL;
    va_list ap;

    va_start(ap, format);
    int n = vasprintf(&s, format, ap);
    va_end(ap);
    if (n < 0)
        abort();
    return s;
}
