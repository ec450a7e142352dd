#include "client-gtk/task/task-can.h"

#define PENDING (TASK_CAN_CANCEL | TASK_CAN_SET_LABEL | TASK_CAN_SET_PRIORITY)
#define AT_WORK                                                                                    \
    (TASK_CAN_CANCEL | TASK_CAN_KILL | TASK_CAN_SEND | TASK_CAN_SEND_TO_CHILDREN |                 \
     TASK_CAN_CLOSE_STDIN | TASK_CAN_SET_LABEL)
#define ENDED (TASK_CAN_RETRY | TASK_CAN_REMOVE | TASK_CAN_SET_LABEL | TASK_CAN_TAKE_RESULT)

/* In each state what a task of any sort can; what this one is made of takes away from it. */
static const TaskCan by_state[_TASK_STATE_MAX] = {
    [TASK_WAITING] = PENDING,
    [TASK_QUEUED] = PENDING,
    [TASK_STARTING] = TASK_CAN_CANCEL | TASK_CAN_PAUSE | TASK_CAN_SET_LABEL,
    [TASK_RUNNING] = AT_WORK | TASK_CAN_PAUSE,
    [TASK_PAUSED] = AT_WORK | TASK_CAN_RESUME,
    [TASK_CANCELLING] = TASK_CAN_KILL | TASK_CAN_SET_LABEL,
    [TASK_SUCCEEDED] = ENDED,
    [TASK_FAILED] = ENDED,
    [TASK_CANCELLED] = ENDED,
    [TASK_TIMED_OUT] = ENDED,
    [TASK_INTERRUPTED] = ENDED,
    [TASK_SKIPPED] = ENDED,
};

/* Kinds on a thread of the daemon, or on a server, have none that could be stopped or get a signal.
 */
static gboolean has_processes(TaskProps *props) {
    const char *kind = task_props_string(props, "Kind");

    return g_str_equal(kind, "command") || g_str_equal(kind, "download") ||
           task_props_boolean(props, "Isolate");
}

gboolean task_can_ever_take_messages(TaskProps *props) {
    return task_props_boolean(props, "StdinOpen") ||
           g_str_equal(task_props_string(props, "Kind"), "countdown");
}

static gboolean has_children(TaskProps *props) {
    g_autoptr(GVariant) children = task_props_array(props, "Children", "at");

    return children && g_variant_n_children(children) > 0;
}

TaskCan task_can(TaskProps *props) {
    TaskState state = task_props_state(props);
    TaskCan can = state >= 0 && state < _TASK_STATE_MAX ? by_state[state] : 0;

    if (!has_processes(props))
        can &= ~(TASK_CAN_PAUSE | TASK_CAN_RESUME | TASK_CAN_KILL);
    if (!task_can_ever_take_messages(props))
        can &= ~TASK_CAN_SEND;
    if (!task_props_boolean(props, "StdinOpen"))
        can &= ~TASK_CAN_CLOSE_STDIN;
    if (!has_children(props))
        can &= ~TASK_CAN_SEND_TO_CHILDREN;
    if (!task_props_boolean(props, "HasResult"))
        can &= ~TASK_CAN_TAKE_RESULT;
    return can;
}
