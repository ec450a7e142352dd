#pragma once

#include "client-gtk/task/task-props.h"
#include "client-gtk/widgets/plot-series.h"

/* How a task came along since somebody looks at it: the daemon keeps no such record. */
#define LONGRUN_TYPE_TASK_HISTORY (task_history_get_type())
G_DECLARE_FINAL_TYPE(TaskHistory, task_history, LONGRUN, TASK_HISTORY, GObject)

TaskHistory *task_history_new(void);

/* now: microseconds since the epoch. Only a task that is at work is noted; with a new attempt it
 * begins anew. */
void task_history_note(TaskHistory *self, TaskProps *props, gint64 now);

/* Both are owned by self: 0 to 1, and so much in a second. */
PlotSeries *task_history_get_progress(TaskHistory *self);
PlotSeries *task_history_get_rate(TaskHistory *self);
