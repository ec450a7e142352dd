#include "daemon/http/download-error.h"

#include <stdarg.h>
#include <stdio.h>

int download_error(char **ret_error, int r, const char *format, ...) {
    va_list ap;

    if (*ret_error)
        return r;
    va_start(ap, format);
    if (vasprintf(ret_error, format, ap) < 0)
        *ret_error = NULL;
    va_end(ap);
    return r;
}
