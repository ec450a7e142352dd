#pragma once

#include "client-gtk/task/task-props.h"

/* The rows of facts about a task: a title and a value each, in sections. */
typedef enum TaskSection {
    TASK_SECTION_TIMES, /* and what it has used up */
    TASK_SECTION_WORK,  /* what is run, and how it ended */
    TASK_SECTION_PLAN,  /* when, and after what */
    TASK_SECTION_LIMITS,
    _TASK_SECTION_MAX,
} TaskSection;

typedef struct TaskFact {
    const char *title; /* translated; the same for the same fact at any time */
    char *value;
    gboolean is_code; /* what a machine reads: a command, a path */
} TaskFact;

/* Characters of a value: a command line may be a megabyte, and to lay that out would take seconds.
 */
#define LONGRUN_TASK_FACT_MAX 2000

/* Of TaskFact*, in a fixed order; what the task has nothing to say about is left out.
 * g_ptr_array_unref(). */
GPtrArray *task_sheet(TaskProps *props, TaskSection section, gint64 now);

typedef struct TaskAttempt {
    guint32 number;
    TaskState state;
    char *text; /* how and when it ended */
} TaskAttempt;

/* Of TaskAttempt*, those before the last one, the newest first, LONGRUN_TASK_ATTEMPTS_MAX of them
 * at the most. g_ptr_array_unref(). */
#define LONGRUN_TASK_ATTEMPTS_MAX 50
GPtrArray *task_attempts(TaskProps *props, gint64 now);
