#pragma once

#include "client-gtk/base/daemon-link.h"

typedef enum TaskBatchSort {
    TASK_BATCH_CANCEL,
    TASK_BATCH_REMOVE,
    TASK_BATCH_RETRY,
    TASK_BATCH_UNDO_RETRY, /* cancels what has not ended of them, and removes them all */
} TaskBatchSort;

/* The same for many tasks: as few calls as there can be, one after the other, so that other clients
 * are served in between. What some of the tasks are not fit for any more, since they have ended or
 * are gone, is done to the others all the same.
 *
 * Signal "done", once, also when the daemon goes away meanwhile. */
#define LONGRUN_TYPE_TASK_BATCH (task_batch_get_type())
G_DECLARE_FINAL_TYPE(TaskBatch, task_batch, LONGRUN, TASK_BATCH, GObject)

/* Takes ids, of guint64. Nothing happens until it is run; it lives until it is done then. */
TaskBatch *task_batch_new(TaskBatchSort sort, GArray *ids);

TaskBatchSort task_batch_get_sort(TaskBatch *self);
const GArray *task_batch_get_ids(TaskBatch *self);

/* Once, or never. */
void task_batch_run(TaskBatch *self, DbusManager *manager);
gboolean task_batch_has_run(TaskBatch *self);

/* ---- when it is done ---- */

guint task_batch_count_done(TaskBatch *self);
/* The first thing that went wrong; NULL: nothing. That a task is as it should be already is no
 * error. */
const GError *task_batch_get_error(TaskBatch *self);
/* Of TASK_BATCH_RETRY: the ids of the new tasks. */
const GArray *task_batch_get_new_ids(TaskBatch *self);
