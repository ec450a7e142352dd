#pragma once

#include "daemon/core/task-spec.h"

/* For task-spec-*.c alone. */

/* The rules for when the task may start, and how often. Puts its lists in order. 0 or -EREMOTE. */
int task_spec_check_plan(TaskSpec *s, Error *error);
/* Those for what a group may have defaults of. */
int task_spec_check_default_plan(TaskSpec *s, Error *error);
