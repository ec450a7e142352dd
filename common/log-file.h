#pragma once

#include "common/macro.h"

/* A task's log on disk, as its one writer (the shim, or the pool thread) sees it: <dir>/<id>.log
 * holds the raw bytes in the order in which they came, <dir>/<id>.idx says when and from which
 * stream. The index is a row of LogIndexEntry, sorted by offset; an entry holds up to the next one.
 */

typedef enum LogStream {
    LOG_STREAM_STDOUT = 1,
    LOG_STREAM_STDERR = 2,
    LOG_STREAM_LONGRUN = 3, /* what Longrun itself has to say in the log */
} LogStream;

const char *log_stream_to_string(LogStream stream);

typedef struct LogIndexEntry {
    uint64_t time_usec; /* CLOCK_REALTIME */
    uint64_t where;     /* offset in the log, shifted left by 8, and the stream */
} LogIndexEntry;

static inline uint64_t log_index_entry_offset(const LogIndexEntry *e) {
    return e->where >> 8;
}

static inline LogStream log_index_entry_stream(const LogIndexEntry *e) {
    return (LogStream)(e->where & 0xff);
}

/* Path of a task's log (ending ".log") or index (".idx"). -ENAMETOOLONG when it does not fit. */
int log_file_path(char *buf, size_t size, const char *dir, uint64_t id, const char *ending);

typedef struct LogFile {
    const char *dir; /* not owned */
    uint64_t id;
    uint64_t max; /* bytes kept; what comes after is dropped, and the log says so */
    int fd, index_fd;
    uint64_t size;    /* bytes in the log */
    uint64_t dropped; /* bytes that came and were not kept */
    bool full;        /* max was reached, and the log says so */
    int error;        /* -errno of the last write that failed, or 0 */
    LogStream last_stream;
    uint64_t last_time_usec;
} LogFile;

/* Nothing is created before the first byte comes: most short tasks print nothing. */
void log_file_init(LogFile *f, const char *dir, uint64_t id, uint64_t max);
void log_file_done(LogFile *f);

/* Appends bytes that came at the given time. What cannot be kept (cap, full disk) is counted in
 * dropped and, for a failing disk, noted in error; the task goes on. */
void log_file_append(LogFile *f, LogStream stream, uint64_t time_usec, const void *data,
                     size_t size);
