#pragma once

#include <systemd/sd-bus.h>

#include "daemon/bus/backend-api.h"
#include "daemon/core/error.h"
#include "daemon/core/filter.h"
#include "daemon/core/group.h"
#include "daemon/core/log-line.h"
#include "daemon/core/resource.h"
#include "daemon/core/stdin-write.h"
#include "daemon/core/task-table.h"

#define LONGRUN_BUS_NAME "org.longrun.Longrun1"
#define LONGRUN_ROOT_PATH "/org/longrun/Longrun1"
#define LONGRUN_TASK_PATH LONGRUN_ROOT_PATH "/task"
#define LONGRUN_MANAGER_INTERFACE "org.longrun.Longrun1.Manager"
#define LONGRUN_TASK_INTERFACE "org.longrun.Longrun1.Task"

typedef struct BusKind {
    const char *name, *description;
} BusKind;

/* What is to be another in a group; the rest of it stays. */
typedef struct GroupChange {
    bool has_max_parallel, has_max_queued;
    uint32_t max_parallel, max_queued;
    TaskSpec *defaults; /* those in defaults->given */
    uint64_t unset;     /* defaults to take away, by task_option_bit() */
} GroupChange;

typedef enum GroupOrder {
    GROUP_PAUSE,  /* nothing of it is started */
    GROUP_RESUME, /* neither paused nor draining */
    GROUP_DRAIN,  /* it takes nothing in */
} GroupOrder;

/* What the bus asks of the rest of the daemon; the manager fills it in. Functions with an Error
 * give 0 or more, -EREMOTE with the error set, or another -errno. Methods parse and check their
 * arguments before they call. */
