#pragma once

#include <sys/types.h>

#include "common/journal-lines.h"
#include "common/log-file.h"
#include "daemon/shim/shim-control.h"
#include "daemon/shim/shim-end.h"
#include "daemon/shim/shim-guard.h"
#include "daemon/shim/shim-notify.h"
#include "daemon/shim/shim-order.h"
#include "daemon/shim/shim-output.h"
#include "daemon/shim/shim-procs.h"
#include "daemon/shim/shim-progress.h"
#include "daemon/shim/shim-report.h"
#include "daemon/shim/shim-stdin.h"
#include "daemon/shim/shim-stop.h"
#include "daemon/shim/shim-usage.h"
#include "daemon/shim/shim.h"

/* All of a shim: what shim-begin.c, shim-life.c and shim.c share, and nobody else includes. */

typedef struct Shim {
    const ShimStart *start;
    ShimControl control;
    ShimStdin in;
    ShimOutput out, err;
    int terminal_fd; /* the command's side, see shim_terminal_open(); negative: there is none */
    ShimOrder order; /* of those two */
    char *log_dir;
    LogFile log;
    JournalLines *journal; /* NULL: none */
    ShimNotify notify;
    ShimProgress progress;
    ShimReport report;
    ShimUsage usage;
    ShimProcs procs;
    ShimStop stop;
    ShimGuard guard;
    bool paused;            /* what was ordered */
    bool awaits_paused;     /* and is not yet so */
    unsigned noted_changes; /* of progress and status; see shim_check() */
    uint64_t noted_bytes;
    pid_t main_pid; /* 0 before the command was executed and after it has ended */
    bool running;   /* there is, or may be, a process of the task */
    ShimEnd end;
} Shim;

/* Reads the job and executes the command; *ret_step as of shim_spawn(). */
int shim_begin(Shim *s, const char **ret_step);

/* Takes note of the processes that have ended. */
void shim_reap(Shim *s);

/* Both take in what has come and give whether, and why, it asks for the end of the task. */
ShimReason shim_read_signals(Shim *s);
ShimReason shim_read_orders(Shim *s);

/* Begins to end the task, unless it is being ended already, or no process is left. */
void shim_stop(Shim *s, ShimReason reason);

/* Holds the task against its limits; once before each wait. */
void shim_check(Shim *s, uint64_t now);

/* Lets the processes stop or go on. */
void shim_pause(Shim *s, bool pause);

/* What shim_procs_pause() and shim_procs_populated() wait for may be so now. */
void shim_on_cgroup_event(Shim *s);
