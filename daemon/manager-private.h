#pragma once

#include "daemon/bus/bus.h"
#include "daemon/calendar.h"
#include "daemon/clock-watch.h"
#include "daemon/commit.h"
#include "daemon/core/group.h"
#include "daemon/core/scheduler.h"
#include "daemon/exec/exec-shim.h"
#include "daemon/exec/exec-thread.h"
#include "daemon/exec/start-trace.h"
#include "daemon/http/backend-watch.h"
#include "daemon/logs/log-tail.h"
#include "daemon/manager.h"
#include "daemon/service-status.h"
#include "daemon/store/store.h"
#include "daemon/tasks-unit.h"

/* For the manager-*.c files alone. */

/* Memory of the environments of all tasks: 100,000 of one shell have one. Above the first, ended
 * tasks leave memory, above the second, nothing is started. */
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
    ResourceTable kept_resources; /* as they are on disk */
    HttpLoop *http;
    BackendWatches *watches;
    Backend *backends;                 /* by name */
    struct KeptBackend *kept_backends; /* as they are on disk; by name */
    BusKind *kinds;                    /* built-in ones; the last has no name */
    uint64_t next_id;

    Store *store;
    CommitQueue *commits;
    struct Gone *gone; /* tasks that are removed, as long as a read may still bring one back */
    sd_event_source *retention; /* when to look what is to go */
    bool retention_soon;        /* that is in a moment: tasks have ended */
    bool retention_under_way;
    unsigned retention_put_off; /* so many times in a row */
    sd_event_source *settling;  /* enabled: memory may be given back */
    sd_event_source *trimming;  /* enabled: and to the system, when there is nothing else to do */

    sd_event_source *scheduling; /* enabled: free slots are to be given away */
    bool overtaken;              /* a task is ready that comes before some that were handed ahead */
    sd_event_source *claim_timer;
    uint64_t claim_used; /* when one was made, or made use of, last; CLOCK_MONOTONIC */
    sd_event_source *queue_timer;
    uint64_t queue_due; /* when the first queue-timeout is over, or sooner; USEC_INFINITY: never */
    sd_event_source *disk_timer;
    uint64_t disk_checked; /* CLOCK_MONOTONIC */
    bool low_disk;
    TAILQ_HEAD(, StateNews) state_news; /* groups of whose tasks clients are being told */
    sd_event_source *state_timer;
    char *blocked; /* why nothing is started, NULL: nothing is in the way */

    ShimExecutor *shims;
    ThreadExecutor *threads;
    StartTrace *trace;
    TasksUnit *unit; /* NULL before manager_attach_bus() */
    Bus *bus;        /* the same */
    ServiceStatus status;
    ClockWatch *clock;
    Calendar *calendar;
    struct Series *series; /* by id */
    LIST_HEAD(, CalendarCheck) calendar_checks;
    LIST_HEAD(, BackendNote) backend_notes; /* the same, of backends */
    LIST_HEAD(, GroupNote) group_notes;     /* what is to be told of groups when it is on disk */

    unsigned threads_running;
    struct SavedOperation *saved_operations; /* by task, during the start */
    LIST_HEAD(, OperationSave) operation_saves;
    sd_event_source *stop_timer;
    bool stop_overdue; /* what is under way is not waited for any more */
    bool stopping, has_stuck_threads;
    int exit_status;
};

/* What was asked for last, of this daemon. */
typedef enum PauseRequest {
    PAUSE_REQUEST_NONE,
    PAUSE_REQUEST_PAUSE,
    PAUSE_REQUEST_RESUME,
} PauseRequest;

/* A task that has a slot, until its end has been told. */
typedef struct TaskRun {
    Manager *manager; /* not owned */
    Task *task;       /* not owned */
    ExecJob *job;     /* NULL before the start and after the end */
    LogTail *tail;    /* NULL before the first output */
    char *runtime_dir;
    bool is_thread, is_loop; /* see manager_place(); neither: it has a process */
    bool is_counted;         /* in threads_running */
    bool waits_for_disk;     /* for "starting" to be there, since there is no other trace of it */
    int trace_place;         /* where it is noted that it has begun; negative: nowhere */
    PauseRequest pause_request;
    sd_event_source *timeout, *idle; /* of a task on a thread; NULL = none */
    uint64_t active_at;              /* the last sign of life, CLOCK_MONOTONIC */
    bool message_refused;            /* the last one that it sent was not taken by its parent */
    Backend *backend;                /* of an operation, which it uses; NULL = none; not owned */
    char *saved;                     /* it is an operation, and has this on disk; NULL: nothing */
    char *limit;                     /* which limit it was stopped for, in words; NULL = none */
} TaskRun;

