#pragma once

#include "common/macro.h"

/* Reads a JSON text in place, without memory of its own: a hundred thousand requests are read when
 * the daemon starts, and of what a server sends nobody knows how much memory a parser would want.
 * Strings have no NUL in them, and numbers are whole ones; others are told apart, no more. */

typedef enum JsonType {
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,       /* whole, and from -UINT64_MAX to UINT64_MAX */
    JSON_OTHER_NUMBER, /* text is where it stands, with the rest behind it */
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
} JsonType;

typedef struct JsonValue {
    JsonType type;
    bool is_negative;
    uint64_t number; /* its amount; of a bool 0 or 1 */
    char *text; /* of a string: it, in the memory of the whole text; of a container: its inside */
} JsonValue;

/* Checks all of the text, which is changed as strings are taken out of it. 0, or -EBADMSG when it
 * is anything but one JSON value. */
int json_scan(char *text, JsonValue *ret);

/* Walks the values in a container, once. *ret_name: of a member of an object. False at the end. */
typedef struct JsonWalk {
    char *at;
    bool has_names;
} JsonWalk;
JsonWalk json_walk(const JsonValue *container);
bool json_next(JsonWalk *w, char **ret_name, JsonValue *ret);

/* How many there are; to be asked before they are walked. */
size_t json_count(const JsonValue *container);
