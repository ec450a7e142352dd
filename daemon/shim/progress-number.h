#pragma once

#include "common/macro.h"

/* Numbers as programs print them for people. Each reader begins at *p, gives false when there is
 * none, and else leaves *p behind it. What is longer than a count can be is no number; nothing is
 * negative, infinite or NaN. */

typedef struct ProgressNumber {
    double value;
    double factor; /* of the unit, which value has been multiplied by; 0: it has none */
    bool whole;    /* it has no decimals */
    size_t digits; /* before them */
} ProgressNumber;

#define PROGRESS_NUMBER_MAX 9e18 /* what is larger is refused: it would not fit 64 bits */

/* "1234", "1,234,567", "1.234.567" and so on: whole, in groups of three if in groups at all. */
bool progress_number_whole(const char **p, const char *end, double *ret);

/* "42", "42.5", "42,5": no groups. */
bool progress_number_decimal(const char **p, const char *end, double *ret);

/* Any of them, with a unit behind it or not: "12.3MiB", "45 kB", "1,234", "512 bytes". A group of
 * three behind a single comma is one of thousands, behind a single point decimals. */
bool progress_number_amount(const char **p, const char *end, ProgressNumber *ret);

/* Only the unit, with blanks before it: "kB", " MiB", "G", "bytes". */
bool progress_number_unit(const char **p, const char *end, double *ret_factor);

/* "05:12", "1:05:12", "00:00:05.25": microseconds. */
bool progress_number_clock(const char **p, const char *end, uint64_t *ret_usec);

static inline bool progress_number_digit(char c) {
    return c >= '0' && c <= '9';
}
