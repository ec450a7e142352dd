#pragma once

#include <adwaita.h>

#include "client-gtk/task/task-details.h"

/* How far a task has come, how fast, and until when, with a plot of it. */
#define LONGRUN_TYPE_TASK_PROGRESS (task_progress_get_type())
G_DECLARE_FINAL_TYPE(TaskProgress, task_progress, LONGRUN, TASK_PROGRESS, AdwBin)

/* Draws it anew; the plot follows the history of the first details that it was given. */
void task_progress_show(TaskProgress *self, TaskDetails *details);
