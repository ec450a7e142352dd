#pragma once

#include "common/gap-file.h"

/* A task's log on disk, as its one writer (the shim, or the pool thread) sees it: <dir>/<id>.log
 * holds the raw bytes in the order in which they came, <dir>/<id>.idx says when and from which
 * stream. The index is a row of LogIndexEntry, sorted by offset; an entry holds up to the next one.
 *
 * Both are bounded (common/gap-file.h). Of a log above its cap the head and the newest bytes are
 * kept; the last LOG_MARK_SIZE bytes of the head are written over with a line that says how many
 * bytes are left out, and that is brought up to date with each step. Those bytes are of the stream
 * LOG_STREAM_LONGRUN, whatever the index says. All offsets count what was left out, so that they
 * stay true for ever.
 *
 * The index of such a log has a gap of its own. Bytes whose entries fell into it have no known
 * stream; a row of NULs (where = 0) is no entry. */

typedef enum LogStream {
    LOG_STREAM_UNKNOWN = 0, /* from here on the index says nothing */
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

/* Bytes of the line in the gap, line feeds at both ends included. */
#define LOG_MARK_SIZE 96

/* Bytes of the index: an eighth of log-max, but within these. */
#define LOG_INDEX_MIN (32 * KIB)
#define LOG_INDEX_MAX (16 * MIB)

/* Path of a task's log (ending ".log") or index (".idx"). -ENAMETOOLONG when it does not fit. */
int log_file_path(char *buf, size_t size, const char *dir, uint64_t id, const char *ending);

typedef struct LogFile {
    const char *dir; /* not owned */
    uint64_t id;
    uint64_t max; /* bytes kept on disk, rounded up to GAP_FILE_BLOCKS_MIN blocks; 0 = none */
    GapFile log, index;
    uint64_t size;    /* bytes in the log, those that are left out included */
    uint64_t kept;    /* bytes of the log that are on disk, the mark included */
    uint64_t dropped; /* bytes that this writer was handed, or found, and that are not kept */
    uint64_t lost;    /* of them: those that could not be written, and that no note tells of yet */
    bool full;        /* nothing more is kept, and the log says so: no holes on this file system */
    bool index_full;  /* the same of the index */
    int error;        /* -errno of the last write that failed, or 0 */
    LogStream last_stream;
    uint64_t last_time_usec;
} LogFile;

/* Nothing is created before the first byte comes: most short tasks print nothing. A log that is
 * there already, of an attempt before, is gone on with. */
void log_file_init(LogFile *f, const char *dir, uint64_t id, uint64_t max);

/* Says in the log what nobody has been told of yet, and closes it. */
void log_file_done(LogFile *f);

/* Appends bytes that came at the given time. What cannot be kept is counted in dropped and, for a
 * failing disk, noted in error; the task goes on. When the disk takes bytes again, a line in the
 * log says how many were lost. */
void log_file_append(LogFile *f, LogStream stream, uint64_t time_usec, const void *data,
                     size_t size);
