#pragma once

#include <cjson/cJSON.h>

#include "common/macro.h"

/* JSON Pointers (RFC 6901): "" is all of it, "/jobs/0/state" what it says; in a name "~1" stands
 * for a slash, "~0" for "~". */

#define JSON_POINTER_MAX 1024 /* bytes */

bool json_pointer_is_valid(const char *pointer);

/* What it points to, which belongs to root; NULL where there is nothing, or it is no pointer. Of
 * members with the same name the first counts. */
const cJSON *json_pointer_get(const cJSON *root, const char *pointer);
