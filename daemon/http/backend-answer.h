#pragma once

#include "daemon/core/error.h"
#include "daemon/http/http-loop.h"

/* What an answer is worth: servers may say anything. */

#define ANSWER_TEXT_MAX 300 /* bytes of what a server says of an error */

/* Why there is no answer, or what one says of an error: its member "error" (or "message", or
 * "detail"), cleaned and in one line, else "HTTP 503". Gives -EREMOTE. */
int answer_error(const HttpReply *reply, Error *error);

/* The JSON of an answer, which is the caller's to read as long as the reply is there: one value, in
 * UTF-8, not nested too deep; "null" for 204 (No Content). 0, or -EREMOTE with the error set. */
int answer_json(const HttpReply *reply, const char **ret, Error *error);

/* Whether the JSON meets each of the expectations. 0, or -EREMOTE with the error set. */
int answer_expect(const char *json, char *const *expectations, Error *error);
