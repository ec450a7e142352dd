#pragma once

#include "common/macro.h"

/* What keys do to a program that looks on at a task. Both may be called again, with another text,
 * and work at any moment, also while stdout takes nothing. Where the signal is ignored, as in a
 * script's background job, it stays so. */

/* From here on Ctrl-C prints the text on stderr and ends the program with status 130. */
void interrupt_say(const char *format, ...) _printf_(1, 2);

/* From here on Ctrl-Z prints the text on stderr, and then stops the program as ever. */
void suspend_say(const char *format, ...) _printf_(1, 2);

/* In a child process: the keys end and stop it as ever, and the parent alone says what it says. */
void interrupt_say_nothing(void);
