#pragma once

#include "daemon/kinds/task-context.h"
#include "daemon/worker/worker-input.h"
#include "daemon/worker/worker-notify.h"

/* The TaskContext of a process of its own: progress, status and the closing words go to
 * NOTIFY_SOCKET, log lines to stdout and stderr, the result to a file; SIGTERM and SIGINT are the
 * cancel. One in a process. */
typedef struct WorkerContext {
    TaskContext context;
    WorkerNotify notify;
    WorkerInput *input;      /* messages to the task; not owned */
    const char *result_path; /* not owned; NULL: the result is printed to stdout */
    uint64_t result_max;     /* bytes */
    char *message;           /* the closing words so far, or NULL */

    /* The last progress, and when the next one may go out (CLOCK_MONOTONIC). */
    uint64_t done, total;
    bool bytes, ever_bytes;
    bool progress_pending;
    uint64_t progress_due_usec;
} WorkerContext;

/* Takes the signals over. notify_address may be NULL: then the closing words go to stderr. input,
 * where messages come, outlives the context. */
void worker_context_init(WorkerContext *w, const char *notify_address, WorkerInput *input,
                         const char *result_path, uint64_t result_max);
/* Sends what is still held back, and the closing words: those of the kind, or for an error r
 * without any, the error's. */
void worker_context_conclude(WorkerContext *w, int r);
void worker_context_done(WorkerContext *w);
