#pragma once

#include "daemon/http/http-operation-follow.h"

/* The result of an operation that has succeeded. Pure. */

/* What an answer has of it, as JSON, to be freed: the field of the params, or "result", "response",
 * "output", ...; the text is that of the server, with all the digits of its numbers. 0; -ENOENT
 * when there is no such field; -ENOMEM. */
int operation_result_field(const OperationAnswer *a, const HttpOperationParams *p, char **ret);
/* All of the answer: JSON, or a text as a JSON string. 0; -ENOENT: it is empty; -EBADMSG: it is
 * neither; -ENOMEM. */
int operation_result_body(const OperationAnswer *a, char **ret);

/* The part of a JSON text, which is one, that a JSON Pointer names. 0; -ENOENT; -EOPNOTSUPP where a
 * name on the way there is written with escapes. */
int json_raw_get(const char *json, const char *pointer, const char **ret, size_t *ret_size);
