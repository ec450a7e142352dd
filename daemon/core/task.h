#pragma once

#include <bsd/sys/tree.h>
#include <sys/queue.h>
#include <sys/types.h>
#include <uthash.h>

#include "common/task-state.h"
#include "daemon/core/progress.h"
#include "daemon/core/task-spec.h"

/* One task: what was asked, and what has become of it. Pure data; task_set_state() is the only way
 * to another state. */

#define TASK_STATUS_MAX (1 * KIB)
#define TASK_MESSAGE_MAX (4 * KIB)
#define TASK_ATTEMPT_MESSAGE_MAX 256 /* there may be many of them */

/* What an attempt has used up. */
typedef struct TaskUsage {
    uint64_t cpu_usec;
    uint64_t memory_peak; /* bytes */
} TaskUsage;

/* A queued task that is claimed is "starting" on disk already: when its turn comes, it can be
 * started without a wait for the disk. */
typedef enum TaskClaim {
    TASK_CLAIM_NONE,
    TASK_CLAIM_PENDING, /* with the commit that is under way */
    TASK_CLAIM_SAFE,
} TaskClaim;

/* An attempt that is over and was not the last. */
typedef struct TaskAttempt {
    unsigned number; /* 1 = the first */
    TaskState state; /* how it ended, as if it had been the end of the task */
    int exit_code, exit_signal;
    uint64_t started_at, finished_at; /* CLOCK_REALTIME, microseconds */
    uint64_t log_offset;              /* where its part of the log begins */
    char *message;
} TaskAttempt;

/* In which structure of the scheduler a task is, see there. */
typedef enum TaskPlace {
    TASK_PLACE_NONE,    /* it is not waiting */
    TASK_PLACE_BLOCKED, /* waits for something that is no time */
    TASK_PLACE_DUE,     /* waits for its time alone */
    TASK_PLACE_LANE,    /* queued */
    TASK_PLACE_AHEAD,   /* queued, handed to an executor ahead of its slot */
} TaskPlace;

/* What is seen of its work, from the first sign of it on. */
typedef struct TaskWork {
    TaskProgress progress;
    TaskUsage usage;
    char *status;        /* NULL = "" */
    char *reason;        /* NULL = "" */
    uint64_t stdin_size; /* bytes that were written to its stdin; UINT64_MAX = not known */
    uint64_t log_kept;   /* bytes on disk of its log and its stdin; known at the end */
} TaskWork;

/* There may be 100,000 of them that wait: what is small comes together, and what few have lies
 * behind a pointer. */
