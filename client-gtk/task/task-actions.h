#pragma once

#include <adwaita.h>

#include "client-gtk/task/task-details.h"

/* What can be done with a task: the actions "task.cancel", ".pause", ".resume", ".kill" (with the
 * number of a signal), ".retry", ".remove", ".rename", ".set-priority", ".take-result" and
 * ".copy-command" of a page. */
#define LONGRUN_TYPE_TASK_ACTIONS (task_actions_get_type())
G_DECLARE_FINAL_TYPE(TaskActions, task_actions, LONGRUN, TASK_ACTIONS, GObject)

/* Inserts them into page, which is not owned, and must outlive self. They follow details. */
TaskActions *task_actions_new(GtkWidget *page, TaskDetails *details);
