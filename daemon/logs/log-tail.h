#pragma once

#include "daemon/core/log-line.h"

/* Follows the log of a running task and cuts what is new into lines: those of stdout and stderr
 * each by themselves, although the bytes lie mixed in the file. Memory and work per call are
 * bounded; of a burst the newest part is read, the rest is passed over. */

#define LOG_TAIL_BURST_MAX (64 * KIB) /* bytes read a call */
#define LOG_TAIL_LINES_MAX 500        /* lines given a call */
#define LOG_TAIL_LINE_MAX (4 * KIB)   /* bytes of a line's text */

typedef struct LogTail LogTail;

LogTail *log_tail_new(const char *dir, uint64_t id); /* NULL when memory is short */
LogTail *log_tail_free(LogTail *t);                  /* NULL-safe, gives NULL */

/* What lies before the offset is known already. For a tail that has not read yet. */
void log_tail_skip(LogTail *t, uint64_t offset);

/* Gives the lines that are complete since the last call, when the log now has size bytes; at the
 * end (final) an unfinished one too. They may be none. 0 or -errno; the caller calls
 * log_lines_done(). */
int log_tail_read(LogTail *t, uint64_t size, bool final, LogLines *ret);
