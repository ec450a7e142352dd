#pragma once

#include "common/macro.h"

/* A shim: the supervisor of one command. It executes the command, pumps its output into the log,
 * passes its progress on, and says how it ended, when the last process of it is gone. What it is
 * told and what it says is in common/shim-protocol.h. */

/* What the keeper gives it on its way. */
typedef struct ShimStart {
    uint64_t id;
    const char *folder;       /* of the task */
    const char *cgroup;       /* below which the task's cgroup is made; "": none */
    int spec_fd, control_fd;  /* as they came from the daemon */
    int signal_fd;            /* SIGCHLD, SIGTERM, SIGINT, SIGHUP; all signals are blocked */
    int record_fd, listen_fd; /* exit.new and control in the folder */
} ShimStart;

/* Runs in a process that the keeper has forked, and ends it: with 0 when the exit record is in
 * place. */
_Noreturn void shim_main(const ShimStart *start);
