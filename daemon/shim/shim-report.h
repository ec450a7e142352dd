#pragma once

#include <sys/types.h>

#include "common/log-file.h"
#include "daemon/shim/shim-control.h"
#include "daemon/shim/shim-notify.h"
#include "daemon/shim/shim-progress.h"
#include "daemon/shim/shim-stdin.h"
#include "daemon/shim/shim-usage.h"

/* What the daemon is to hear while the task runs. It is kept as a state, not as a queue: a daemon
 * that does not read costs no memory, and gets the newest of each when it reads again; the next
 * daemon gets all of it. Times are CLOCK_MONOTONIC, microseconds. */
typedef struct ShimReport {
    pid_t pid;     /* of the command; 0: it was not executed yet */
    int survivors; /* of the command; 0: none, or it has not ended */
    bool paused;
    bool tell_started, tell_survivors, tell_paused;
    uint64_t told_size;                    /* of the log; UINT64_MAX: not told */
    uint64_t log_due_usec, words_due_usec; /* not before; 0 for the first */
    uint64_t messages_due_usec;
    const LogFile *log;     /* not owned */
    ShimNotify *notify;     /* not owned */
    ShimProgress *progress; /* not owned */
    ShimStdin *in;          /* not owned */
    ShimUsage *usage;       /* not owned */
} ShimReport;

void shim_report_started(ShimReport *r, pid_t pid);
void shim_report_survivors(ShimReport *r, int n);
void shim_report_paused(ShimReport *r, bool paused);

/* Everything is to be told, at once, to somebody who knows nothing. */
void shim_report_retell(ShimReport *r);

/* When shim_report_send() will have something to send: 0 at once, USEC_INFINITY nothing to come. */
uint64_t shim_report_due(const ShimReport *r);

/* Sends what is due, in one message. What finds no room stays to be sent. */
void shim_report_send(ShimReport *r, ShimControl *control, uint64_t now);

/* Sends all that is left to tell; waits for room, see shim_control_send_wait(). */
void shim_report_rest(ShimReport *r, ShimControl *control, int signal_fd);
