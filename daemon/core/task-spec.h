#pragma once

#include "common/cleanup.h"
#include "common/macro.h"
#include "daemon/core/env-table.h"
#include "daemon/core/error.h"
#include "daemon/core/option-values.h"

/* What somebody asked for: the kind of a task and its options. Does not change once the task
 * exists, but for the label and the priority. */

#define TASK_KIND_COMMAND "command"
#define TASK_GROUP_DEFAULT "default"

/* Caps of what one request may bring, so that 100,000 of them fit in memory. The kernel's own limit
 * for argv and environment together is 2 MiB with the default stack (execve(2)). */
#define TASK_LABEL_MAX (4 * KIB)
#define TASK_UNIQUE_MAX (1 * KIB)
#define TASK_PARAMS_MAX (1 * MIB)
#define TASK_ARGV_MAX (1 * MIB)
#define TASK_ENV_MAX (512 * KIB)
#define TASK_STDIN_MAX (1 * MIB)
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
#define TASK_PRIORITY_LIMIT 1000000 /* below and above 0 */
#define TASK_AFTER_MAX 100000       /* tasks that one may wait for */
#define TASK_RETRIES_LIMIT 1000
#define TASK_RETRY_DELAY_LIMIT (7 * USEC_PER_DAY)
#define TASK_RETRY_ON_MAX 256
#define TASK_RESOURCES_MAX 64
#define TASK_RETRY_DELAY_DEFAULT USEC_PER_SEC
#define TASK_EVERY_MIN (100 * USEC_PER_MSEC)
#define TASK_CALENDAR_MAX (1 * KIB)
/* Moments before the year 2000 are seconds or milliseconds taken for microseconds, and those more
 * than a century away are nothing that somebody waits for. */
#define TASK_START_AT_MIN (UINT64_C(946684800) * USEC_PER_SEC)
#define TASK_START_AT_AHEAD (36500 * USEC_PER_DAY)

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
    bool notify;        /* people may be told of its end by a notification */

    /* ---- when it may start ---- */
    int32_t priority;     /* higher goes first in its group */
    IdList *after;        /* tasks that must have succeeded */
    IdList *after_any;    /* tasks that must have ended */
    IdList *after_failed; /* tasks that must have failed, timed out or been interrupted */
    IdList *after_index;  /* as after: places in the same StartMany, each before its own. Ids once
                             the tasks exist */
    char *when_online;    /* name of a condition, such as a backend; "" = none */
    uint64_t start_at;    /* CLOCK_REALTIME, microseconds; 0 = as soon as possible */
    TokenList *resources; /* tokens that it holds while it runs */
    uint64_t parent;      /* id of a task; 0 = none */

    /* ---- again ---- */
    uint64_t retry_delay_usec; /* before the second attempt, doubled for each after it */
    CodeList *retry_on;        /* exit codes that are worth another attempt; NULL = any */
    uint64_t every_usec;       /* a series: from the end of a run to the next; 0 = none */
    char *calendar;            /* a series: systemd.time(7) "calendar event"; "" = none */
    uint32_t retries;          /* attempts after the first that failed */
    bool persistent;           /* a run of the calendar that was missed is made up for */

    /* ---- what the command reads, with none of them /dev/null, and where it prints to ---- */
    bool stdin_open;   /* lines and bytes may be written to it while it runs */
    bool pty;          /* it has a terminal */
    Bytes *stdin_data; /* comes first; NULL = nothing */
    char *stdin_file;  /* absolute path, opened at each start; "" = none */
    char *pty_size;    /* see common/terminal-size.h */

    uint64_t given;  /* bit N: the request itself named option N of task_options() */
    uint32_t packed; /* bytes of the one piece of memory that holds it, see task_spec_pack(); 0 = it
                      * is in many */
} TaskSpec;

/* It has a process of its own: a command, or a kind that is isolated. */
static inline bool task_spec_has_process(const TaskSpec *s) {
    return s->isolate || streq(s->kind, TASK_KIND_COMMAND);
}
/* The name of an option that is given and for tasks with a process of their own alone; NULL = none.
 */
const char *task_spec_process_option(const TaskSpec *s);

/* It makes a task for each run, and never runs itself. */
static inline bool task_spec_is_series(const TaskSpec *s) {
    return s->every_usec > 0 || !isempty(s->calendar);
}

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

int task_priority_check(int32_t priority, Error *error); /* 0 or -EREMOTE */

/* 0, or -EREMOTE when nobody can mean to wait until this time. now: CLOCK_REALTIME. */
int task_start_at_check(uint64_t start_at, uint64_t now_usec, Error *error);

/* The same rules for the defaults of a group: for each option in `given`, taken for itself. Options
 * without TASK_OPTION_DEFAULT are refused. 0, -EREMOTE or -ENOMEM. */
int task_defaults_check(TaskSpec *defaults, Error *error);

/* Bytes of memory that the request holds, roughly; the shared environment is not counted. */
size_t task_spec_size(const TaskSpec *s);

/* ---- requests that are kept: task-spec-pack.c ---- */

/* Moves the request, with all that it owns, into one piece of memory, which is half of what it took
 * before. From then on it can only be read, but for task_spec_set_label() and the priority. 0 or
 * -ENOMEM, then it is as it was. */
int task_spec_pack(TaskSpec **s);

/* Makes a packed copy of one that may be put together of strings and lists of others, with `given`
 * and without an environment. 0 or -ENOMEM. */
int task_spec_pack_copy(TaskSpec **ret, const TaskSpec *s);

/* Takes label. Also of one that is packed. */
void task_spec_set_label(TaskSpec *s, char *label);

/* A copy that is not packed, without the options that have one of these flags (TASK_OPTION_*). The
 * environment is shared. NULL when memory is short. */
TaskSpec *task_spec_copy(const TaskSpec *s, unsigned without);

/* Options that the request does not name get the values of a group's, those in defaults->given,
 * where they say something to such a task. `given` stays. To be called before task_spec_check().
 * defaults may be NULL. 0 or -ENOMEM. */
int task_spec_apply_defaults(TaskSpec *s, const TaskSpec *defaults);

/* Once the tasks of a StartMany have ids: what after_index says becomes a part of after, and
 * after_index NULL. ids: of the tasks, by their places. 0 or -ENOMEM, then nothing has changed. */
int task_spec_resolve_index(TaskSpec **s, const uint64_t *ids);
