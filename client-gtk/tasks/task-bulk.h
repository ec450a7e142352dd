#pragma once

#include <adwaita.h>

#include "client-gtk/base/daemon-link.h"
#include "client-gtk/tasks/task-batch.h"
#include "client-gtk/tasks/task-model.h"

/* What people do to many tasks at once, and can take back: a toast says what will be done, or has
 * been, and has a button for that.
 *
 * Tasks are cancelled and removed when the toast is gone, or the next thing is done; until then
 * their rows show what will become of them. */
#define LONGRUN_TYPE_TASK_BULK (task_bulk_get_type())
G_DECLARE_FINAL_TYPE(TaskBulk, task_bulk, LONGRUN, TASK_BULK, GObject)

/* page: where the toasts are; not owned, and lives longer. */
TaskBulk *task_bulk_new(GtkWidget *page, DaemonLink *link, TaskModel *model);

/* Takes ids, of guint64; nothing happens without any. */
void task_bulk_do(TaskBulk *self, TaskBatchSort sort, GArray *ids);

/* Does now what is planned: the window closes. The application lives until it is done. */
void task_bulk_settle(TaskBulk *self);
