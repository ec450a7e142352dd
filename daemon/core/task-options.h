#pragma once

#include "daemon/core/task-spec.h"

/* The options of a task, said once: what Start takes, what a group may have defaults of, and what
 * is kept of a request on disk. At most 64, see TaskSpec.given. */
typedef enum TaskOptionFlags {
    TASK_OPTION_DEFAULT = 1 << 0,     /* a group may give it to tasks that do not name it */
    TASK_OPTION_OWN_PROCESS = 1 << 1, /* says nothing to tasks on threads */
    TASK_OPTION_CALL = 1 << 2,        /* speaks of the call alone: neither kept nor shown */
    TASK_OPTION_FIRST = 1 << 3, /* of the first start of a request: a retry or the run of a series
                                 * does without it */
} TaskOptionFlags;

typedef struct TaskOption {
    const char *name; /* "stop-timeout" */
    const char *type; /* of D-Bus: s, as, b, u, i, t, at, ai, a{su}; env is "as", too */
    size_t offset; /* of the field, which is as wide as the type: char *, char ** (for env: EnvBlock
                    *), bool, uint32_t, int32_t, uint64_t, IdList *, CodeList *, TokenList * */
    unsigned flags;
} TaskOption;

const TaskOption *task_options(void); /* ends with one that has no name */
