#pragma once

#include "daemon/exec/executor.h"

/* How a command ended, as its shim told, turned into a final state, codes and words. Pure. */

typedef struct ShimEnd {
    int exit_code;   /* -1 = none */
    int exit_signal; /* 0 = none */
    int exec_errno;  /* 0 = it was executed */
    char exec_step[16];
    bool cancelled; /* the cancel came before the end of the last process */
    bool killed;    /* SIGKILL was needed */
    bool lost;      /* the shim died before it could tell */
    uint64_t log_dropped;
    int log_errno;
} ShimEnd;

typedef struct ShimEndContext {
    const char *program; /* argv[0] */
    const char *cwd;
    bool isolated; /* a longrun-worker: its exit status says how the kind ended */
    uint64_t stop_timeout_usec;
    const char *final_message; /* the kind's own last words, or NULL */
} ShimEndContext;

/* Fills in the outcome; its message is put into buf. */
void shim_end_to_outcome(const ShimEnd *end, const ShimEndContext *context, char *buf, size_t size,
                         ExecOutcome *ret);
