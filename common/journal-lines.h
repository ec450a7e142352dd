#pragma once

#include "common/log-file.h"

/* A task's output on its way to the journal, line by line, in journald's native protocol: MESSAGE,
 * PRIORITY (6 for stdout, 4 for stderr), SYSLOG_IDENTIFIER, TASK_ID, TASK_LABEL and TASK_STREAM.
 *
 * A line is what a terminal would show of it at its end: without escape sequences, and of what was
 * written over after carriage returns only the last; an empty one is left out. Nothing is queued,
 * and the command hardly waits: what journald does not take in time, or comes faster than
 * JOURNAL_RATE, is counted. */

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define JOURNAL_LINE_MAX (4 * KIB) /* bytes; a longer one is cut into several */
/* Lines at once, and as many a second after that. */
#define JOURNAL_RATE 10000
/* A burst has more lines than the socket has room for, and journald reads them as soon as it gets
 * the CPU. So it is waited for: a twentieth of the time, and so long at once. */
#define JOURNAL_WAIT_SHARE 20
#define JOURNAL_WAIT_MAX_USEC INT64_C(100000)

typedef struct JournalLines JournalLines;

typedef struct JournalTask {
    const char *socket; /* JOURNAL_SOCKET, but in tests */
    uint64_t id;
    const char *label, *identifier; /* as people see them; cleaned here */
} JournalTask;

/* 0, or -errno: there is no journal. Nothing of task is kept. */
int journal_lines_new(JournalLines **ret, const JournalTask *task);

/* Sends the line that has not ended, and how many were refused. NULL-safe, gives NULL. */
JournalLines *journal_lines_free(JournalLines *j);

/* Output as it comes, of LOG_STREAM_STDOUT or LOG_STREAM_STDERR. NULL-safe. */
void journal_lines_feed(JournalLines *j, LogStream stream, const char *data, size_t size);
