#pragma once

#include <cjson/cJSON.h>

#include "daemon/kinds/task-context.h"

/* A kind of work that is built in. */
typedef struct Kind {
    const char *name;
    const char *description; /* one line, for people */

    /* Checks the params (a JSON object) when the task is started. 0, or -EINVAL and in *ret_error
     * what is wrong with which parameter (owned by the caller). Runs on the loop: no I/O. */
    int (*check)(const cJSON *params, char **ret_error);

    /* Does the work. 0 = succeeded, -ECANCELED = cancelled, any other negative value = failed; the
     * closing words go through task_context_message(), else they are those of the error. A cancel
     * that comes when all the work is done is too late: return 0. */
    int (*run)(TaskContext *c, const cJSON *params);
} Kind;

const Kind *kind_by_name(const char *name); /* NULL for an unknown one */
const Kind *const *kind_all(void);          /* NULL-terminated, sorted by name */
