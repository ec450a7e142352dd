#pragma once

#include <systemd/sd-event.h>

#include "daemon/exec/executor.h"
#include "daemon/exec/shim-spec.h"

/* Runs commands, each under a longrun-shim of its own. */

typedef struct ShimExecutor ShimExecutor;

/* libexec_dir: where longrun-shim lies. The process must be a subreaper (PR_SET_CHILD_SUBREAPER)
 * with SIGCHLD blocked, and have no children but what it starts here. */
int shim_executor_new(ShimExecutor **ret, sd_event *event, const char *libexec_dir);
ShimExecutor *shim_executor_free(ShimExecutor *x); /* NULL-safe, gives NULL */

/* isolated: the command is a longrun-worker, whose word on progress and end is its own. 0 and the
 * job, or -errno when no shim could be started; then nothing runs. */
int shim_job_start(ShimExecutor *x, const ShimSpec *spec, bool isolated, const ExecEvents *events,
                   void *userdata, ExecJob **ret);
