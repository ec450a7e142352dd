#pragma once

#include "daemon/core/scheduler.h"

/* For the scheduler-*.c files alone. */

/* ---- scheduler.c ---- */

void scheduler_count_in(Scheduler *s, Task *t);  /* it is pending now */
void scheduler_count_out(Scheduler *s, Task *t); /* no more */

/* ---- scheduler-lane.c ---- */

/* Puts a task where it belongs in the queue of its group, or takes it out. */
void scheduler_lane_put(Scheduler *s, Task *t);
void scheduler_lane_take(Scheduler *s, Task *t);
/* Walks the lanes whose first wants tokens, in the order of these; NULL begins and ends. */
Lane *scheduler_lane_next(const Scheduler *s, Lane *l);
/* One of its tasks was started; and what is known of such is forgotten. */
void scheduler_lane_started(Scheduler *s, Lane *l);
void scheduler_lane_rest(Scheduler *s, Lane *l);
/* Resource.wanted_by is right again, whatever resources have come meanwhile. */
void scheduler_count_wanted(Scheduler *s);
/* The group has this turn now. */
void scheduler_set_turn(Scheduler *s, Group *g, uint64_t turn);

/* ---- scheduler-next.c ---- */

/* SIZE_MAX - UINT32_MAX when there is no limit: sums with numbers of tasks do not overflow. */
size_t scheduler_free_slots(const Scheduler *s);
/* The task that gets the next slot, if there is one, claimed or not. NULL: none may. */
Task *scheduler_next(Scheduler *s);
/* Looks who is to get which tokens: Resource.closed and keeper tell for how long. */
void scheduler_share_tokens(Scheduler *s);

/* ---- scheduler-slot.c ---- */

/* Gives a queued task a slot and its tokens; its group has had its turn. */
void scheduler_give_slot(Scheduler *s, Task *t);
/* As if that had not been. turn: that of the group before. */
void scheduler_undo_slot(Scheduler *s, Task *t, uint64_t turn);

/* ---- scheduler-wait.c ---- */

/* Puts a pending task where it has to wait now. True: it is queued. */
bool scheduler_plan(Scheduler *s, Task *t, uint64_t now);
void scheduler_unplan(Scheduler *s, Task *t); /* and takes it out of there, or of the queue */
/* Moves it to where it has to wait now, and tells. */
void scheduler_plan_again(Scheduler *s, Task *t, uint64_t now);

/* ---- scheduler-condition.c ---- */

bool scheduler_condition_holds(const Scheduler *s, const char *name);
void scheduler_free_conditions(Scheduler *s);
