#pragma once

#include "common/macro.h"

/* The result of a task: a JSON text in the file "result" of its runtime folder. */

#define RESULT_FILE_NAME "result"

/* Path of the file in the folder. -ENAMETOOLONG when it does not fit. */
int result_file_path(char *buf, size_t size, const char *runtime_dir);

/* Writes it whole or not at all. 0 or -errno. */
int result_file_write(const char *runtime_dir, const char *json);

/* The error is one of reading, of a moment or for good: it says nothing about what is in the file.
 */
bool result_file_may_be_good(int error);

/* Looks at what a task left. 1: a JSON text within max bytes; 0: nothing there; -EFBIG: too large;
 * -EBADMSG: no JSON; or another -errno. What is not good is deleted. */
int result_file_check(const char *runtime_dir, uint64_t max);

/* Reads the result, and leaves it there. 0 and a string that the caller frees, or -errno. */
int result_file_read(const char *runtime_dir, uint64_t max, char **ret);
