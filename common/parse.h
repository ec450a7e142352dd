#pragma once

#include "common/macro.h"

/* Numbers, time spans and sizes as people write them. All give 0, -EINVAL for text that is none, or
 * -ERANGE for a value that does not fit. */

/* Decimal digits alone: no sign, no blanks, nothing behind. */
int parse_u64(const char *s, uint64_t *ret);
int parse_u32(const char *s, uint32_t *ret);
int parse_bool(const char *s, bool *ret); /* yes/no, true/false, on/off, 1/0 */

/* A time span as in systemd.time(7), "2h 30min", "1.5s", "500ms"; a number without a unit is
 * seconds; "infinity" is USEC_INFINITY. Result in microseconds. */
int parse_span(const char *s, uint64_t *ret_usec);

/* A size in bytes with an optional suffix K, M, G, T to the base 1024, "1.5G". */
int parse_size(const char *s, uint64_t *ret_bytes);

/* "42", "42%" or "0.42" as a fraction of 0 to 1, -EINVAL also for what is outside. A whole number
 * is a percentage, "1" too; "1.0" is all of it. */
int parse_fraction(const char *s, double *ret);

#define FORMAT_MAX 32

/* Both write into buf (at least FORMAT_MAX bytes) and give it back: "2h 5min", "1.2s", "3.4G". */
char *format_span(char buf[FORMAT_MAX], uint64_t usec);
char *format_size(char buf[FORMAT_MAX], uint64_t bytes);
