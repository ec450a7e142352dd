#pragma once

#include "common/macro.h"
#include "daemon/core/error.h"

/* The daemon's folders, each held by one daemon at a time. */
typedef struct StateDir {
    char *state;   /* $XDG_STATE_HOME/longrun */
    char *logs;    /* below it */
    char *runtime; /* $XDG_RUNTIME_DIR/longrun */
    int state_lock, runtime_lock;
} StateDir;

/* Makes the folders (mode 0700) and takes their locks. state: NULL for the default. 0, or -EREMOTE
 * with the error set. */
int state_dir_open(StateDir *d, const char *state, Error *error);
void state_dir_done(StateDir *d);

/* Path of a task's runtime folder; the caller frees it. NULL when memory is short. */
char *state_dir_task_runtime(const StateDir *d, uint64_t id);

/* Removes the runtime folders of tasks that nobody needs any more. */
void state_dir_clean_runtime(const StateDir *d, bool (*keep)(void *userdata, uint64_t id),
                             void *userdata);
