#pragma once

#include "daemon/core/task-spec.h"

/* The options of a task, said once: what Start takes, and what is kept of a request on disk. */
typedef struct TaskOption {
    const char *name; /* "stop-timeout" */
    const char *type; /* of D-Bus: s, as, b, u, i, t; env is "as", too */
    size_t offset; /* of the field, which is as wide as the type: char *, char ** (for env: EnvBlock
                    *), bool, uint32_t, int32_t, uint64_t */
} TaskOption;

const TaskOption *task_options(void); /* ends with one that has no name */
