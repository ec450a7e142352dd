#pragma once

#include <adwaita.h>

#include "client-gtk/task/task-details.h"

/* All the facts about a task, and the attempts before the last one. */
#define LONGRUN_TYPE_TASK_ABOUT (task_about_get_type())
G_DECLARE_FINAL_TYPE(TaskAbout, task_about, LONGRUN, TASK_ABOUT, AdwBin)

/* Draws it anew. */
void task_about_show(TaskAbout *self, TaskDetails *details);
