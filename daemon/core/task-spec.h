#pragma once

#include "common/cleanup.h"
#include "common/macro.h"
#include "daemon/core/env-table.h"
#include "daemon/core/error.h"

/* What somebody asked for: the kind of a task and its options. Does not change once the task
 * exists, but for the label. */

#define TASK_KIND_COMMAND "command"
#define TASK_GROUP_DEFAULT "default"

/* Caps of what one request may bring, so that 100,000 of them fit in memory. The kernel's own limit
 * for argv and environment together is 2 MiB with the default stack (execve(2)). */
#define TASK_LABEL_MAX (4 * KIB)
#define TASK_UNIQUE_MAX (1 * KIB)
#define TASK_PARAMS_MAX (1 * MIB)
#define TASK_ARGV_MAX (1 * MIB)
#define TASK_ENV_MAX (512 * KIB)
#define TASK_STRING_MAX                                                                            \
    (128 * KIB) /* of one argument or variable: MAX_ARG_STRLEN of the kernel                       \
                 */
#define TASK_PATH_MAX (4 * KIB)
#define TASK_RESULT_MAX_LIMIT (8 * MIB) /* the loop parses it, once */
#define TASK_LOG_MAX_LIMIT (UINT64_C(1) << 50)
#define TASK_STOP_TIMEOUT_LIMIT (7 * USEC_PER_DAY)
#define TASK_TIMEOUT_LIMIT (3650 * USEC_PER_DAY)
#define TASK_MEMORY_MAX_MIN (1 * MIB)
#define TASK_SIZE_LIMIT (UINT64_C(1) << 50)
#define TASK_PIDS_MAX_LIMIT (4 * MIB) /* PID_MAX_LIMIT of the kernel */
#define TASK_CPU_WEIGHT_LIMIT 10000

typedef struct TaskSpec {
    char *kind;
    char *label; /* never empty once checked */
    char *group;
    char *unique; /* "" = none */
    char *params; /* JSON object; "" = none given */
    char **argv;
    char *cwd; /* absolute */
    EnvBlock *env;
    bool clear_env;
    bool isolate;
    uint32_t umask;
    uint64_t stop_timeout_usec;
    uint64_t log_max;            /* bytes */
    uint64_t result_max;         /* bytes */
    uint64_t timeout_usec;       /* from the start to the end, pauses left out; 0 = none */
    uint64_t idle_timeout_usec;  /* without output and progress; 0 = none */
    uint64_t queue_timeout_usec; /* from the request to the start; 0 = none */
    uint64_t memory_max;         /* bytes of all its processes together; 0 = none */
    uint64_t pids_max;           /* processes and threads at a time; 0 = none */
    uint32_t
        cpu_weight;     /* 1 to 10000 as CPUWeight= of systemd.resource-control(5); 0 = as others */
    int32_t nice;       /* as nice(1), -20 to 19 */
    char *on_interrupt; /* what becomes of it when it is lost: TASK_ON_INTERRUPT_* */
} TaskSpec;

#define TASK_ON_INTERRUPT_FAIL "fail"       /* it is interrupted */
#define TASK_ON_INTERRUPT_RESTART "restart" /* it goes back into the queue */

static inline bool task_spec_restarts(const TaskSpec *s) {
    return streq(s->on_interrupt, TASK_ON_INTERRUPT_RESTART);
}

/* Values of what a request leaves out. */
typedef struct TaskDefaults {
    const char *cwd;
    uint64_t stop_timeout_usec;
    uint64_t log_max;
    uint64_t result_max;
} TaskDefaults;

TaskSpec *task_spec_new(const char *kind,
                        const TaskDefaults *defaults); /* NULL when memory is short */
TaskSpec *task_spec_free(TaskSpec *s);                 /* NULL-safe, gives NULL */
DEFINE_CLEANUP(TaskSpec *, task_spec_free)

/* Holds the request against the caps and rules above, and fills in the label. 0, -EREMOTE with the
 * error set, or -ENOMEM. What only the world can tell (kinds, folders) is not looked at. */
int task_spec_check(TaskSpec *s, Error *error);

/* 0, or -EREMOTE when this text cannot be a label. */
int task_label_check(const char *label, Error *error);

/* Bytes of memory that the request holds, roughly; the shared environment is not counted. */
size_t task_spec_size(const TaskSpec *s);
