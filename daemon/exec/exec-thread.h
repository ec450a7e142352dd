#pragma once

#include <systemd/sd-event.h>

#include "daemon/core/executor.h"
#include "daemon/exec/start-trace.h"
#include "daemon/kinds/kind.h"

/* Runs built-in kinds on the thread pool. */

typedef struct ThreadExecutor ThreadExecutor;

int thread_executor_new(ThreadExecutor **ret, sd_event *event);
/* Waits for kinds at work. NULL-safe, gives NULL. */
ThreadExecutor *thread_executor_free(ThreadExecutor *x);

typedef struct ThreadJobSpec {
    uint64_t id;
    const Kind *kind;        /* not owned, outlives the job */
    const char *params;      /* JSON object; "" = {} */
    const char *log_dir;     /* not owned, outlives the job */
    const char *runtime_dir; /* of this task, copied */
    const char *journal;     /* socket of the journal, not owned; NULL: no line goes there */
    const char *label;       /* for the journal, copied */
    uint64_t log_max, result_max;
    uint64_t stop_timeout_usec; /* after that, a cancel without an answer is reported */
    bool ahead;                 /* its slot is one that is in use, see below */
    StartTrace *trace;          /* where its beginning is noted; NULL = nowhere. Not owned */
    int trace_place;
} ThreadJobSpec;

/* 0 and the job, or -errno. */
int thread_job_start(ThreadExecutor *x, const ThreadJobSpec *spec, const ExecEvents *events,
                     void *userdata, ExecJob **ret);

/* How many jobs may be at work at a time, at first any number. Those beyond wait, and each is begun
 * the moment when one of those before it has ended, without a word from the loop. To be called
 * after jobs have been started ahead. */
void thread_executor_set_slots(ThreadExecutor *x, unsigned slots);

/* Takes back a job that has not begun: true, and it is to be freed, no event comes. */
bool thread_job_take_back(ExecJob *job);
