#pragma once

#include "common/macro.h"

/* From here on Ctrl-C prints the text on stderr and ends the program with status 130. It works at
 * any moment, also while stdout takes nothing. May be called again, with another text. Where
 * SIGINT is ignored, as in a script's background job, it stays so. */
void interrupt_say(const char *format, ...) _printf_(1, 2);
