#pragma once

#include "client-cli/command.h"

/* Builds the parameters of a built-in kind, a JSON object, from --params and --param. A value that
 * is JSON is taken as such, any other is a string. Fresh string; NULL in *ret when neither option
 * was given. 0, or EXIT_USAGE after a message. */
int params_build(const Invocation *inv, char **ret);
