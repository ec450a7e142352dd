#pragma once

#include <cjson/cJSON.h>

#include "daemon/core/error.h"

/* What an answer must be like for its backend to count as online. */

#define EXPECTATIONS_MAX 16
#define EXPECTATION_TEXT_MAX 1024 /* bytes */

/* Codes of HTTP: "200-299,304", "200". 0 or -EINVAL. */
int status_ranges_check(const char *ranges);
/* ranges: valid, or "", which is 200-299. */
bool status_ranges_have(const char *ranges, unsigned status);

/* "POINTER == VALUE": a JSON Pointer (RFC 6901), "" for all of it, and JSON. 0 or -EREMOTE. */
int expectation_check(const char *text, Error *error);

/* Whether it holds of this JSON: numbers are compared as numbers, objects without regard to order.
 * 0; -EREMOTE with the error set, which says what is there instead; -ENOMEM. */
int expectation_holds(const char *text, const cJSON *json, Error *error);
