#pragma once

#include <glib-object.h>

#include "common/task-state.h"

/* What a task is to another. */
typedef enum TaskRole {
    TASK_ROLE_PARENT,
    TASK_ROLE_RETRY_OF,
    TASK_ROLE_AFTER,
    TASK_ROLE_AFTER_ANY,
    TASK_ROLE_AFTER_FAILED,
    TASK_ROLE_CHILD,
} TaskRole;

/* Another task, to go to. Signal "changed": its label, its state, or that it is gone. */
#define LONGRUN_TYPE_TASK_LINK (task_link_get_type())
G_DECLARE_FINAL_TYPE(TaskLink, task_link, LONGRUN, TASK_LINK, GObject)

TaskLink *task_link_new(guint64 id, TaskRole role);

guint64 task_link_get_id(TaskLink *self);
TaskRole task_link_get_role(TaskLink *self);
const char *task_link_get_label(TaskLink *self); /* "" while it is not known */
TaskState task_link_get_state(TaskLink *self);   /* _TASK_STATE_INVALID while it is not known */
gboolean task_link_is_gone(TaskLink *self);      /* it was removed */

/* label NULL: as it was. A final state stays. */
void task_link_set(TaskLink *self, const char *label, TaskState state);
void task_link_set_gone(TaskLink *self);