/* manager.c */
TaskSpec *manager_new_spec(void *userdata, const char *kind);

/* manager-check.c */
/* As BusApi.check; also for requests that do not come from the bus. */
int manager_check_spec(void *userdata, TaskSpec **spec, Error *error);
/* The same for a request that was made before: defaults were filled in then. */
int manager_check_again(Manager *m, TaskSpec **spec, Error *error);

/* manager-start.c */
/* The requests have been checked. */
int manager_start_tasks(void *userdata, TaskSpec **specs, size_t n, uint64_t *ret_ids,
                        Error *error);

/* The same with the tasks of which they are repetitions, where there are any; NULL: there are none.
 */
int manager_start_again(Manager *m, TaskSpec **specs, const uint64_t *retry_of, size_t n,
                        uint64_t *ret_ids, Error *error);

/* Puts a new task everywhere, with its group. may_fail: somebody waits for the answer; when it
 * cannot be written, it never was. Else it is written as soon as that is possible. */
void manager_add_task(Manager *m, Task *t, Group *g, bool may_fail);

/* manager-retry.c */
int manager_retry(void *userdata, const Task *t, uint64_t *ret_id, Error *error);
int manager_retry_all(void *userdata, const TaskFilter *filter,
                      void (*func)(void *arg, int result, const uint64_t *ids, size_t n,
                                   const Error *error),
                      void *arg);

/* manager-ties.c */
/* Whether the tasks that the request waits for are there, all of them in memory. 0 or -EREMOTE. */
int manager_check_needs(const Manager *m, const TaskSpec *spec, Error *error);
/* Ties a new task to those that it needs and to its parent, which find() gives. *ret_cause: one
 * whose end is not as it needs it, so that it is to be skipped, or NULL. 0, -ENOMEM, or -EREMOTE
 * when it could never end. */
typedef Task *(*ManagerFindFunc)(void *userdata, uint64_t id);
int manager_tie(Task *t, ManagerFindFunc find, void *userdata, const Task **ret_cause,
                Error *error);

/* A task for which another one is skipped. */
typedef struct ManagerCause {
    uint64_t id; /* 0 = there is none */
    TaskState state;
    const char *label; /* not owned; NULL = not known */
    const char *first; /* the same: why that one was skipped */
} ManagerCause;
ManagerCause manager_cause_of(const Task *t);
/* Ends a waiting task as skipped. */
void manager_skip(Manager *m, Task *t, const ManagerCause *cause);

/* How tasks have ended that are on disk alone: what was asked for last. */
typedef struct ManagerEnds {
    struct {
        uint64_t id;
        bool is_known; /* else it has been removed */
        TaskState state;
    } cache[1024];
} ManagerEnds;
/* Ties a task of an earlier daemon. 0 or -errno. */
int manager_tie_again(Manager *m, ManagerEnds *ends, Task *t, ManagerCause *ret_cause);

/* manager-plan.c */
void manager_init_plan(Manager *m);
/* Puts a new task into its group's queue. */
void manager_enter(Manager *m, Task *t, Group *g);
/* The same for one that goes back there. */
void manager_enter_again(Manager *m, Task *t);
/* Why a task is as it is; to be freed. NULL when memory is short. */
char *manager_reason(void *userdata, const Task *t);

/* manager-slot.c */
int manager_init_scheduling(Manager *m);
/* Gives free slots to tasks that wait, in the next turn of the loop. */
void manager_schedule(Manager *m);
/* Before anything changes the order of the queue, or who may start: tasks that were handed to the
 * thread pool ahead of their slots are in the queue again, but for those that have begun. */
void manager_take_back_ahead(Manager *m);
/* One of them has begun. */
void manager_begin_ahead(Task *t);
/* Tasks on threads, also those of which it is not known yet that they have begun. */
unsigned manager_threads_busy(const Manager *m);
void manager_update_status(Manager *m);

