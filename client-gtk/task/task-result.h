#pragma once

#include <adwaita.h>

#include "client-gtk/task/task-details.h"

/* The result of a task: that there is one, and, when it was taken, the text. */
#define LONGRUN_TYPE_TASK_RESULT (task_result_get_type())
G_DECLARE_FINAL_TYPE(TaskResult, task_result, LONGRUN, TASK_RESULT, AdwBin)

/* Draws it anew. */
void task_result_show(TaskResult *self, TaskDetails *details);
