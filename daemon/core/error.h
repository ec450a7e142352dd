#pragma once

#include "common/cleanup.h"
#include "common/macro.h"

/* An answer of "no" to a request, with its name on the bus (org.longrun.Longrun1.Error.*) and words
 * that tell the person what to do. */

typedef enum ErrorCode {
    ERROR_NONE,
    ERROR_NO_SUCH_TASK,
    ERROR_NO_SUCH_GROUP,
    ERROR_NO_SUCH_KIND,
    ERROR_NO_SUCH_RESOURCE,
    ERROR_NO_SUCH_BACKEND,
    ERROR_INVALID_OPTION,
    ERROR_UNKNOWN_OPTION,
    ERROR_QUEUE_FULL,
    ERROR_NOT_RUNNING,
    ERROR_STILL_ACTIVE,
    ERROR_NO_RESULT,
    ERROR_STDIN_CLOSED,
    ERROR_NOT_PERMITTED,
    ERROR_BACKEND_OFFLINE, /* it could not be reached, or has not answered in time */
    ERROR_BACKEND_FAILED,  /* it has answered, but with an error, or with what is no answer */
    ERROR_STORAGE,
    _ERROR_MAX,
} ErrorCode;

const char *error_code_to_string(ErrorCode code); /* "NoSuchTask", ... */

typedef struct Error {
    ErrorCode code;
    char *message; /* owned; NULL only when memory was short */
} Error;

/* Sets the error, unless one is set already: the first one is the cause. Gives -EREMOTE, the mark
 * of a function that has filled in its Error. */
int error_set(Error *e, ErrorCode code, const char *format, ...) _printf_(3, 4);

/* Puts a text before the message: "task 3: ". */
void error_prefix(Error *e, const char *format, ...) _printf_(2, 3);

void error_done(Error *e);
#define _cleanup_error_ _cleanup_(error_done)
