#pragma once

#include "client-gtk/task/task-props.h"

/* What there is to say about a task, in words for people. All are fresh strings, "" where there is
 * nothing to say; now is in microseconds since the epoch. */

/* What it is at, or waits for, with the time that it takes: "Processing step 3 of 8 (Elapsed: 3s)".
 */
char *task_words_status(TaskProps *props, gint64 now);
/* How it ended, as the daemon says it, unless that is what its status says. */
char *task_words_end(TaskProps *props);

/* "37%", or what is counted where that has no end: "1.2 MB". */
char *task_words_percent(TaskProps *props);
/* "3 of 8", "1.2 GB of 2.7 GB". */
char *task_words_count(TaskProps *props);
/* "12.3 MB/s", "1.5/s", "3.0/min"; "" also while it stands still. */
char *task_words_rate(TaskProps *props);
/* The same for any rate; unit as the property Unit. */
char *task_words_rate_of(double rate, const char *unit);
/* "45s left, until 18:03:20" */
char *task_words_left(TaskProps *props, gint64 now);

/* "Exit code 3", "Signal 9 (SIGKILL)" */
char *task_words_exit(int code, int signal);

/* An argv as one would type it in a shell. */
char *task_words_command(const char *const *argv);
