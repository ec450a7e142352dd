#pragma once

#include <glib.h>

#include "common/task-state.h"

/* Ids and states of all tasks of a list, the newest first: eight bytes for each, so that a hundred
 * thousand of them weigh nothing. Positions count from the newest. */
typedef struct TaskIndex TaskIndex;

typedef struct TaskEntry {
    guint64 id;      /* below 2^60 */
    TaskState state; /* _TASK_STATE_INVALID: not known yet */
} TaskEntry;

/* Told after each change, when the index is as told: as GListModel::items-changed. */
typedef void (*TaskIndexChanged)(gpointer userdata, guint position, guint removed, guint added);

TaskIndex *task_index_new(TaskIndexChanged func, gpointer userdata);
void task_index_free(TaskIndex *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TaskIndex, task_index_free)

guint task_index_size(const TaskIndex *self);
TaskEntry task_index_at(const TaskIndex *self, guint position);

/* FALSE: it is not there, and *ret_position is where it would be. */
gboolean task_index_find(const TaskIndex *self, guint64 id, guint *ret_position);

/* Tells nobody. */
void task_index_set_state(TaskIndex *self, guint position, TaskState state);

void task_index_remove(TaskIndex *self, guint position, guint n);

/* Makes the part with top >= id > bottom what entries say, which are in order, the newest first,
 * and in that part. Told is what is new and what is gone, so that whatever stays keeps its
 * selection. */
void task_index_replace(TaskIndex *self, guint64 top, guint64 bottom, const TaskEntry *entries,
                        guint n);
