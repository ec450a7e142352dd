#pragma once

#include "daemon/core/task.h"

/* Who may run next: first in, first out, with a number of slots. Holds references to tasks that the
 * table owns. */

/* Memory that waiting requests may take: 100,000 small ones fit well, a hundred huge ones too. */
#define SCHEDULER_QUEUED_BYTES_MAX (256 * MIB)

typedef struct Scheduler {
    struct TaskQueue ahead; /* the first in the queue, see scheduler_hand_ahead() */
    struct TaskQueue queue; /* the others */
    unsigned max_parallel;  /* 0 = no limit */
    unsigned max_queued;
    unsigned running; /* slots in use */
    unsigned queued;  /* n_ahead of them are in the list ahead */
    unsigned n_ahead;
    size_t queued_bytes;
    bool closed;      /* no more starts */
    unsigned started; /* since scheduler_claim() was called last */
} Scheduler;

void scheduler_init(Scheduler *s, unsigned max_parallel, unsigned max_queued);

/* Whether that many more requests of so many bytes altogether fit. 0, or -EREMOTE with QueueFull.
 */
int scheduler_check_room(const Scheduler *s, size_t n, size_t bytes, Error *error);

/* Puts a queued task at the end. */
void scheduler_add(Scheduler *s, Task *task);

/* Puts a task that was started before back to where it was: by its id. */
void scheduler_add_again(Scheduler *s, Task *task);

/* Claims the tasks that are next, for the slots that are free and as many as will get free before
 * the next commit is over, judging by the last one. Calls func for each new one. */
void scheduler_claim(Scheduler *s, void (*func)(void *userdata, Task *task), void *userdata);

/* The next task that may start now, with its slot taken, or NULL. Only one whose claim is safe may:
 * *ret_unclaimed tells that there is a slot, but that the claim of who is next is missing. */
Task *scheduler_take(Scheduler *s, bool *ret_unclaimed);

/* Who is first in the queue is given to an executor ahead of its slot, which begins these tasks in
 * their order, each when one of those before it ends. The queue keeps counting them until it tells
 * that. */
Task *scheduler_peek(const Scheduler *s); /* the next one for that; NULL: none may be given,
                                           also when more run than may: no slot passes on then */
void scheduler_hand_ahead(Scheduler *s, Task *task);
/* It has begun: it has a slot, whatever is free. */
void scheduler_begin(Scheduler *s, Task *task);
/* It has not, and is in the queue again. */
void scheduler_take_back(Scheduler *s, Task *task);

/* A task that runs already takes a slot, be one free or not. */
void scheduler_occupy(Scheduler *s);

/* A queued task is not to be started any more. */
void scheduler_remove(Scheduler *s, Task *task);

/* A task that had a slot has ended. */
void scheduler_release(Scheduler *s);
