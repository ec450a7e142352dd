#pragma once

#include "common/macro.h"
#include "daemon/core/error.h"

/* The daemon's folders, each held by one daemon at a time, and the task ids that are given out from
 * one of them. */
typedef struct StateDir {
    char *state;   /* $XDG_STATE_HOME/longrun */
    char *logs;    /* below it */
    char *runtime; /* $XDG_RUNTIME_DIR/longrun */
    int state_lock, runtime_lock;
    uint64_t next_id;     /* to be given out */
    uint64_t reserved_id; /* ids below are reserved on disk */
} StateDir;

/* Makes the folders (mode 0700) and takes their locks. state: NULL for the default. 0, or -EREMOTE
 * with the error set. */
int state_dir_open(StateDir *d, const char *state, Error *error);
void state_dir_done(StateDir *d);

/* A fresh task id: never given out before, also over crashes. 0, or -EREMOTE with Storage when that
 * cannot be put on disk. */
int state_dir_next_id(StateDir *d, uint64_t *ret, Error *error);

/* Path of a task's runtime folder; the caller frees it. NULL when memory is short. */
char *state_dir_task_runtime(const StateDir *d, uint64_t id);
