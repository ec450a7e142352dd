#pragma once

#include <cjson/cJSON.h>

#include "common/cleanup.h"
#include "common/macro.h"

/* Members of objects, with a value for those that are missing or of another type. */

static inline void json_freep(cJSON **j) {
    cJSON_Delete(*j);
}
#define _cleanup_json_ _cleanup_(json_freep)

const char *json_string(const cJSON *object, const char *name, const char *missing);
double json_number(const cJSON *object, const char *name, double missing);
bool json_bool(const cJSON *object, const char *name, bool missing);
uint64_t json_usec(const cJSON *object, const char *name_ms, uint64_t missing); /* from ms */

/* An object of the body, or NULL. */
cJSON *json_object_parse(const char *text, size_t size);

/* Makes another document of the same look, with something wrong everywhere. how: "values" (each
 * value is of another type), "null" (each is null), "lists" (each array is a string), "missing"
 * (objects have no members), "top" (a number alone). Takes j. */
cJSON *json_spoil(cJSON *j, const char *how);
