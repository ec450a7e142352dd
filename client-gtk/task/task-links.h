#pragma once

#include "client-gtk/task/task-details.h"

/* The tasks that have to do with one: those that it comes after, its parent, the one that it
 * repeats; and its children, or the runs of a series. Their states follow the news of the daemon.
 */
#define LONGRUN_TASK_RELATED_MAX 100
#define LONGRUN_TASK_CHILDREN_MAX 50

#define LONGRUN_TYPE_TASK_LINKS (task_links_get_type())
G_DECLARE_FINAL_TYPE(TaskLinks, task_links, LONGRUN, TASK_LINKS, GObject)

TaskLinks *task_links_new(TaskDetails *details);

/* Both of TaskLink, owned by self. Children: the newest first, LONGRUN_TASK_CHILDREN_MAX at the
 * most. Signal "changed": whether there are more of them. */
GListModel *task_links_get_related(TaskLinks *self);
GListModel *task_links_get_children(TaskLinks *self);
gboolean task_links_has_more_children(TaskLinks *self);
