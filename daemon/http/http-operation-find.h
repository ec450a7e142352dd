#pragma once

#include "daemon/kinds/kinds.h"

/* Looks for what answers of servers usually have somewhere, without being told where. Names are
 * given folded: in lower case, without "_", "-" and blanks; so "percentcomplete" is also
 * "PercentComplete" and "percent_complete". What is found belongs to the JSON. */

/* The first of the names in an object; NULL: none, or it is null. */
const cJSON *operation_member(const cJSON *object, const char *const *names);
/* The same, of a value for which is_good() is true, also one level below: in "operation", "job",
 * "metadata", "properties" and the like. What is near the top comes first. */
const cJSON *operation_find(const cJSON *root, const char *const *names,
                            bool (*is_good)(const cJSON *value));

bool operation_is_text(const cJSON *value); /* a string that is not empty */
bool operation_is_number(const cJSON *value);

/* RFC 6901; NULL: nothing there, or null. */
const cJSON *operation_point(const cJSON *root, const char *pointer);

/* A link in an object: a string, {"href": ...}, or the one of that relation in an array of
 * {"rel": ..., "href": ...}; also in "links" and "_links". NULL: none. */
const char *operation_link(const cJSON *root, const char *const *names);