/* manager-run.c */
typedef enum RunPlace {
    RUN_ON_THREAD,
    RUN_IN_PROCESS, /* under a shim */
    RUN_ON_LOOP,    /* see manager-operation.c */
} RunPlace;
RunPlace manager_place(const TaskSpec *spec);
bool manager_runs_on_thread(const TaskSpec *spec);
/* ahead: on a thread, as soon as another one has ended there. 0 or -errno. */
int manager_start_job(TaskRun *run, bool ahead);
void manager_cancel_alone(Manager *m, Task *t); /* an active one; see manager_cancel_task() */
int manager_pause_task(void *userdata, Task *t, bool pause, Error *error);
TaskUsage manager_usage(void *userdata, const Task *t);
/* A run for a task that has a slot. NULL when memory is short. */
TaskRun *manager_new_run(Manager *m, Task *t);
/* Takes up the command of an earlier daemon. As shim_job_adopt(). */
int manager_adopt(TaskRun *run);
void manager_publish_state(Manager *m, Task *t); /* once it is committed */

extern const ExecEvents *const manager_exec_events; /* userdata: the TaskRun */
/* The socket of the journal, where output is to go there too. */
const char *manager_journal(const Manager *m);

/* manager-operation.c: the kind http-operation */
/* The params, held against the backends that there are. 0 or -EREMOTE. */
int manager_check_operation(const Manager *m, const TaskSpec *spec, const cJSON *params,
                            Error *error);
/* saved: what an earlier daemon has saved, NULL = it is a new one. 0; -ENODEV: a new one, and there
 * is no such backend any more; or another -errno. */
int manager_start_operation(TaskRun *run, const char *saved);
void manager_put_operations(Manager *m); /* what is saved is to be written */
/* The run is over, of whatever kind. In the turn in which its end is put. */
void manager_operation_ended(TaskRun *run);
/* A backend has come: operations that were taken up without it go on. */
void manager_operations_join(Manager *m, Backend *b);
/* What the daemon before has saved: for the time of the recovery. */
int manager_load_operations(Manager *m);
const char *manager_saved_operation(const Manager *m, uint64_t id); /* NULL = nothing */
void manager_forget_saved_operations(Manager *m);
void manager_done_operations(Manager *m);
void manager_hold_operations(Manager *m);
bool manager_operations_starting(const Manager *m);

/* manager-tree.c */
/* Whether the task may have children, 0 = none is meant. 0 or -EREMOTE. */
int manager_check_parent(const Manager *m, uint64_t id, Error *error);
/* Of a task of an earlier daemon. 0 or -ENOMEM. */
int manager_tie_to_parent(Manager *m, Task *t);
/* A task is to end so. True: it does when its children have, and when it is on disk. */
bool manager_await_end(Manager *m, Task *t, TaskState state);
/* The task has ended. Gives the parent when that has waited for nobody else, to be ended now. */
Task *manager_leave_parent(Task *t);
/* All that is below it. */
void manager_cancel_children(Manager *m, Task *root);
void manager_cancel_task(void *userdata, Task *t); /* an active one, and all below it */
/* Why one that waits for its children has not ended; to be freed. NULL when memory is short. */
char *manager_tree_reason(const Task *t);

/* manager-message.c */
int manager_send(void *userdata, Task *t, const char *text, Error *error);
int manager_send_to_children(void *userdata, Task *t, const char *text, uint32_t *ret_sent,
                             Error *error);
/* It has sent one to its parent. */
void manager_task_sent(TaskRun *run, const char *text);

/* manager-stdin.c */
int manager_write_stdin(void *userdata, Task *t, StdinWrite *w, Error *error);
void manager_drop_stdin(void *userdata, Task *t, StdinWrite *w);

/* manager-claim.c */
int manager_init_claims(Manager *m);
void manager_claim(Manager *m);      /* a commit is about to begin */
void manager_claim_used(Manager *m); /* there is something going on */
/* What is only claimed is queued again, on disk too. */
void manager_give_back_claims(Manager *m);

