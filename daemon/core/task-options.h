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
    const char *type; /* of D-Bus: s, as, b, u, i, t, at, ai, a{su}, ay; env is "as", too */
    size_t offset; /* of the field, which is as wide as the type: char *, char ** (for env: EnvBlock
                    *), bool, uint32_t, int32_t, uint64_t, IdList *, CodeList *, TokenList *,
                    * Bytes * */
    unsigned flags;
} TaskOption;

const TaskOption *task_options(void); /* ends with one that has no name */

/* What the field of an option is. */
typedef enum TaskOptionType {
    TASK_OPTION_STRING,  /* char *, never NULL */
    TASK_OPTION_STRINGS, /* char ** */
    TASK_OPTION_ENV,     /* EnvBlock * */
    TASK_OPTION_BOOL,    /* bool */
    TASK_OPTION_U32,     /* uint32_t */
    TASK_OPTION_I32,     /* int32_t */
    TASK_OPTION_U64,     /* uint64_t */
    TASK_OPTION_IDS,     /* IdList * */
    TASK_OPTION_CODES,   /* CodeList * */
    TASK_OPTION_TOKENS,  /* TokenList * */
    TASK_OPTION_BYTES,   /* Bytes * */
} TaskOptionType;

TaskOptionType task_option_type(const TaskOption *o);

/* Those of which a request owns memory: strings last. Ends with NULL. */
const TaskOption *const *task_options_owned(void);

const TaskOption *task_option_by_name(const char *name); /* NULL = there is none */

/* Its bit in TaskSpec.given. */
static inline uint64_t task_option_bit(const TaskOption *o) {
    return UINT64_C(1) << (o - task_options());
}

/* The field of a request. */
static inline void *task_option_field(const TaskOption *o, TaskSpec *s) {
    return (char *)s + o->offset;
}

static inline const void *task_option_value(const TaskOption *o, const TaskSpec *s) {
    return (const char *)s + o->offset;
}

/* The request itself named the option with this field. */
#define TASK_SPEC_GIVES(s, field) task_spec_gives((s), offsetof(TaskSpec, field))
bool task_spec_gives(const TaskSpec *s, size_t offset);

/* Replaces the value by a copy of that of another request; neither may be packed but `from`. 0 or
 * -ENOMEM, then nothing has changed. */
int task_option_copy(const TaskOption *o, TaskSpec *to, const TaskSpec *from);
