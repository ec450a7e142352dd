#pragma once

#include "daemon/core/scheduler.h"
#include "tests/unit/unit-task.h"

/* A scheduler with the groups a, b and c, and the resources gpu (4 of them) and net (2). */

#define RIG_TASKS_MAX 64

extern Scheduler rig;
extern Task *rig_tasks[RIG_TASKS_MAX]; /* by id, as long as they have not ended */
extern uint64_t rig_now;

void rig_setup(void);
void rig_teardown(void);

Group *rig_group(char name);

/* As in a script: "a1+5g2n1>3". Not in the scheduler yet, and no time and no condition are
 * looked at. */
Task *rig_new_task(const char *what);

/* The commit that is under way is over, and another one begins. Gives how many claims it brings. */
unsigned rig_commit(void);
/* The id of the task that starts next, whatever commits that takes, or 0. */
uint64_t rig_take(void);
void rig_end(uint64_t id, TaskState state); /* whatever it did */

/* Runs a script, words with blanks between them:
 *   a1       a task with the id 1 comes, in group a; behind that, in this order:
 *            +5 -5 its priority; g2 n1 it wants so many of gpu and net; >3 it comes after 3, ?3
 * after 3 has ended, <3 after 3 has failed; @100 not before 100; &x when x is online; ~ a series =3
 * =0    3 is the next to start; nobody is .3 f3 x3 3 has succeeded, failed, been cancelled ,3 3 is
 * tried again !3+5     3 gets this priority w3 q3 s3 3 waits, is queued, has been skipped Ma2 M*2
 * 2 tasks of group a, of all, at a time; Mg2: there are 2 gpu Pa Ra    group a is paused, resumed
 *   t100     the time; &x+ &x- &x0 x is online, is not, is none any more */
void rig_run(const char *script);
