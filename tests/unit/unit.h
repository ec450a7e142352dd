#pragma once

#include <check.h>
#include <stdlib.h>

#include "common/macro.h"

/* What the unit tests share. */

/* ck_assert() writes to a file each time, also where all is well: too slow in long loops, and not
 * possible while a test limits the size of files. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg("%s", #condition);                                                        \
    } while (false)

/* Runs the suite and gives the exit status of the program. */
int unit_run(Suite *suite);

/* Gives each test of the case a folder of its own, which is gone when the case has ended, well or
 * not. */
void unit_use_dir(TCase *t);
extern char unit_dir[64];

/* Path of a file in the folder, for the moment: there are eight of them. */
const char *unit_path(const char *name);

void unit_write(const char *name, const void *data, size_t size);
/* What is in the file, NUL-terminated; the caller frees it. */
char *unit_read(const char *name, size_t *ret_size);
bool unit_exists(const char *name);
