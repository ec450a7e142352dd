#pragma once

#include <gtk/gtk.h>

#include "client-gtk/tasks/task-item.h"

/* A task in the list. */
#define LONGRUN_TYPE_TASK_ROW (task_row_get_type())
G_DECLARE_FINAL_TYPE(TaskRow, task_row, LONGRUN, TASK_ROW, GtkWidget)

GtkWidget *task_row_new(void);

/* NULL: none any more. */
void task_row_set_item(TaskRow *self, TaskItem *item);
TaskItem *task_row_get_item(TaskRow *self);

/* Rows that cannot be seen do not show every change: to be called when that may be over, as the
 * list has been scrolled. */
void task_row_catch_up(TaskRow *self);

/* The box with the tick of what is selected is there. */
void task_row_set_selecting(TaskRow *self, gboolean selecting);
void task_row_set_selected(TaskRow *self, gboolean selected);
