#pragma once

#include "common/macro.h"

/* What a program printed, made fit for a D-Bus string and a label: escape sequences (ECMA-48 CSI,
 * OSC and the two-byte ones) and control characters are dropped, a tab stays, invalid UTF-8 becomes
 * U+FFFD. Fresh string, NULL when memory is short. A text over max bytes is cut and ends in "…". */
char *text_clean(const char *data, size_t size, size_t max);

bool utf8_is_valid(const char *s);
