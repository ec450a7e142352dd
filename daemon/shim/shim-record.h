#pragma once

#include "common/fields.h"

/* The exit record, a task's last word. Its file is made, with room on disk for the whole of it,
 * before the task begins: whatever is full at the end, the record is written. */

/* The file is locked for as long as the descriptor, or a copy that a fork made, is open: who finds
 * the lock free knows that there is no shim. Owned by the caller; -errno on failure. */
int shim_record_create(const char *path);

/* Shows the calling process as the one that holds the file. To be called after the fork, once. */
void shim_record_hold(int fd);

/* Writes the text and gives the file its final name. 0 or -errno. */
int shim_record_write(int fd, const char *from, const char *to, const Fields *text);
