#pragma once

#include <errno.h>

#include "common/macro.h"

/* Defines NAME_to_string() and NAME_from_string() over a table of strings indexed by a closed enum.
 * to_string gives NULL for a value outside the table, from_string -EINVAL for an unknown word. */
#define DEFINE_STR_TABLE(name, type, table)                                                        \
    const char *name##_to_string(type value) {                                                     \
        return (size_t)value < ELEMENTSOF(table) ? table[value] : NULL;                            \
    }                                                                                              \
    type name##_from_string(const char *s) {                                                       \
        for (size_t i = 0; s && i < ELEMENTSOF(table); i++)                                        \
            if (table[i] && streq(table[i], s))                                                    \
                return (type)i;                                                                    \
        return (type)-EINVAL;                                                                      \
    }
