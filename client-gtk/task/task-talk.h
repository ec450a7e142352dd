#pragma once

#include <adwaita.h>

#include "client-gtk/task/task-details.h"

/* Messages to a task and from it: a list of those that came while it was shown, and an entry. */
#define LONGRUN_TYPE_TASK_TALK (task_talk_get_type())
G_DECLARE_FINAL_TYPE(TaskTalk, task_talk, LONGRUN, TASK_TALK, AdwBin)

/* Draws it anew; the list follows the notes of the first details that it was given. */
void task_talk_show(TaskTalk *self, TaskDetails *details);
