#include "daemon/core/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static const char *const error_code_table[_ERROR_MAX] = {
    [ERROR_NO_SUCH_TASK] = "NoSuchTask",
    [ERROR_NO_SUCH_GROUP] = "NoSuchGroup",
    [ERROR_NO_SUCH_KIND] = "NoSuchKind",
    [ERROR_NO_SUCH_RESOURCE] = "NoSuchResource",
    [ERROR_NO_SUCH_BACKEND] = "NoSuchBackend",
    [ERROR_INVALID_OPTION] = "InvalidOption",
    [ERROR_UNKNOWN_OPTION] = "UnknownOption",
    [ERROR_QUEUE_FULL] = "QueueFull",
    [ERROR_NOT_RUNNING] = "NotRunning",
    [ERROR_STILL_ACTIVE] = "StillActive",
    [ERROR_NO_RESULT] = "NoResult",
    [ERROR_STDIN_CLOSED] = "StdinClosed",
    [ERROR_NOT_PERMITTED] = "NotPermitted",
    [ERROR_BACKEND_OFFLINE] = "BackendOffline",
    [ERROR_BACKEND_FAILED] = "BackendFailed",
    [ERROR_STORAGE] = "Storage",
};

const char *error_code_to_string(ErrorCode code) {
    return (size_t)code < _ERROR_MAX ? error_code_table[code] : NULL;
}

int error_set(Error *e, ErrorCode code, const char *format, ...) {
    va_list ap;

    if (e->code != ERROR_NONE)
        return -EREMOTE;
    e->code = code;
    va_start(ap, format);
    if (vasprintf(&e->message, format, ap) < 0)
        e->message = NULL;
    va_end(ap);
    return -EREMOTE;
}

void error_prefix(Error *e, const char *format, ...) {
    _cleanup_free_ char *prefix = NULL, *whole = NULL;
    va_list ap;

    va_start(ap, format);
    if (vasprintf(&prefix, format, ap) < 0)
        prefix = NULL;
    va_end(ap);
    if (!prefix || asprintf(&whole, "%s%s", prefix, strempty(e->message)) < 0) {
        whole = NULL;
        return;
    }
    free(e->message);
    e->message = TAKE_PTR(whole);
}

void error_done(Error *e) {
    free(e->message);
    *e = (Error){};
}
