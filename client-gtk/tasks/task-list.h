#pragma once

#include <adwaita.h>

#include "client-gtk/tasks/task-model.h"

/* The rows of the tasks, and which of them are selected.
 *
 * A click opens a task, as does Enter: action app.show-task. With Ctrl or Shift it selects, and
 * while selecting, any click does.
 *
 * Property "selecting" (boolean). Signal "selection-changed". */
#define LONGRUN_TYPE_TASK_LIST (task_list_get_type())
G_DECLARE_FINAL_TYPE(TaskList, task_list, LONGRUN, TASK_LIST, AdwBin)

/* Once. */
void task_list_set_model(TaskList *self, TaskModel *model);

gboolean task_list_get_selecting(TaskList *self);
void task_list_set_selecting(TaskList *self, gboolean selecting);

GtkSelectionModel *task_list_get_selection(TaskList *self);
guint task_list_count_selected(TaskList *self);
/* Whether any of them has ended, or has not. */
void task_list_sum_up(TaskList *self, gboolean *ret_any_ended, gboolean *ret_any_active);

/* Selected tasks that have ended, or that have not: a new array of guint64, the newest first. */
GArray *task_list_get_selected(TaskList *self, gboolean ended);
