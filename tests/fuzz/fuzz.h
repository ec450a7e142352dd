#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "common/macro.h"

/* What the fuzz targets share. Each is a function that libFuzzer calls with whatever it thinks of;
 * without it, fuzz-main.c calls it with the files of the corpus. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program where the code has broken its word, so that a fuzzer takes note. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (false)
