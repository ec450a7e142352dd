#pragma once

#include "daemon/bus/bus.h"
#include "daemon/commit.h"
#include "daemon/core/group.h"
#include "daemon/core/scheduler.h"
#include "daemon/exec/exec-shim.h"
#include "daemon/exec/exec-thread.h"
#include "daemon/logs/log-tail.h"
#include "daemon/manager.h"
#include "daemon/service-status.h"

/* For the manager-*.c files alone. */

/* Memory of the environments of all tasks: 100,000 of one shell have one. Above the first, ended
 * tasks are forgotten, above the second, nothing is started. */
#define MANAGER_ENDED_ENVIRONMENTS_MAX (32 * MIB)
#define MANAGER_ENVIRONMENTS_MAX (64 * MIB)

struct Manager {
    sd_event *event; /* not owned */
    char *config_path, *libexec_dir;
    uint64_t nofile; /* soft RLIMIT_NOFILE of tasks */
    bool config_required, has_max_parallel;
    unsigned max_parallel; /* of the command line */
    Config config;
    char *home; /* default working directory */
    StateDir dirs;

    EnvTable *envs;
    TaskTable tasks;
    Scheduler scheduler;
    Group group;
    BusKind *kinds; /* built-in ones; the last has no name */

    CommitQueue *commits;
    sd_event_source *scheduling; /* enabled: free slots are to be given away */
    ShimExecutor *shims;
    ThreadExecutor *threads;
    Bus *bus; /* NULL before manager_attach_bus() */
    ServiceStatus status;

    bool stopping;
    int exit_status;
};

/* A task that has a slot, until its end has been told. */
typedef struct TaskRun {
    Manager *manager; /* not owned */
    Task *task;       /* not owned */
    ExecJob *job;     /* NULL before the start and after the end */
    LogTail *tail;    /* NULL before the first output */
    char *runtime_dir;
} TaskRun;

/* manager-start.c */
int manager_start_tasks(void *userdata, TaskSpec **specs, size_t n, uint64_t *ret_ids,
                        Error *error);

/* manager-run.c */
int manager_init_scheduling(Manager *m);
/* Gives free slots to tasks that wait, in the next turn of the loop. */
void manager_schedule(Manager *m);
void manager_cancel_task(void *userdata, Task *t); /* an active one */
void manager_interrupt_queued(Manager *m);
void manager_exit_if_idle(Manager *m); /* when it is stopping */

/* manager-access.c */
int manager_kill_task(void *userdata, Task *t, int signal, Error *error);
void manager_set_label(void *userdata, Task *t, char *label);
void manager_remove_task(void *userdata, Task *t);
int manager_open_log(void *userdata, Task *t, Error *error);
int manager_read_log(void *userdata, Task *t, uint64_t offset, void *buf, size_t size,
                     uint64_t *ret_next, Error *error);
int manager_new_log_lines(void *userdata, Task *t, bool final, LogLines *ret);
int manager_take_result(void *userdata, Task *t,
                        void (*func)(void *arg, const char *result, const Error *error), void *arg,
                        Error *error);
