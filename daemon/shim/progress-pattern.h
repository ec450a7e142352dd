#pragma once

#include "daemon/shim/progress-number.h"

/* The form of a line, as the table of forms writes it down:
 *
 *     blank   one or more blanks        ~    blanks, or none
 *     %p      a percentage, its sign is written behind it as %%
 *     %n %m   whole numbers: so many are done, of so many
 *     %a %b   the same as amounts, with a unit or without
 *     %x      an amount that means nothing
 *     %t      a time, as hours, minutes and seconds
 *     %l      a name: all up to what is written behind it, the first time that it comes
 *     %*      anything up to there
 *     %$      the end of the line
 *     %%      "%"
 *
 * and any other character itself. What follows behind the form does not matter. */

typedef struct ProgressMatch {
    double percent, done, total; /* negative: the form has none */
    bool bytes;                  /* done and total have a unit */
    uint64_t time_usec;          /* 0 = the form has none */
    const char *name;            /* in the line; NULL = the form has none */
    size_t name_size;
} ProgressMatch;

/* Takes time in proportion to the size of the line: nothing is tried twice. */
bool progress_pattern_match(const char *pattern, const char *line, const char *end,
                            ProgressMatch *ret);
