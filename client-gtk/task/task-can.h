#pragma once

#include "client-gtk/task/task-props.h"

/* What can be done with a task. */
typedef enum TaskCan {
    TASK_CAN_CANCEL = 1 << 0,
    TASK_CAN_PAUSE = 1 << 1,
    TASK_CAN_RESUME = 1 << 2,
    TASK_CAN_KILL = 1 << 3, /* send a signal to its processes */
    TASK_CAN_RETRY = 1 << 4,
    TASK_CAN_REMOVE = 1 << 5,
    TASK_CAN_SEND = 1 << 6, /* a message to it */
    TASK_CAN_SEND_TO_CHILDREN = 1 << 7,
    TASK_CAN_CLOSE_STDIN = 1 << 8,
    TASK_CAN_SET_LABEL = 1 << 9,
    TASK_CAN_SET_PRIORITY = 1 << 10,
    TASK_CAN_TAKE_RESULT = 1 << 11,
} TaskCan;

/* Several of them; none for a state that is not known. */
TaskCan task_can(TaskProps *props);

/* It is one of those that take messages while they run. */
gboolean task_can_ever_take_messages(TaskProps *props);
