#pragma once

#include <cjson/cJSON.h>
#include <systemd/sd-bus.h>

#include "common/cleanup.h"
#include "common/macro.h"

/* D-Bus values as JSON, and JSON on stdout. */

static inline void cJSON_Deletep(cJSON **p) {
    cJSON_Delete(*p);
}

#define _cleanup_json_ _cleanup_(cJSON_Deletep)

/* Reads the next complete value of the message: dictionaries with string keys become objects,
 * structures and other arrays become arrays. 0, -ENXIO at the end of what can be read, or another
 * -errno. *ret is the caller's to delete. */
int json_read_bus(sd_bus_message *m, cJSON **ret);

/* Makes the task ready for people's programs: its property names ("CreatedAt") become the keys of a
 * listed task ("created-at"), params the object that they are, null when there are none, each of
 * the attempts an object, too. */
void json_tidy_task(cJSON *task);

/* Values of an object; what is missing or of another type is "", 0, -1. */
const char *json_string(const cJSON *object, const char *key);
uint64_t json_u64(const cJSON *object, const char *key);
int32_t json_i32(const cJSON *object, const char *key); /* 0 */
bool json_is_true(const cJSON *object, const char *key);
double json_double(const cJSON *object, const char *key);

uint64_t json_to_u64(const cJSON *value); /* of the value itself */

/* A number with all of its digits, and nothing but digits. */
cJSON *json_new_u64(uint64_t value);

/* What is JSON as it was written, with all digits of its numbers, but on one line; any other text
 * as a string. */
cJSON *json_new_embedded(const char *text);

/* The same on one line, at once: for those who read along. */
void json_print_line(const cJSON *value);
/* Prints it, indented, with a line feed. EXIT_SUCCESS. */
int json_print(const cJSON *value);
/* An object with this number alone. EXIT_SUCCESS. */
int json_print_number(const char *key, uint32_t n);
