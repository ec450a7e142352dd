#pragma once

#include <systemd/sd-bus.h>

#include "daemon/core/error.h"
#include "daemon/core/filter.h"
#include "daemon/core/log-line.h"
#include "daemon/core/task-table.h"

#define LONGRUN_BUS_NAME "org.longrun.Longrun1"
#define LONGRUN_ROOT_PATH "/org/longrun/Longrun1"
#define LONGRUN_TASK_PATH LONGRUN_ROOT_PATH "/task"
#define LONGRUN_MANAGER_INTERFACE "org.longrun.Longrun1.Manager"
#define LONGRUN_TASK_INTERFACE "org.longrun.Longrun1.Task"

typedef struct BusKind {
    const char *name, *description;
} BusKind;

/* What the bus asks of the rest of the daemon; the manager fills it in. Functions with an Error
 * give 0 or more, -EREMOTE with the error set, or another -errno. Methods parse and check their
 * arguments before they call. */
typedef struct BusApi {
    /* Starts all or none; takes the specs it starts (sets them to NULL). ret_ids has room for n. */
    int (*start)(void *userdata, TaskSpec **specs, size_t n, uint64_t *ret_ids, Error *error);
    /* Of an active task. */
    void (*cancel)(void *userdata, Task *task);
    int (*kill)(void *userdata, Task *task, int signal, Error *error);
    void (*set_label)(void *userdata, Task *task, char *label); /* takes label */
    void (*remove)(void *userdata, Task *task);                 /* of an ended task; frees it */
    int (*open_log)(void *userdata, Task *task, Error *error);  /* descriptor for the caller */
    int (*read_log)(void *userdata, Task *task, uint64_t offset, void *buf, size_t size,
                    Error *error); /* number of bytes */
    int (*take_result)(void *userdata, Task *task, char **ret, Error *error);
    int (*reload)(void *userdata, Error *error);

    TaskSpec *(*new_spec)(void *userdata, const char *kind); /* with the defaults filled in */
    EnvBlock *(*intern_env)(void *userdata, char *const *env);
    TaskTable *(*tasks)(void *userdata);
    const BusKind *(*kinds)(void *userdata); /* built-in ones; the last has no name */
    unsigned (*running)(void *userdata);
    unsigned (*queued)(void *userdata);
    unsigned (*max_parallel)(void *userdata);
    void (*set_max_parallel)(void *userdata, unsigned max_parallel);

    /* Calls func once everything that has been changed so far is safe; error is 0 or -errno. A
     * reply waits for that. 0, or -ENOMEM: then func is not called. */
    int (*when_committed)(void *userdata, void (*func)(void *arg, int error), void *arg);

    /* The lines of a log that nobody has been told of; final: the unfinished last one too. */
    int (*new_log_lines)(void *userdata, Task *task, bool final, LogLines *ret);
} BusApi;
