#pragma once

#include "daemon/exec/exec-thread.h"

/* A thread executor on a loop of its own, and jobs whose events are written down as lines:
 * "started", "progress 1/3", "phase scan", "status text", "log 12", "reason text", "message text",
 * and at last "ended succeeded 0 text". */

typedef struct ThreadRig ThreadRig;

typedef struct RigJob {
    ThreadRig *rig;
    ExecJob *job; /* NULL once it has ended */
    char **events;
    size_t n_events;
    uint64_t log_dropped;
    int log_error;
    uint64_t cpu_usec;
    /* Called with each line, before the next one comes. */
    void (*hook)(struct RigJob *j, const char *event);
} RigJob;

struct ThreadRig {
    sd_event *event;
    ThreadExecutor *executor;
    unsigned active;
};

void thread_rig_setup(ThreadRig *rig);
void thread_rig_teardown(ThreadRig *rig);

/* Starts a kind with the run function; its log and result go to unit_dir. *j may hold a hook. */
void thread_rig_start(ThreadRig *rig, RigJob *j, const Kind *kind, const ThreadJobSpec *options);
/* Runs the loop until every job has ended; fails the test when that takes too long. */
void thread_rig_run(ThreadRig *rig);

void rig_job_expect(const RigJob *j, const char *const *events); /* NULL at the end */
const char *rig_job_last(const RigJob *j);
void rig_job_done(RigJob *j);
