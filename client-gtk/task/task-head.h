#pragma once

#include <adwaita.h>

#include "client-gtk/task/task-details.h"

/* What a task is called, what it is at, and what is done with it most. */
#define LONGRUN_TYPE_TASK_HEAD (task_head_get_type())
G_DECLARE_FINAL_TYPE(TaskHead, task_head, LONGRUN, TASK_HEAD, AdwBin)

/* Draws it anew. */
void task_head_show(TaskHead *self, TaskDetails *details);