typedef struct Task {
    uint64_t id;
    TaskSpec *spec;

    TaskState state : 8;
    TaskState state_before : 8; /* its end */
    TaskState end_state : 8;    /* its own work is over, and it will end so when its children have
                                   ended; _TASK_STATE_INVALID = it is not */
    TaskPlace place : 8;        /* the scheduler's */
    TaskClaim claim : 8;        /* while it is queued */
    bool has_result;
    bool cancel_requested : 1;
    bool stop_requested : 1; /* the daemon ends: what is cut short is interrupted, not cancelled */
    bool end_untold : 1;     /* it has ended, but that is not committed yet: bus_waits_task_ended()
                                is to come */
    bool told : 1;           /* it has ended, that is on disk, and all have been told */
    bool stored : 1;         /* it has a row in the store */
    bool is_new : 1;     /* whoever starts it has not been told: should it not come to disk, it is
                            withdrawn */
    bool is_listed : 1;  /* the commit queue's: it is in that list */
    bool is_changed : 1; /* what is in memory is not all on disk yet */
    pid_t pid;           /* 0 = none */
    int exit_code;       /* -1 = none */
    int exit_signal;     /* 0 = none */
    unsigned attempt;    /* 1 = the first; 0 = not started yet */
    unsigned n_attempts; /* of those in attempts */
    uint32_t request_bytes; /* the scheduler's; the table's once it has ended: what the request is
                             * counted for */
    TaskAttempt *attempts;  /* those before the last one, in their order */

    uint64_t created_at, started_at, finished_at; /* CLOCK_REALTIME, microseconds, 0 = not yet */
    uint64_t ready_at;                            /* since when it is queued; the same clock */
    uint64_t due_at;    /* not to be started before: start-at, the pause before another attempt, or
                           the next run of a series; 0 = no such */
    uint64_t retry_of;  /* the task of which this one is a repetition; 0 = none */
    TaskWork *work;     /* see task_work(); NULL = none yet */
    char *message;      /* NULL = "" */
    uint64_t log_size;  /* bytes */
    uint64_t log_begin; /* where the part of the last attempt begins in it */

    /* The scheduler's. */
    struct Group *group;      /* while it is active; not owned */
    struct Lane *lane;        /* while it is in the queue; not owned */
    struct TaskTies *ties;    /* NULL = none */
    RB_ENTRY(Task) plan;      /* of its lane, or of those that are due */
    TAILQ_ENTRY(Task) member; /* of its group: those that are pending, or those with a slot */
    union {
        TAILQ_ENTRY(Task) ahead;       /* with TASK_PLACE_AHEAD */
        TAILQ_ENTRY(Task) conditional; /* pending, and with when_online: never handed ahead */
        TAILQ_ENTRY(Task) ended;       /* the table's, once it has ended */
    };

    TAILQ_ENTRY(Task) changed; /* the commit queue's: its row is to be written */
    uint64_t queue_deadline;   /* of queue-timeout, CLOCK_MONOTONIC, microseconds; 0 = none */
    RB_ENTRY(Task) by_id;      /* the table's */
    struct TaskRun *run;       /* the manager's, while something runs; not owned */
    struct TaskOutbox *outbox; /* the bus's, while there are signals to send; not owned */
} Task;

TAILQ_HEAD(TaskQueue, Task);

Task *task_new(uint64_t id, TaskSpec *spec,
               uint64_t now_usec); /* takes spec, unless it gives NULL */
Task *task_free(Task *t);          /* NULL-safe, gives NULL */
DEFINE_CLEANUP(Task *, task_free)

/* Moves the task to another state and notes the time of its start or end. -EPERM when the table of
 * transitions does not have it; then nothing changes. */
int task_set_state(Task *t, TaskState state, uint64_t now_usec);

static inline bool task_is_final(const Task *t) {
    return task_state_is_final(t->state);
}

/* For everybody to see: until an end is on disk, the next daemon may have to tell another; and what
 * is queued in a group that is paused waits for that. */
TaskState task_shown_state(const Task *t);

/* It is in the hands of the scheduler: not started yet, or to be started again. */
static inline bool task_is_pending(const Task *t) {
    return t->state == TASK_WAITING || t->state == TASK_QUEUED;
}

/* Notes an attempt that is over and is to be followed by another. message is copied, and cut at its
 * cap. 0 or -ENOMEM. */
int task_add_attempt(Task *t, const TaskAttempt *attempt);

/* What is seen of its work; never NULL. */
const TaskWork *task_work(const Task *t);
/* The same, to be changed. NULL when memory is short. */
TaskWork *task_work_make(Task *t);

/* What is done of it a second; negative: not known. now_usec: CLOCK_MONOTONIC. */
double task_rate(const Task *t, uint64_t now_usec);
/* Microseconds to the end of its work, or of the phase that it is in; USEC_INFINITY: not known. */
uint64_t task_remaining_usec(const Task *t, uint64_t now_usec);

void task_set_usage(Task *t, const TaskUsage *usage);

/* Replace one of the texts, cut at its cap. False when it is the same as before or memory is short.
 */
bool task_set_status(Task *t, const char *text);
bool task_set_message(Task *t, const char *text);
bool task_set_reason(Task *t, const char *text);
