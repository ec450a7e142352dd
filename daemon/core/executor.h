#pragma once

#include <errno.h>
#include <sys/types.h>

#include "common/macro.h"
#include "daemon/core/stdin-write.h"
#include "daemon/core/task.h"

/* The one face of everything that carries out tasks: a thread of the pool or a shim. A job reports
 * through ExecEvents, from the loop, never from within the call that started or cancelled it.
 * `ended` comes exactly once and last; nothing of the task runs any more then, and the job is to be
 * freed (also from within `ended`). */

typedef struct ExecOutcome {
    TaskState state;      /* final */
    int exit_code;        /* -1 = none */
    int exit_signal;      /* 0 = none */
    const char *message;  /* how it ended, in words; not owned, valid during the call */
    uint64_t log_dropped; /* bytes of output that were not kept */
    TaskUsage usage;      /* 0 where not known */
    int log_error;        /* -errno of writing the log, or 0 */
    bool left_no_files;   /* it has never had a runtime folder */
    bool never_started;   /* one that was taken up; there is no trace of it (state: interrupted) */
} ExecOutcome;

typedef struct ExecEvents {
    void (*started)(void *userdata, pid_t pid); /* pid 0: on a thread */
    void (*progress)(void *userdata, const ProgressNews *news);
    void (*phase)(void *userdata, const char *phase);
    void (*status)(void *userdata, const char *text);
    void (*log_grew)(void *userdata, uint64_t size);
    void (*reason)(void *userdata, const char *text);
    void (*paused)(void *userdata, bool paused); /* its processes are stopped, or go on */
    void (*usage)(void *userdata, const TaskUsage *usage);
    /* So many bytes were written to its stdin; UINT64_MAX: it is not known any more */
    void (*stdin_size)(void *userdata, uint64_t size);
    void (*message)(void *userdata, const char *text); /* for the parent; one line of UTF-8 */
    void (*ended)(void *userdata, const ExecOutcome *outcome);
} ExecEvents;

typedef struct ExecJob ExecJob;

typedef struct ExecJobVTable {
    void (*cancel)(ExecJob *job);
    int (*kill)(ExecJob *job, int signal);  /* 0, -EOPNOTSUPP when there is no process */
    int (*pause)(ExecJob *job, bool pause); /* the same; events->paused tells when it is done */
    int (*send)(ExecJob *job, const char *text);
    int (*write)(ExecJob *job, StdinWrite *w); /* NULL: there is no stdin to write to */
    void (*drop_write)(ExecJob *job, StdinWrite *w);
    void (*free)(ExecJob *job);
} ExecJobVTable;

struct ExecJob {
    const ExecJobVTable *vtable;
    const ExecEvents *events; /* not owned */
    void *userdata;           /* not owned */
};

/* Asks for the end; again does nothing. The end may still be a success: then the cancel came too
 * late. */
static inline void exec_job_cancel(ExecJob *job) {
    job->vtable->cancel(job);
}

static inline int exec_job_kill(ExecJob *job, int signal) {
    return job->vtable->kill(job, signal);
}

static inline int exec_job_pause(ExecJob *job, bool pause) {
    return job->vtable->pause(job, pause);
}

/* A message to the task, a line of up to MESSAGE_MAX bytes. 0; -ENOBUFS when MESSAGE_QUEUE_MAX are
 * there that it has not taken; -EOPNOTSUPP when it is one that takes none, -EPIPE when it takes
 * none any more; -ESRCH when it is over. */
static inline int exec_job_send(ExecJob *job, const char *text) {
    return job->vtable->send(job, text);
}

/* Writes to its stdin, behind all messages and bytes that came before. 1: it is done; 0: it waits
 * for room, and w->done() is called later, at the latest when the job is freed; or -errno as of
 * stdin_write_error(). */
static inline int exec_job_write(ExecJob *job, StdinWrite *w) {
    return job->vtable->write ? job->vtable->write(job, w) : -EOPNOTSUPP;
}

/* Of one that waits: what was not sent of it is dropped, and done() is not called. */
static inline void exec_job_drop_write(ExecJob *job, StdinWrite *w) {
    job->vtable->drop_write(job, w);
}

/* Whatever still comes of the job is of no interest any more. It is not freed. */
void exec_job_abandon(ExecJob *job);

/* Of a job that has ended. NULL-safe, gives NULL. */
static inline ExecJob *exec_job_free(ExecJob *job) {
    if (job)
        job->vtable->free(job);
    return NULL;
}
