#pragma once

#include <glib.h>

/* The commands that were started, in a file, one a line, the oldest first. Any number of programs
 * may change it at the same time; it is for its owner's eyes alone. These calls wait for the disk:
 * they are for threads. */

#define HISTORY_LINES_MAX 200
#define HISTORY_BYTES_MAX (256 * 1024) /* of a longer file the end is read */

/* Gives the lines, the newest first; none where there is no file, or it cannot be read. */
GStrv history_file_read(const char *path);

/* Puts a line at the end, and away from where it was before. What has become too much is dropped. A
 * line that begins with a blank, is empty, or could not be read back is not kept. Gives the lines
 * as they are now. */
GStrv history_file_add(const char *path, const char *line);

/* Forgets all of them. */
void history_file_clear(const char *path);