typedef struct BusApi {
    /* Holds a request against all that can be known before it is started, fills in the defaults of
     * its group, and packs it. To be called for each before start. */
    int (*check)(void *userdata, TaskSpec **spec, Error *error);
    /* Whether the calendars of these elapse again. 0: they do; 1: that is being found out, and func
     * is called later, from the loop, with the error or NULL. */
    int (*check_calendars)(void *userdata, TaskSpec *const *specs, size_t n,
                           void (*func)(void *arg, const Error *error), void *arg, Error *error);
    /* Starts all or none; takes the specs it starts (sets them to NULL). ret_ids has room for n. */
    int (*start)(void *userdata, TaskSpec **specs, size_t n, uint64_t *ret_ids, Error *error);
    /* Of an active task. */
    void (*cancel)(void *userdata, Task *task);
    int (*kill)(void *userdata, Task *task, int signal, Error *error);
    void (*set_label)(void *userdata, Task *task, char *label);         /* takes label */
    void (*set_priority)(void *userdata, Task *task, int32_t priority); /* of a pending one */
    /* Starts a task with the same request as one that has ended. The id is that of an active task
     * with the same unique key, if there is one. */
    int (*retry)(void *userdata, const Task *task, uint64_t *ret_id, Error *error);
    int (*pause)(void *userdata, Task *task, bool pause, Error *error); /* of an active one */
    void (*remove)(void *userdata, Task *task);                /* of an ended task; frees it */
    int (*open_log)(void *userdata, Task *task, Error *error); /* descriptor for the caller */
    int (*open_log_index)(void *userdata, Task *task, Error *error); /* the same */
    /* Where the log is, to be freed by the caller; "": it is empty. NULL when memory is short. */
    char *(*log_path)(void *userdata, const Task *task);
    /* A message, checked by message_check(), for a task or for all its children that take it. */
    int (*send)(void *userdata, Task *task, const char *text, Error *error);
    int (*send_to_children)(void *userdata, Task *task, const char *text, uint32_t *ret_sent,
                            Error *error);
    /* Writes to the stdin of a task. 1: it is done; 0: it waits for room, and w->done() is called
     * later, from the loop, unless it is dropped before. */
    int (*write_stdin)(void *userdata, Task *task, StdinWrite *w, Error *error);
    void (*drop_stdin)(void *userdata, Task *task, StdinWrite *w); /* of one that waits */
    int (*read_log)(void *userdata, Task *task, uint64_t offset, void *buf, size_t size,
                    uint64_t *ret_next, Error *error); /* number of bytes */
    /* Reads the result of an ended task and deletes it; func is called once that is on disk. The
     * text is func's to read, not to keep; NULL when there is an error. */
    int (*take_result)(void *userdata, Task *task,
                       void (*func)(void *arg, const char *result, const Error *error), void *arg,
                       Error *error);
    int (*reload)(void *userdata, Error *error);

    /* Makes the group, or changes it. */
    int (*configure_group)(void *userdata, const char *name, const GroupChange *change,
                           Error *error);
    int (*remove_group)(void *userdata, const char *name, Error *error);
    int (*order_group)(void *userdata, const char *name, GroupOrder order,
                       Error *error);                               /* "" = every group */
    const Group *(*next_group)(void *userdata, const Group *group); /* by name; NULL begins, ends */
    int (*configure_resource)(void *userdata, const char *name, uint32_t capacity, Error *error);
    const Resource *(*next_resource)(void *userdata, const Resource *resource); /* the same */

    TaskSpec *(*new_spec)(void *userdata, const char *kind); /* with the defaults filled in */
    EnvBlock *(*intern_env)(void *userdata, char *const *env);
    /* The tasks in memory: the active ones, and some of those that have ended. */
    TaskTable *(*tasks)(void *userdata);

    /* Those that have ended and are not in memory. All of these call func later, from the loop,
     * with 0 or -errno; nothing leaves memory before it has returned. 0, or -errno: then func is
     * not called. */

    /* Brings tasks into memory, as far as they exist: task_table_find() then finds them. */
    int (*recall)(void *userdata, const uint64_t *ids, size_t n, void (*func)(void *arg, int error),
                  void *arg);
    /* A page of all tasks, active and ended. The filter's strings are copied. The tasks are func's
     * to look at, not to keep. next: cursor of the next page, 0 at the end. */
    int (*list)(void *userdata, const TaskFilter *filter,
                void (*func)(void *arg, int error, Task *const *tasks, size_t n, uint64_t next),
                void *arg);
    int (*count)(void *userdata, const TaskFilter *filter,
                 void (*func)(void *arg, int error, const uint32_t counts[_TASK_STATE_MAX]),
                 void *arg);
    /* Removes ended tasks that match; func when all of them are gone from the disk. */
    int (*prune)(void *userdata, const TaskFilter *filter,
                 void (*func)(void *arg, int error, uint32_t removed), void *arg);
    /* The same as retry for all ended tasks that match, oldest first: all or none. result: 0,
     * -EREMOTE with the error set, or -errno; the reply waits for a commit. */
    int (*retry_all)(void *userdata, const TaskFilter *filter,
                     void (*func)(void *arg, int result, const uint64_t *ids, size_t n,
                                  const Error *error),
                     void *arg);

    const char *(*isolation)(
        void *userdata); /* ISOLATION_* of common/shim-protocol.h, "" = not known yet */
    bool (*low_disk)(void *userdata);
    bool (*ends_at_logout)(void *userdata);
    /* What an active task has used up by now. */
    TaskUsage (*usage)(void *userdata, const Task *task);
    /* Why it is as it is, in words; to be freed by the caller. NULL when memory is short. */
    char *(*reason)(void *userdata, const Task *task);
    const BusKind *(*kinds)(void *userdata); /* built-in ones; the last has no name */
    unsigned (*running)(void *userdata);
    unsigned (*queued)(void *userdata);
    unsigned (*max_parallel)(void *userdata);
    void (*set_max_parallel)(void *userdata, unsigned max_parallel);

    /* Calls func once everything that has been changed so far is safe; error is 0 or -errno. A
     * reply waits for that. 0, or -ENOMEM: then func is not called. */
    int (*when_committed)(void *userdata, void (*func)(void *arg, int error), void *arg);

    const BackendApi *backends;

    /* The lines of a log that nobody has been told of; final: the unfinished last one too. */
    int (*new_log_lines)(void *userdata, Task *task, bool final, LogLines *ret);
} BusApi;
