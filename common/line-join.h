#pragma once

#include "common/log-file.h"

/* Puts together the lines of a log, in which those of several streams may lie mixed. A line ends at
 * \n or \r; what follows a \r at once as \n belongs to the same end. */

#define LINE_JOIN_MAX (64 * KIB) /* bytes of a line that are waited for; then it comes in parts */

typedef enum LineEnd {
    LINE_END_NONE,   /* it goes on: it was too long, or there is nothing more */
    LINE_END_RETURN, /* \r */
    LINE_END_FEED,   /* \n */
} LineEnd;

typedef struct JoinedLine {
    LogStream stream;
    uint64_t time_usec; /* of its first byte; 0 = not known */
    const char *text;   /* not NUL-terminated */
    size_t size;
    bool goes_on; /* with the line whose parts have come before */
    LineEnd end;
} JoinedLine;

/* Gets each line; other than 0 ends what is under way. */
typedef int (*LineJoinFunc)(void *arg, const JoinedLine *line);

typedef struct LineJoinPart {
    char *data; /* LINE_JOIN_MAX bytes, made with the first one */
    size_t size;
    bool goes_on;      /* parts of the line have been handed on */
    bool after_return; /* a \n now belongs to the end that was handed on */
    uint64_t time_usec;
} LineJoinPart;

/* All zero but func and arg is one that has seen nothing. */
typedef struct LineJoin {
    LineJoinFunc func;
    void *arg;
    LineJoinPart parts[LOG_STREAM_LONGRUN + 1]; /* of each stream */
} LineJoin;

/* Takes bytes of one stream. 0, -ENOMEM, or what func gave. A \n behind a \r that was handed on
 * comes as an empty line that goes on. */
int line_join_put(LineJoin *j, LogStream stream, uint64_t time_usec, const char *data, size_t size);

/* Hands on lines that have not ended. */
int line_join_flush(LineJoin *j);

void line_join_done(LineJoin *j);
