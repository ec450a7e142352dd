#pragma once

#include "common/log-file.h"

/* A line of a task's log as clients are told of it. */
typedef struct LogLine {
    uint64_t time_usec;
    LogStream stream;
    char *text; /* owned; UTF-8 without escape sequences */
} LogLine;

typedef struct LogLines {
    uint64_t offset; /* of the first line, in the log */
    LogLine *lines;
    size_t count;
} LogLines;

void log_lines_done(LogLines *l);
