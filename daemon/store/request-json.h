#pragma once

#include "daemon/core/task-spec.h"

/* A request as it is kept on disk: a JSON object of the options by their names (task-options.h).
 * The label, the group, the environment, the priority and the parent are not in it, since they have
 * places of their own, nor what speaks of the call alone (TASK_OPTION_CALL), and what is as
 * task_spec_new() gives it is left out. */

/* The text, for the caller to free; NULL when memory is short. */
char *request_to_json(const TaskSpec *spec);

/* What of a request is not in the text. Strings are copied. */
typedef struct RequestColumns {
    const char *kind, *label, *group;
    int32_t priority;
    uint64_t parent;
} RequestColumns;

/* Makes the request, packed. Keys that are unknown or hold another type are passed over. 0,
 * -ENOMEM, or -EBADMSG when it is no JSON object; then it has its columns. */
int request_from_json(TaskSpec **ret, const RequestColumns *columns, const char *json);

/* A request with nothing in it but its kind: what a text is held against. NULL when memory is
 * short. */
TaskSpec *request_new(const char *kind);

/* The same for the defaults of a group: all options in defaults->given, and no others. */
char *request_defaults_to_json(const TaskSpec *defaults);

/* Makes the defaults that the text says, with `given` set; NULL where it says none. Options that
 * are unknown, have no TASK_OPTION_DEFAULT or hold another type are passed over. 0, -EBADMSG when
 * it is no JSON object, or -ENOMEM. */
int request_defaults_from_json(TaskSpec **ret, const char *json);
