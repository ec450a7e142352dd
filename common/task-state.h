#pragma once

#include "common/macro.h"

/* The life of a task. Everything from TASK_SUCCEEDED on is final. */
typedef enum TaskState {
    TASK_WAITING,  /* for another task, a time or a backend; shown too while its group is paused */
    TASK_QUEUED,   /* ready, wants a slot */
    TASK_STARTING, /* has a slot; nothing runs yet */
    TASK_RUNNING,  /* at work */
    TASK_PAUSED,   /* its processes are stopped until it is resumed */
    TASK_CANCELLING, /* asked to stop, not all of it is gone yet */
    TASK_SUCCEEDED,
    TASK_FAILED,
    TASK_CANCELLED,
    TASK_TIMED_OUT,   /* a limit on its time was reached */
    TASK_INTERRUPTED, /* lost through no doing of its own: the daemon stopped, its supervisor died
                       */
    TASK_SKIPPED,     /* what it was to come after did not end as asked */
    _TASK_STATE_MAX,
    _TASK_STATE_INVALID = -22 /* -EINVAL */,
} TaskState;

const char *task_state_to_string(TaskState state);
TaskState task_state_from_string(const char *s); /* -EINVAL for an unknown word */

static inline bool task_state_is_final(TaskState state) {
    return state >= TASK_SUCCEEDED;
}
