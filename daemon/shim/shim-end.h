#pragma once

#include "common/fields.h"
#include "common/log-file.h"

/* Why a task was stopped. */
typedef enum ShimReason {
    SHIM_REASON_NONE, /* it was not */
    SHIM_REASON_CANCELLED,
    SHIM_REASON_STOPPED,
    SHIM_REASON_LIMIT,
} ShimReason;

/* How the task ended. */
typedef struct ShimEnd {
    int exec_error;   /* -errno; 0: the command was executed */
    const char *step; /* at which that failed */
    int wait_status;  /* of the command, as from wait(2) */
    ShimReason reason;
    const char *limit; /* with SHIM_REASON_LIMIT: its name */
    uint64_t limit_reached;
    bool killed;
} ShimEnd;

/* The last message but for usage. */
void shim_end_add_fields(const ShimEnd *end, const LogFile *log, Fields *fields);
