#pragma once

#include "client-cli/log-source.h"
#include "client-cli/sink.h"
#include "common/escape-filter.h"
#include "common/line-join.h"

/* What people see of a log: from the pieces of a source to stdout and stderr. */

typedef enum LogForm {
    LOG_FORM_BYTES, /* in the order of the log, all to stdout */
    LOG_FORM_SPLIT, /* the same, but what the task has written to stderr goes there */
    LOG_FORM_LINES, /* lines of each stream, with the time in front */
    LOG_FORM_JSON,  /* an object for each line */
} LogForm;

typedef struct LogView {
    LogForm form;
    EscapeFilterMode escapes;
    bool marks;       /* LOG_FORM_LINES: which stream it is, too */
    bool own_aside;   /* what Longrun says in the log goes to stderr */
    uint64_t unknown; /* bytes that were shown, and of which nobody knows the stream */

    /* What is below is its own. */
    EscapeFilter filters[LOG_STREAM_LONGRUN + 1]; /* of lines for each stream, else the first */
    EscapeFilter aside;                           /* of stderr */
    LineJoin join;
    Sink out, err;
    bool began;
    LineEnd ended;      /* how the last line on stdout has, */
    LogStream last;     /* and whose it is */
    uint64_t second_at; /* of which second the next two are; 0 = none */
    char second[32], zone[8];
    char stamp[64]; /* the last one; "" = none */
    uint64_t stamp_time;
    LogStream stamp_stream;
} LogView;

/* The first fields are set by the caller before, the others zero. */
void log_view_init(LogView *v);

/* Shows what the source has by now. 0, or -errno after a message; none of -EPIPE. */
int log_view_pump(LogView *v, LogSource *s);

/* Ends what is open, after the last pump. The same. */
int log_view_end(LogView *v);

void log_view_done(LogView *v);
