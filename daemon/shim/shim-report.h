#pragma once

#include <sys/types.h>

#include "common/log-file.h"
#include "daemon/shim/shim-control.h"
#include "daemon/shim/shim-notify.h"

/* What the daemon is to hear while the task runs. It is kept as a state, not as a queue: a daemon
 * that does not read costs no memory, and gets the newest of each when it reads again. Times are
 * CLOCK_MONOTONIC, microseconds. */
typedef struct ShimReport {
    pid_t started;                          /* 0: nothing to tell (any more) */
    int survivors;                          /* 0: as above */
    uint64_t told_size;                     /* of the log */
    uint64_t log_due_usec, notify_due_usec; /* not before; 0 for the first */
    const LogFile *log;                     /* not owned */
    ShimNotify *notify;                     /* not owned */
} ShimReport;

/* When shim_report_send() will have something to send: 0 at once, USEC_INFINITY nothing to come. */
uint64_t shim_report_due(const ShimReport *r);

/* Sends what is due, in one message. What finds no room stays to be sent. */
void shim_report_send(ShimReport *r, ShimControl *control, uint64_t now);

/* How the task ended. */
typedef struct ShimEnd {
    int exec_error;   /* -errno; 0: the command was executed */
    const char *step; /* at which that failed */
    int wait_status;  /* of the command, as from wait(2) */
    bool cancelled, killed;
} ShimEnd;

/* Sends all that is left to tell and then the last message; waits for room for both. */
void shim_report_end(ShimReport *r, ShimControl *control, const ShimEnd *end);
