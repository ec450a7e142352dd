#pragma once

#include "client-cli/command.h"
#include "client-cli/json.h"

/* Builds the parameters of a built-in kind, a JSON object, from --params and --param. A value that
 * is JSON is taken as such, any other is a string. Fresh string; NULL in *ret when neither option
 * was given. 0, or EXIT_USAGE after a message. */
int params_build(const Invocation *inv, char **ret);
/* The same as an object, which is empty when neither option was given. */
int params_read(const Invocation *inv, cJSON **ret);

/* Sets one of them, whatever it was before. Takes the value. */
void params_set(cJSON *params, const char *name, cJSON *value);
/* Sets "headers" to an object of those that OPT_HEADER has, "Name: value" each, unless there are
 * none. 0, or EXIT_USAGE after a message. */
int params_set_headers(const Invocation *inv, cJSON *params);
