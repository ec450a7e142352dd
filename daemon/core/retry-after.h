#pragma once

#include "common/macro.h"

/* The times of HTTP (RFC 9110). Pure: the clock is passed in. */

/* A date as servers write it (section 5.6.7), "Sun, 06 Nov 1994 08:49:37 GMT" and the two obsolete
 * forms, as CLOCK_REALTIME microseconds; 0 when it is none, or one before 1970. now: for years of
 * two digits. */
uint64_t http_date_parse(const char *text, uint64_t now_usec);

/* Microseconds from now until one may ask again, by the value of Retry-After (section 10.2.3), a
 * number of seconds or a date; max_usec at most, 0 when there is none (NULL), or what is no such
 * value. date: the header Date of the same answer, NULL when there is none: the server means its
 * own clock. now_usec: CLOCK_REALTIME, for servers that do not say theirs. */
uint64_t retry_after_usec(const char *value, const char *date, uint64_t now_usec,
                          uint64_t max_usec);
