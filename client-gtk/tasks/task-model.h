#pragma once

#include "client-gtk/tasks/task-index.h"
#include "client-gtk/tasks/task-item.h"
#include "client-gtk/tasks/task-query.h"
#include "dbus/dbus-proxies.h"

/* The tasks that match a query, the newest first: a GListModel of TaskItem.
 *
 * It has a row for each of them, but knows of most no more than id and state. What rows show is
 * asked for when they are shown. The first hundred come at once, with all that rows show; the ids
 * of the others after that, a thousand at a time. Then it follows the daemon's signals, and asks
 * again for what they leave open. Changes are told as exactly as they are, so that what is selected
 * stays so.
 *
 * Without a daemon it keeps what it has; with another one, it finds out what has become of that.
 *
 * Properties that notify: "status" (int, a TaskModelStatus). */
typedef enum TaskModelStatus {
    TASK_MODEL_LOADING, /* the first page for this query has not come yet; it has what was before */
    TASK_MODEL_READY,
    TASK_MODEL_FAILED, /* see task_model_get_error(); it tries again by itself */
} TaskModelStatus;

/* More rows are not listed: the oldest are left out. */
#define LONGRUN_TASK_MODEL_MAX 1000000u

#define LONGRUN_TYPE_TASK_MODEL (task_model_get_type())
G_DECLARE_FINAL_TYPE(TaskModel, task_model, LONGRUN, TASK_MODEL, GObject)

TaskModel *task_model_new(void);

/* NULL: there is no daemon now. The same one again: it is another daemon by now. */
void task_model_set_manager(TaskModel *self, DbusManager *manager);

/* group, text: NULL or "" is any. */
void task_model_set_query(TaskModel *self, guint states, const char *group, const char *text);
const TaskQuery *task_model_get_query(TaskModel *self);

/* Asks for all of it again. */
void task_model_reload(TaskModel *self);

/* Asks for what is shown again: people look at it anew, and may have called a task something else,
 * of which the list is not told. */
void task_model_refresh(TaskModel *self);

TaskModelStatus task_model_get_status(TaskModel *self);
const char *task_model_get_error(TaskModel *self);

/* All of them are listed, as far as is known. */
gboolean task_model_is_complete(TaskModel *self);

/* A row shows it from now on; as often as shown, it is to be hidden. */
void task_model_show(TaskModel *self, TaskItem *item);
void task_model_hide(TaskModel *self, TaskItem *item);

/* Once a second while people look at it: elapsed times, and when what runs will be done. */
void task_model_tick(TaskModel *self);

TaskEntry task_model_entry(TaskModel *self, guint position);
gboolean task_model_find(TaskModel *self, guint64 id, guint *ret_position);

/* What will become of these: for their rows. */
void task_model_set_plan(TaskModel *self, const guint64 *ids, gsize n, TaskPlan plan);
