#pragma once

#include "client-gtk/tasks/task-item.h"

/* The items that somebody holds, and those that were asked for lately: a list of a hundred thousand
 * tasks has items for those alone that are seen. */
typedef struct TaskCache TaskCache;

/* Items that are kept while nobody holds them. */
#define LONGRUN_TASK_CACHE_MAX 1000

TaskCache *task_cache_new(void);
void task_cache_free(TaskCache *self);

/* Owned by the cache; NULL: there is none. */
TaskItem *task_cache_peek(TaskCache *self, guint64 id);

/* A new one when there is none. Free with g_object_unref(). */
TaskItem *task_cache_get(TaskCache *self, guint64 id, TaskState state);

guint task_cache_size(TaskCache *self);

/* func must not let go of any. */
void task_cache_foreach(TaskCache *self, void (*func)(TaskItem *item, gpointer userdata),
                        gpointer userdata);
