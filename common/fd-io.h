#pragma once

#include <sys/types.h>

#include "common/macro.h"

/* Writes all of it, over short writes and EINTR. 0 or -errno; on an error a part may have been
 * written. */
int fd_write_full(int fd, const void *data, size_t size);

/* Reads to the end of file into a fresh, NUL-terminated buffer that the caller frees. -EFBIG when
 * there are more than max bytes. */
int fd_read_all(int fd, size_t max, char **ret, size_t *ret_size);

/* Opens and reads a file (O_CLOEXEC, regular files only, no final symlink): as fd_read_all(). */
int file_read_all(const char *path, size_t max, char **ret, size_t *ret_size);

/* Creates a directory and its parents; those that it makes get the mode. An existing one is fine.
 */
int mkdir_parents(const char *path, mode_t mode);

/* A memory file that holds the bytes and is read from its start. Owned by the caller. */
int memfd_new(const char *name, const void *data, size_t size);
