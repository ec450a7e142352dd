#pragma once

#include <signal.h>

#include "common/macro.h"

/* What comes on stdin where it stays open: the params in the first line, and a message in each one
 * after it. */
typedef struct WorkerInput {
    int fd;     /* negative: there is no more to come */
    char *data; /* read, and not taken yet; owned */
    size_t size, room;
} WorkerInput;

void worker_input_done(WorkerInput *in);

/* Takes a line of up to max bytes, a longer one is cut; a line without its end is one at the end of
 * file. 0 and the text, owned by the caller; -EAGAIN when none is there in whole; or -ENOMEM. */
int worker_input_take(WorkerInput *in, size_t max, char **ret);

/* Waits for something to be there and reads it, till the time (CLOCK_MONOTONIC, microseconds) is
 * over or a signal comes; while_waiting as in ppoll(2). */
void worker_input_wait(WorkerInput *in, uint64_t deadline_usec, const sigset_t *while_waiting);
