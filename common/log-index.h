#pragma once

#include "common/log-file.h"

/* Reads the index of a log: which entry holds an offset. Most often the next one is asked for; a
 * jump is a search, so that also the first look at the end of a long log costs little. */

#define LOG_INDEX_BUFFER 64

typedef struct LogIndex {
    uint64_t position; /* in the file, of the next entry that has not been read into the buffer */
    LogIndexEntry buffer[LOG_INDEX_BUFFER];
    size_t at, count;
    LogIndexEntry run;  /* holds the offset that was asked for; where = 0: not known */
    LogIndexEntry next; /* the one behind it; where = 0: not known */
} LogIndex;

/* Finds the entry that holds the offset, and keeps it in run; one without a stream when the index
 * does not say. Offsets must not go down. Gives where what holds for the offset ends, UINT64_MAX
 * when there is nothing behind it yet. */
uint64_t log_index_seek(LogIndex *i, int fd, uint64_t offset);

/* Finds the first byte that is known to have come at the time or later, of which the index of size
 * bytes tells. 0, -ENOENT: none has; or -errno. *ret_unknown: the bytes before it of which nobody
 * knows any more when they came, for their entries were left out; most often 0. Times go by the
 * clock as it was: one that was set back meanwhile makes it a guess. */
int log_index_find_time(int fd, uint64_t time_usec, uint64_t *ret_offset, uint64_t *ret_unknown);
