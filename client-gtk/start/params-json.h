#pragma once

#include <glib.h>
#include <stdbool.h>

/* The parameters of a built-in kind as the JSON object that the daemon wants. */
typedef struct ParamsJson ParamsJson;

ParamsJson *params_json_new(void);
void params_json_free(ParamsJson *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ParamsJson, params_json_free)

/* Sinks value: numbers, booleans and strings as such, as and a{ss} as array and object. */
void params_json_add(ParamsJson *self, const char *name, GVariant *value);

/* A value that is JSON already, and was checked. */
void params_json_add_raw(ParamsJson *self, const char *name, const char *json);

/* The object in one line; to be freed with g_free(). */
char *params_json_print(ParamsJson *self);

/* The text is one JSON value and nothing else, and not nested too deeply. If not, *ret_error (to
 * be freed with g_free()) says where it goes wrong. */
bool params_json_check(const char *text, char **ret_error);

/* The same for an object. */
bool params_json_check_object(const char *text, char **ret_error);
