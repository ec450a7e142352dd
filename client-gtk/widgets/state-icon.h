#pragma once

#include <gtk/gtk.h>

#include "common/task-state.h"

/* How states of tasks look and what they are called, everywhere in the window. */

/* Never NULL, also for _TASK_STATE_INVALID. */
const char *state_icon_name(TaskState state);
const char *
state_style_class(TaskState state); /* "success", "warning", "error", "accent" or "dim-label" */
const char *state_title(TaskState state); /* "Running", translated */

/* Icon, style class and accessible label. */
void state_icon_set(GtkImage *image, TaskState state);
