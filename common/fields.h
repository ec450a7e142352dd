#pragma once

#include "common/macro.h"

/* Messages of lines KEY=VALUE, as in sd_notify(3): what shim, worker and daemon say to each other.
 */

#define FIELDS_MAX (8 * KIB) /* the largest message, bytes */

typedef struct Fields {
    char data[FIELDS_MAX];
    size_t size;
} Fields;

/* Adds a line. A line feed inside the value becomes a space; a value too long for what is left of
 * the message is cut at a UTF-8 boundary. A line for which not even its key fits is left out. */
void fields_add(Fields *f, const char *key, const char *value);
void fields_addf(Fields *f, const char *key, const char *format, ...) _printf_(3, 4);

/* Walks a NUL-terminated message, changing it in place: gives the next line's key and value, false
 * at the end. Lines without '=' are passed over. *cursor starts at the first byte. */
bool fields_next(char **cursor, const char **ret_key, const char **ret_value);