/* manager-end.c */
void manager_drop_run(TaskRun *run); /* frees it; nothing runs, nothing has ended */
void manager_set_state(Task *t, TaskState state);
/* The run is over; the task too, unless it is to be tried again. */
void manager_finish_run(TaskRun *run, const ExecOutcome *outcome);
/* Of one whose own work was over already: it ends, or waits for its children still. */
void manager_end_after_children(Manager *m, Task *t);
/* What told a next daemon of the run is of no more use. */
void manager_clear_traces(TaskRun *run);
/* Of a task that has no slot. */
void manager_finish_queued(Manager *m, Task *t, TaskState state, const char *message);

/* manager-again.c */
/* The attempt is over, its message is set, and it holds no slot any more. True: it is to be
 * followed by another, and the task is on its way back to the scheduler. */
bool manager_try_again(TaskRun *run, TaskState state, const ExecOutcome *outcome);
/* It was claimed, no more than that: this was no attempt. */
void manager_take_back_claim(TaskRun *run);
/* The next one is about to begin: Reason tells of the one before. */
void manager_attempt_begins(Task *t);

/* manager-group.c */
int manager_load_groups(Manager *m);
void manager_done_groups(Manager *m);
void manager_put_groups(Manager *m); /* all of them are to be written */
/* 0, or -EREMOTE with NoSuchGroup. */
int manager_find_group(const Manager *m, const char *name, Group **ret, Error *error);
/* Makes it when it is not there: it was lost with a damaged database. NULL when memory is short. */
Group *manager_need_group(Manager *m, const char *name);
/* To be called in the same turn in which the task has reached its final state, so that the count is
 * in the same commit. It is none of the group from then on. */
void manager_group_task_ended(Manager *m, Task *t);
/* Tells that a group has run dry, if it has, and that was not told: its last task never was. */
void manager_tell_if_dry(Manager *m, Group *g);
int manager_configure_group(void *userdata, const char *name, const GroupChange *change,
                            Error *error);
int manager_remove_group(void *userdata, const char *name, Error *error);
int manager_order_group(void *userdata, const char *name, GroupOrder order, Error *error);
const Group *manager_next_group(void *userdata, const Group *g);

/* manager-group-news.c */
int manager_init_state_news(Manager *m);
void manager_done_state_news(Manager *m);
/* The queued tasks of the group are shown in another state: clients are told, little by little. */
void manager_tell_states(Manager *m, Group *g);
void manager_forget_states(Manager *m, const Group *g); /* it is about to go */

/* manager-resource.c */
int manager_load_resources(Manager *m);
void manager_put_resources(Manager *m); /* those that are kept are to be written */
/* The configuration was read again. before: its resources until now. */
void manager_follow_config_resources(Manager *m, const ResourceTable *before);
int manager_configure_resource(void *userdata, const char *name, uint32_t capacity, Error *error);
const Resource *manager_next_resource(void *userdata, const Resource *r);

/* manager-backend.c */
int manager_init_backends(Manager *m);
/* Who waits for an answer is told; nobody may be at work on one. The bus is to go after this. */
void manager_done_backends(Manager *m);
/* The configuration was read again. */
void manager_follow_config_backends(Manager *m);
Backend *manager_find_backend(void *userdata, const char *name); /* NULL = there is none */
const Backend *manager_next_backend(void *userdata, const Backend *b);
int manager_add_backend(void *userdata, const char *name, BackendSettings *settings, Error *error);
int manager_remove_backend(void *userdata, const char *name, Error *error);
int manager_set_backend_polling(void *userdata, Backend *b, bool on, Error *error);
/* Tasks with when-online go by its state. */
void manager_set_backend_condition(Manager *m, const Backend *b);

/* manager-backend-news.c */
void manager_backend_state_changed(void *userdata, Backend *b); /* or the reason for it */

/* manager-backend-kept.c */
void manager_put_backends(Manager *m); /* those that are kept are to be written */

/* manager-backend-ask.c */
extern const BackendApi manager_backend_api;

/* manager-due.c */
int manager_init_due(Manager *m);

/* manager-calendar.c */
/* As BusApi.check_calendars. */
int manager_check_calendars(void *userdata, TaskSpec *const *specs, size_t n,
                            void (*func)(void *arg, const Error *error), void *arg, Error *error);
void manager_done_calendars(Manager *m);

