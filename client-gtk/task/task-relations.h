#pragma once

#include <adwaita.h>

#include "client-gtk/task/task-links.h"

/* The tasks that have to do with one. */
#define LONGRUN_TYPE_TASK_RELATIONS (task_relations_get_type())
G_DECLARE_FINAL_TYPE(TaskRelations, task_relations, LONGRUN, TASK_RELATIONS, AdwBin)

/* Once. */
void task_relations_set_links(TaskRelations *self, TaskLinks *links);

/* Draws it anew: what the children are called depends on the task. */
void task_relations_show(TaskRelations *self, TaskDetails *details);
