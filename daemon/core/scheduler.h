#pragma once

#include "daemon/core/group.h"
#include "daemon/core/resource.h"
#include "daemon/core/task-ties.h"

/* Who may run next. Pure: the clock is passed in, nothing is written, and what it decides depends
 * on nothing but the tasks, groups and resources that it was told of. Holds references to tasks
 * that the table owns; owns groups, resources and conditions.
 *
 * A task that has not started is `waiting` as long as it needs another task, a time or a condition,
 * and `queued` from then on. In a group, the higher priority goes first, and with the same priority
 * the older task (the lower id). Groups that have something to start take turns. A task gets a slot
 * (max_parallel), one of its group's, and its tokens, all at once or not at all. If its tokens are
 * not free, those behind it that want none of the same pass by; nobody else gets any that it waits
 * for, in whatever group, so that no stream of small claims keeps a large one waiting for ever.
 *
 * Times are CLOCK_REALTIME, microseconds. */

/* Memory that waiting requests may take: 100,000 small ones fit well, a hundred huge ones too. */
#define SCHEDULER_QUEUED_BYTES_MAX (256 * MIB)

/* Something that holds or does not, and that tasks wait for by its name: that a backend is online.
 */
typedef struct Condition Condition;

typedef struct SchedulerEvents {
    /* It waited, and is queued now. Called once the scheduler is consistent again; it may be called
     * from within any function that is handed the time or an end. */
    void (*ready)(void *userdata, Task *t);
    /* cause has ended, and not as t needs it: t is to be taken out (scheduler_remove()) and to be
     * ended. Never called from within scheduler_task_ended() of another: chains do not recurse. */
    void (*doomed)(void *userdata, Task *t, const Task *cause);
    /* It was queued, and waits again, since a condition does not hold any more. Its claim, if it
     * has one, is to be given back. */
    void (*unready)(void *userdata, Task *t);
    /* The time of a series has come. It has no time now: that begins with the next
     * scheduler_due_changed(). */
    void (*elapsed)(void *userdata, Task *t);
} SchedulerEvents;

RB_HEAD(TaskDues, Task);
RB_HEAD(LaneOrder, Lane);

typedef struct Scheduler {
    const SchedulerEvents *events;
    void *userdata;
    Group *groups; /* by name */
    ResourceTable resources;
    Condition *conditions;

    struct GroupRing ring;        /* those with queued tasks, whose turn is next first */
    struct LaneOrder wanting;     /* lanes of all groups whose first wants tokens, in its order */
    struct TaskQueue ahead;       /* see scheduler_hand_ahead() */
    struct TaskDues due;          /* tasks that wait for their time alone */
    struct TaskQueue conditional; /* pending tasks with a condition, whether it holds or not */
    struct LaneList busy;         /* lanes of which tasks were started */
    uint64_t last_turn;
    unsigned counted;       /* Resource.wanted_by is right for as many as were made */
    struct ChildList ended; /* whose dependents are to be looked at */
    bool settling;

    unsigned max_parallel; /* 0 = no limit */
    unsigned max_queued;
    unsigned running; /* slots in use */
    unsigned queued;  /* not started, waiting ones too; n_ahead of them are in the list ahead */
    unsigned n_ahead;
    size_t queued_bytes;
    bool closed;      /* no more starts */
    unsigned started; /* since scheduler_claim() was called last */
} Scheduler;

void scheduler_init(Scheduler *s, unsigned max_parallel, unsigned max_queued,
                    const SchedulerEvents *events, void *userdata);
void scheduler_done(Scheduler *s);

/* ---- groups ---- */

Group *scheduler_find_group(const Scheduler *s, const char *name); /* NULL = there is none */
/* Takes the group. Its turn counts as it is: one that was never served comes
 * first. */
void scheduler_add_group(Scheduler *s, Group *g);
/* Without active tasks. Gives it to the caller. */
void scheduler_take_group(Scheduler *s, Group *g);
Group *scheduler_next_group(const Scheduler *s, const Group *g); /* by name; NULL begins and ends */

/* ---- conditions ---- */

