#pragma once

#include "common/macro.h"

/* Room on the file system of a folder. 0 or -errno. */
int disk_space_free(const char *dir, uint64_t *ret_bytes);

/* Whether it lies in memory, and is gone with the machine's next start. */
bool disk_is_memory(const char *dir);
