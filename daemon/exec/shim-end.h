#pragma once

#include "daemon/core/executor.h"

/* How a command ended, as its shim told, turned into a final state, codes and words. Pure. */

typedef struct ShimEnd {
    int exit_code;   /* -1 = none */
    int exit_signal; /* 0 = none */
    int exec_errno;  /* 0 = it was executed */
    char exec_step[16];
    /* Why it was stopped before the end of its last process: at most one of three. */
    bool cancelled;
    bool stopped;           /* its shim got a signal to end */
    char limit[16];         /* name of the option; "" = none was reached */
    uint64_t limit_reached; /* the value then, in the limit's unit; 0 = not known */
    bool killed;            /* SIGKILL was needed */
    bool lost;              /* the shim died before it could tell */
    bool never_made;        /* there was no shim, and there will not be one */
    uint64_t log_dropped;
    int log_errno;
    TaskUsage usage;
} ShimEnd;

/* Limits as they were asked for, 0 = none: what the words about them need. */
typedef struct ShimLimits {
    uint64_t stop_timeout_usec;
    uint64_t timeout_usec, idle_timeout_usec;
    uint64_t memory_max; /* bytes */
    uint64_t pids_max;
} ShimLimits;

typedef struct ShimEndContext {
    const char *program; /* argv[0] */
    const char *cwd;
    const char *stdin_file; /* NULL or "": none */
    bool isolated;          /* a longrun-worker: its exit status says how the kind ended */
    bool in_unit;           /* it ran in longrun-tasks.service */
    ShimLimits limits;
    const char *final_message; /* the kind's own last words, or NULL */
} ShimEndContext;

/* Fills in the outcome; its message is put into buf. */
void shim_end_to_outcome(const ShimEnd *end, const ShimEndContext *context, char *buf, size_t size,
                         ExecOutcome *ret);
