#pragma once

#include "common/macro.h"

/* Whether a text from elsewhere is JSON (RFC 8259) that can be handed on, and taken apart without
 * surprises. It is read in place, without memory of its own: of eight megabytes of "[],[],..." a
 * parser would make hundreds. */

#define JSON_TEXT_DEPTH_MAX 100 /* containers in containers */
#define JSON_TEXT_VALUES_MAX                                                                       \
    (1 << 17) /* above that nobody parses it: each takes 64 bytes or more */

/* 0: one value of valid UTF-8, without a NUL, and blanks around it; *ret_values (may be NULL) is
 * how many there are in it, with itself. -EBADMSG: it is anything else. -E2BIG: it is nested too
 * deep. */
int json_text_check(const char *text, size_t size, size_t *ret_values);