/* manager-series.c */
/* It is on disk, and with the scheduler. */
void manager_series_begin(Manager *m, Task *t);
/* Those of the daemon before go on, once all of its tasks are there. */
void manager_series_recover(Manager *m);
/* It has ended, or never was. */
void manager_series_forget(Manager *m, const Task *t);
void manager_done_series(Manager *m);
/* Why it does not run, where that is not its time; to be freed. NULL: the scheduler knows. */
char *manager_series_reason(const Manager *m, const Task *t);

/* manager-series-run.c */
void manager_series_elapsed(Manager *m, Task *t);
/* A run of it has ended, and is no child of it any more; the end is put into the next commit. */
void manager_series_run_ended(Manager *m, Task *t);

/* manager-series-calendar.c */
/* A new series is given its first time, as far as that is known. Before it goes to the scheduler.
 */
void manager_series_plan(Manager *m, Task *t);
/* The clock or the time zone is another one. */
void manager_series_ask_anew(Manager *m);

/* manager-guard.c */
int manager_init_guards(Manager *m);
/* elapsed_usec: for so long it has run already. */
void manager_guard_run(TaskRun *run, uint64_t elapsed_usec);
void manager_guard_done(TaskRun *run);
/* The task has been put into the queue. */
void manager_guard_queued(Manager *m, Task *t);

/* manager-disk.c */
int manager_init_disk(Manager *m);
/* Whether tasks may be started; looks at the disk, but not often. */
bool manager_disk_has_room(Manager *m);
/* A commit went wrong, or (0) right. */
void manager_disk_error(Manager *m, int error);

/* manager-recover.c */
int manager_recover(Manager *m, Error *error);

/* manager-stop.c */
void manager_exit_if_idle(Manager *m);   /* when it is stopping */
void manager_exit_unwritten(Manager *m); /* the same, when a commit went wrong */

/* manager-history.c */
int manager_init_history(Manager *m);
void manager_done_history(Manager *m);
/* Memory that ended tasks take is given back, and soon it is seen what is to be removed. */
void manager_forget_ended(Manager *m);
int manager_remove_id(Manager *m, uint64_t id);
void manager_remove_task(void *userdata, Task *t);
int manager_recall(void *userdata, const uint64_t *ids, size_t n,
                   void (*func)(void *arg, int error), void *arg);
int manager_prune(void *userdata, const TaskFilter *filter,
                  void (*func)(void *arg, int error, uint32_t removed), void *arg);
/* It is being removed, or was and something may still bring it back. */
bool manager_is_gone(const Manager *m, uint64_t id);
/* To be called when something has been read: what had to stay in memory for that may go, soon. */
void manager_settle(Manager *m);

/* manager-memory.c */
int manager_init_memory(Manager *m);
/* So many tasks have come, or gone, at once. */
void manager_trim_after(Manager *m, size_t n_tasks);

/* manager-list.c */
/* A copy of a filter that outlives its message. 0 or -ENOMEM. */
int manager_filter_keep(TaskFilter *ret, const TaskFilter *f);
void manager_filter_done(TaskFilter *f);
int manager_list(void *userdata, const TaskFilter *filter,
                 void (*func)(void *arg, int error, Task *const *tasks, size_t n, uint64_t next),
                 void *arg);
int manager_count(void *userdata, const TaskFilter *filter,
                  void (*func)(void *arg, int error, const uint32_t counts[_TASK_STATE_MAX]),
                  void *arg);

/* manager-access.c */
int manager_kill_task(void *userdata, Task *t, int signal, Error *error);
void manager_set_priority(void *userdata, Task *t, int32_t priority); /* a pending one */
void manager_set_label(void *userdata, Task *t, char *label);
int manager_open_log(void *userdata, Task *t, Error *error);
int manager_open_log_index(void *userdata, Task *t, Error *error);
char *manager_log_path(void *userdata, const Task *t);
int manager_read_log(void *userdata, Task *t, uint64_t offset, void *buf, size_t size,
                     uint64_t *ret_next, Error *error);
int manager_new_log_lines(void *userdata, Task *t, bool final, LogLines *ret);
int manager_take_result(void *userdata, Task *t,
                        void (*func)(void *arg, const char *result, const Error *error), void *arg,
                        Error *error);
