#include "common/task-state.h"

#include "common/str-table.h"

static const char *const task_state_table[_TASK_STATE_MAX] = {
    [TASK_WAITING] = "waiting",         [TASK_QUEUED] = "queued",
    [TASK_STARTING] = "starting",       [TASK_RUNNING] = "running",
    [TASK_PAUSED] = "paused",           [TASK_CANCELLING] = "cancelling",
    [TASK_SUCCEEDED] = "succeeded",     [TASK_FAILED] = "failed",
    [TASK_CANCELLED] = "cancelled",     [TASK_TIMED_OUT] = "timed-out",
    [TASK_INTERRUPTED] = "interrupted", [TASK_SKIPPED] = "skipped",
};

DEFINE_STR_TABLE(task_state, TaskState, task_state_table)
