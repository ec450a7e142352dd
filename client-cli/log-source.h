#pragma once

#include "common/log-index.h"

/* Reads a log from its files, in pieces that are of one stream and one time each, as far as the
 * index tells. */

#define LOG_SOURCE_BUFFER (128 * KIB) /* stays in the cache of one core */

#define LOG_STREAM_BIT(stream) (1u << (stream))
#define LOG_STREAMS_ALL (~0u)

typedef struct LogPiece {
    const char *data;
    size_t size;
    uint64_t offset;
    LogStream stream;
    uint64_t time_usec; /* 0 = not known */
    /* Bytes before it that are not there any more; and whether a line of the log, which has come
     * before, says so. */
    uint64_t left_out;
    bool left_out_told;
} LogPiece;

typedef struct LogSource {
    int log_fd;
    int index_fd;     /* owned, as log_fd is; negative: every piece is LOG_STREAM_UNKNOWN */
    unsigned streams; /* LOG_STREAM_BIT() of those that are wanted; others are passed over */
    uint64_t offset;  /* of the next byte */
    uint64_t end;     /* goes no further */
    LogIndex index;
    char *buffer; /* LOG_SOURCE_BUFFER bytes, made with the first read */
    size_t at, size;
    bool in_mark; /* what is in the buffer is the line at the gap */
    uint64_t left_out;
    bool left_out_told;
} LogSource;

#define LOG_SOURCE_NONE                                                                            \
    { .log_fd = -EBADF, .index_fd = -EBADF, .streams = LOG_STREAMS_ALL, .end = UINT64_MAX }

/* Gives the next piece, which is valid until the next call: 1; 0 when there is nothing more by
 * now; or -errno. A piece without bytes tells of a gap alone. */
int log_source_read(LogSource *s, LogPiece *ret);

/* Closes the files. */
void log_source_done(LogSource *s);
