#pragma once

#include "common/macro.h"

/* What a program printed, made fit for a D-Bus string and a label: escape sequences (ECMA-48 CSI,
 * OSC and the two-byte ones) and control characters are dropped, a tab stays, invalid UTF-8 becomes
 * U+FFFD. Fresh string, NULL when memory is short. A text over max bytes is cut and ends in "…". */
char *text_clean(const char *data, size_t size, size_t max);

/* Bytes of the character at s, of which size are there: 1 to 4, or 0 where they are none, or one
 * that no D-Bus string may have. */
size_t utf8_size(const char *s, size_t size);

bool utf8_is_valid(const char *s);
