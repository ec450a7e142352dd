#pragma once

#include "common/macro.h"

/* The size of a terminal, "COLUMNSxROWS" in texts: "80x24". */
typedef struct TerminalSize {
    uint16_t columns, rows; /* at least 1 */
} TerminalSize;

#define TERMINAL_SIZE_DEFAULT "80x24"
#define TERMINAL_SIZE_MAX 12 /* bytes of the longest, with the NUL */

/* 0, -EINVAL for a text that is none, or -ERANGE for a number that is not from 1 to 65535. */
int terminal_size_parse(const char *s, TerminalSize *ret);
