#pragma once

#include <gio/gio.h>

#include "common/task-state.h"

/* What the person wants of a task and can still take back. */
typedef enum TaskPlan {
    TASK_PLAN_NONE,
    TASK_PLAN_CANCEL,
    TASK_PLAN_REMOVE,
} TaskPlan;

/* What a row shows of a task. Texts are never NULL, on one line, and cut where they are long. */
typedef struct TaskFacts {
    guint64 id;
    TaskState state;
    char *label, *group, *reason, *status, *phase, *message;
    double progress; /* -1: unknown */
    guint64 started_at, finished_at, expected_end, due_at;
    TaskPlan plan;
    gboolean is_known; /* FALSE: nothing but the id, and maybe the state, is known yet */
    gboolean is_fresh; /* FALSE: it is to be asked for again */
} TaskFacts;

/* Characters of a text that are kept. */
#define LONGRUN_TASK_TEXT_MAX 300

/* One task of the list. Signal "changed": its row is to be drawn anew. */
#define LONGRUN_TYPE_TASK_ITEM (task_item_get_type())
G_DECLARE_FINAL_TYPE(TaskItem, task_item, LONGRUN, TASK_ITEM, GObject)

TaskItem *task_item_new(guint64 id, TaskState state);

const TaskFacts *task_item_facts(TaskItem *self);

/* The keys of ListTasks that task_item_load() takes, NULL-terminated. */
extern const char *const task_item_fields[];

/* What ListTasks says, a{sv}; keys that are missing leave what is there. */
void task_item_load(TaskItem *self, GVariant *task);

/* What the signals say; status NULL: as it was. A new state makes the rest of the facts stale; what
 * has ended stays so. */
void task_item_change(TaskItem *self, TaskState state, double progress, const char *status);

/* The daemon may know more, or be another one. */
void task_item_set_stale(TaskItem *self);

void task_item_set_plan(TaskItem *self, TaskPlan plan);

/* Draws the row anew, since time has passed. */
void task_item_tick(TaskItem *self);