/* Makes or changes one. 0 or -ENOMEM. */
int scheduler_set_condition(Scheduler *s, const char *name, bool holds, uint64_t now);
/* Tasks that wait for it go on waiting, until one of that name is there again. */
void scheduler_remove_condition(Scheduler *s, const char *name, uint64_t now);
bool scheduler_has_condition(const Scheduler *s, const char *name);

/* ---- tasks that come ---- */

/* Whether these requests fit into their groups and into all, one after the other; groups[i] is that
 * of specs[i]. 0, or -EREMOTE with QueueFull. */
int scheduler_check_room(Scheduler *s, TaskSpec *const *specs, Group *const *groups, size_t n,
                         Error *error);

/* Puts in a task, whose ties have been made; its state becomes waiting or queued, and once it is
 * queued its due_at is over, and 0. Its place is that of its age, also when it was started before.
 * It does not call events->ready. A series only waits, for its due_at, and where that is 0 for
 * scheduler_due_changed(). */
void scheduler_add(Scheduler *s, Task *t, Group *g, uint64_t now);
/* A task that runs already: it takes a slot, one of its group and its tokens, be they free or not.
 */
void scheduler_occupy(Scheduler *s, Task *t, Group *g);

/* ---- tasks that wait ---- */

void scheduler_set_priority(Scheduler *s, Task *t, int32_t priority);
/* The time has come for those that are due. */
void scheduler_set_time(Scheduler *s, uint64_t now);
/* due_at is another one now (it waits). */
void scheduler_due_changed(Scheduler *s, Task *t, uint64_t now);
/* When scheduler_set_time() is to be called next; USEC_INFINITY = never. */
uint64_t scheduler_next_due(const Scheduler *s);
/* Why a pending task does not run, in words for people; to be freed by the caller. NULL when memory
 * is short. */
char *scheduler_reason(Scheduler *s, const Task *t);
/* Walks the queued and waiting tasks of a group (NULL: of all), in no order: NULL begins and ends.
 * The one at hand may be removed once the next is known. */
Task *scheduler_next_pending(const Scheduler *s, const Group *g, const Task *t);

/* ---- starts ---- */

/* Claims the tasks that are next, for the slots that are free and as many as will get free before
 * the next commit is over, judging by the last one. Calls func for each new one. */
void scheduler_claim(Scheduler *s, void (*func)(void *userdata, Task *task), void *userdata);
/* Calls func for each queued task that has a claim. */
void scheduler_each_claim(Scheduler *s, void (*func)(void *userdata, Task *task), void *userdata);

/* The next task that may start now, with its slot and its tokens taken, or NULL. Only one whose
 * claim is safe may: *ret_unclaimed tells that there is a slot, but that the claim of who is next
 * is missing. */
Task *scheduler_take(Scheduler *s, bool *ret_unclaimed);

/* Who is next is given to an executor ahead of its slot, which begins these tasks in their order,
 * each when one of those before it ends. That is right only as long as any slot that gets free
 * there goes to the next one: they are of one group, no other has anything queued, and they want no
 * tokens. The queue keeps counting them until the executor tells that they have begun. */
Task *scheduler_peek(const Scheduler *s); /* the next one for that; NULL: none may be given */
void scheduler_hand_ahead(Scheduler *s, Task *t);
/* Whether a task that is about to be put in would change what was handed ahead: then that is to be
 * taken back first. */
bool scheduler_would_overtake(const Scheduler *s, const Group *g, int32_t priority);
/* The same for one that has just become queued, in events->ready: the executor may have begun some
 * of the others meanwhile, which does no harm. */
bool scheduler_overtakes(const Scheduler *s, const Task *t);
/* It has begun: it has a slot, whatever is free. */
void scheduler_begin(Scheduler *s, Task *t);
/* It has not, and is in the queue again. */
void scheduler_take_back(Scheduler *s, Task *t);

/* ---- tasks that go ---- */

/* A pending task is not to be started any more. It stays one of its group. */
void scheduler_remove(Scheduler *s, Task *t);
/* A task that had a slot does not run any more. */
void scheduler_release(Scheduler *s, Task *t);
/* It has reached its final state: those that need it become ready, or are doomed; its ties are
 * undone. */
void scheduler_task_ended(Scheduler *s, Task *t, uint64_t now);
