#pragma once

#include <systemd/sd-event.h>

#include "daemon/core/executor.h"
#include "daemon/exec/shim-end.h"
#include "daemon/exec/shim-spec.h"

/* Runs commands, each under a longrun-shim of its own, which a keeper makes and which outlives the
 * daemon: see common/shim-protocol.h. The executor finds the keeper that lives, has one started
 * where there is none, and takes up again the tasks of an earlier daemon. */

typedef struct ShimExecutor ShimExecutor;

typedef struct ShimExecutorEvents {
    /* A keeper is wanted, for a command waits for its start. To be answered by
     * shim_executor_use_unit(), now or later. */
    void (*need_keeper)(void *userdata);
    void (*isolation)(void *userdata); /* shim_executor_isolation() has changed */
} ShimExecutorEvents;

/* libexec_dir: where longrun-shim lies; runtime_dir: the daemon's, whose tasks have their folders
 * task-ID in it. SIGCHLD must be blocked. */
int shim_executor_new(ShimExecutor **ret, sd_event *event, const char *libexec_dir,
                      const char *runtime_dir);
/* Keeper, shims and commands go on; jobs that are left tell nothing any more, and are to be freed
 * all the same. NULL-safe, gives NULL. */
ShimExecutor *shim_executor_free(ShimExecutor *x);

/* Both events may be NULL: then a keeper is started without being asked for. Not owned. */
void shim_executor_set_events(ShimExecutor *x, const ShimExecutorEvents *events, void *userdata);

/* At the start, before tasks are taken up and the loop runs: looks for a keeper that lives, and
 * which tasks it has. 1: there is one; 0: none; or -errno when one is there that has not answered
 * within some seconds: tasks that are taken up then wait until it has. */
int shim_executor_connect(ShimExecutor *x);

/* unit: longrun-tasks.service runs and its keeper listens. Otherwise the executor starts a keeper
 * itself, and writes the reason, in words, to the journal. Does nothing where there is a keeper.
 * Until it is called, commands wait for their start. */
void shim_executor_use_unit(ShimExecutor *x, bool unit, const char *reason);

/* ISOLATION_CGROUP or ISOLATION_PROCESS_GROUP, "" as long as no keeper has said so. */
const char *shim_executor_isolation(const ShimExecutor *x);

/* isolated: the command is a longrun-worker, whose word on progress and end is its own. 0 and the
 * job, or -errno; then nothing runs and nothing will. Of a task id there is one job at a time. */
int shim_job_start(ShimExecutor *x, const ShimSpec *spec, bool isolated, const ExecEvents *events,
                   void *userdata, ExecJob **ret);

/* A task that an earlier daemon started, or was about to start. */
typedef struct ShimAdoption {
    uint64_t id;
    const char *runtime_dir; /* of this task */
    const char *program;     /* argv[0] */
    const char *cwd;
    const char *stdin_file; /* NULL or "": none */
    bool isolated;
    bool takes_messages; /* and bytes: its stdin is open */
    ShimLimits limits;   /* for the words about them: the shim has them itself */
} ShimAdoption;

/* Takes the task up: what its shim tells, tells anew, or has left in its exit record comes as
 * events, from the loop; one whose shim is lost ends as interrupted, once its processes are gone.
 * 0 and the job; -ENOENT when it was never started and never will be: there is no trace of a shim;
 * or another -errno. */
int shim_job_adopt(ShimExecutor *x, const ShimAdoption *a, const ExecEvents *events, void *userdata,
                   ExecJob **ret);

/* Before clients may ask: how much was written to the stdin of tasks that were taken up, as their
 * shims tell (ExecEvents.stdin_size). Waits for them, at most that long altogether. */
void shim_executor_learn_stdin(ShimExecutor *x, uint64_t timeout_usec);
