#pragma once

#include "common/macro.h"

/* Puts down what went wrong, unless that is done already: the first one is the cause. Gives r back.
 */
int download_error(char **ret_error, int r, const char *format, ...) _printf_(3, 4);
