#pragma once

#include <gio/gio.h>

#include "common/task-state.h"

/* Which tasks the list is of. All zero means all of them. */
typedef struct TaskQuery {
    guint states; /* bits 1 << TaskState; 0: any */
    char *group;  /* NULL: any */
    char *text;   /* a part of the label; NULL: any */
} TaskQuery;

/* Longer texts are cut: nobody types them. */
#define LONGRUN_TASK_QUERY_TEXT_MAX 200

#define TASK_STATES_FINAL                                                                          \
    (1u << TASK_SUCCEEDED | 1u << TASK_FAILED | 1u << TASK_CANCELLED | 1u << TASK_TIMED_OUT |      \
     1u << TASK_INTERRUPTED | 1u << TASK_SKIPPED)
#define TASK_STATES_AT_WORK                                                                        \
    (1u << TASK_STARTING | 1u << TASK_RUNNING | 1u << TASK_PAUSED | 1u << TASK_CANCELLING)
#define TASK_STATES_PENDING (1u << TASK_WAITING | 1u << TASK_QUEUED)
#define TASK_STATES_UNSUCCESSFUL (1u << TASK_FAILED | 1u << TASK_TIMED_OUT | 1u << TASK_INTERRUPTED)

/* group, text: NULL or "" is any. What was in self is freed. TRUE: it means something else now. */
gboolean task_query_set(TaskQuery *self, guint states, const char *group, const char *text);
void task_query_clear(TaskQuery *self);

gboolean task_query_is_all(const TaskQuery *self);

/* The state decides whether a task is one of them. */
gboolean task_query_is_of_states(const TaskQuery *self);
gboolean task_query_has_state(const TaskQuery *self, TaskState state);

/* The argument of ListTasks, floating: newest first, from cursor on (0: the newest), with these
 * fields. states: instead of the query's own, unless 0. */
GVariant *task_query_page(const TaskQuery *self, guint states, guint64 cursor, guint limit,
                          const char *const *fields);
