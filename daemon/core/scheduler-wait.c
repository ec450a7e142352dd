#include "daemon/core/scheduler-private.h"

/* Tasks that cannot start yet: for which others, which time and which condition they wait, and what
 * happens when these come. */

/* ---- times ---- */

static int compare_dues(const Task *a, const Task *b) {
    if (a->due_at != b->due_at)
        return a->due_at < b->due_at ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

RB_GENERATE_INTERNAL(TaskDues, Task, plan, compare_dues, _unused_ static)

static Task *first_due(const Scheduler *s) {
    return RB_MIN(TaskDues, (struct TaskDues *)&s->due);
}

uint64_t scheduler_next_due(const Scheduler *s) {
    const Task *t = first_due(s);

    return t ? t->due_at : USEC_INFINITY;
}

/* ---- places ---- */

static TaskPlace find_place(const Scheduler *s, const Task *t, uint64_t now) {
    bool is_series = task_spec_is_series(t->spec);

    if (t->ties && t->ties->n_needs > 0)
        return TASK_PLACE_BLOCKED;
    if (!scheduler_condition_holds(s, t->spec->when_online))
        return TASK_PLACE_BLOCKED;
    if (is_series)
        return t->due_at > 0 ? TASK_PLACE_DUE : TASK_PLACE_BLOCKED;
    return t->due_at > now ? TASK_PLACE_DUE : TASK_PLACE_LANE;
}

static void set_waiting(Task *t, uint64_t now) {
    if (!task_is_pending(t))
        (void)task_set_state(t, TASK_QUEUED, now);
    if (t->state == TASK_QUEUED)
        (void)task_set_state(t, TASK_WAITING, now);
    if (!task_spec_is_series(t->spec)) /* it is never queued, and has another use for this */
        t->ready_at = 0;
}

/* due_at is of no more use: should the clock be set back, it does not have to wait again. */
static void set_queued(Task *t, uint64_t now) {
    if (t->state != TASK_QUEUED)
        (void)task_set_state(t, TASK_QUEUED, now);
    if (t->ready_at == 0)
        t->ready_at = now;
    t->due_at = 0;
}

bool scheduler_plan(Scheduler *s, Task *t, uint64_t now) {
    t->place = find_place(s, t, now);
    if (t->place == TASK_PLACE_LANE) {
        set_queued(t, now);
        t->group->queued++;
        scheduler_lane_put(s, t);
        return true;
    }
    set_waiting(t, now);
    t->group->waiting++;
    if (t->place == TASK_PLACE_DUE)
        RB_INSERT(TaskDues, &s->due, t);
    return false;
}

void scheduler_unplan(Scheduler *s, Task *t) {
    switch (t->place) {
    case TASK_PLACE_LANE:
        scheduler_lane_take(s, t);
        break;
    case TASK_PLACE_AHEAD:
        TAILQ_REMOVE(&s->ahead, t, ahead);
        s->n_ahead--;
        break;
    case TASK_PLACE_DUE:
        RB_REMOVE(TaskDues, &s->due, t);
        break;
    case TASK_PLACE_BLOCKED:
    case TASK_PLACE_NONE:
        break;
    }
    if (t->place == TASK_PLACE_LANE || t->place == TASK_PLACE_AHEAD)
        t->group->queued--;
    else if (t->place != TASK_PLACE_NONE)
        t->group->waiting--;
    t->place = TASK_PLACE_NONE;
}

void scheduler_plan_again(Scheduler *s, Task *t, uint64_t now) {
    bool was_queued = t->place == TASK_PLACE_LANE;

    scheduler_unplan(s, t);
    bool is_queued = scheduler_plan(s, t, now);
    if (is_queued && !was_queued)
        s->events->ready(s->userdata, t);
    if (!is_queued && was_queued)
        s->events->unready(s->userdata, t);
}

/* ---- the time ---- */

static unsigned count_due(Scheduler *s, uint64_t now) {
    unsigned n = 0;

    for (Task *t = first_due(s); t && t->due_at <= now; t = RB_NEXT(TaskDues, &s->due, t))
        n++;
    return n;
}

static void elapse(Scheduler *s, Task *t, uint64_t now) {
    if (!task_spec_is_series(t->spec)) {
        scheduler_plan_again(s, t, now);
        return;
    }
    scheduler_unplan(s, t);
    t->due_at = 0;
    (void)scheduler_plan(s, t, now);
    s->events->elapsed(s->userdata, t);
}

/* Counted before: a series that is given a time that has passed must not keep us here for ever. */
void scheduler_set_time(Scheduler *s, uint64_t now) {
    for (unsigned n = count_due(s, now); n > 0; n--) {
        Task *t = first_due(s);
        if (!t || t->due_at > now)
            return;
        elapse(s, t, now);
    }
}

void scheduler_due_changed(Scheduler *s, Task *t, uint64_t now) {
    scheduler_plan_again(s, t, now);
}

/* ---- other tasks ---- */

/* d is the need of a task that has ended. */
static void settle_need(Scheduler *s, Dependency *d, const Task *ended, uint64_t now) {
    Task *t = d->task;
    bool met = dependency_is_met(d->kind, ended->state);
    bool was_last = task_ties_meet(d);

    if (met && !was_last)
        return;
    /* It may have been taken out meanwhile, and be in the list itself. */
    if (t->place != TASK_PLACE_BLOCKED)
        return;
    if (met)
        scheduler_plan_again(s, t, now);
    else
        s->events->doomed(s->userdata, t, ended);
}

static void settle(Scheduler *s, Task *t, uint64_t now) {
    for (Dependency *d; (d = TAILQ_FIRST(&t->ties->needed_by));)
        settle_need(s, d, t, now);
    task_ties_undo(t);
}

void scheduler_task_ended(Scheduler *s, Task *t, uint64_t now) {
    if (!t->ties)
        return;
    TAILQ_INSERT_TAIL(&s->ended, t->ties, walk);
    if (s->settling)
        return;
    s->settling = true;
    for (TaskTies *ties; (ties = TAILQ_FIRST(&s->ended));) {
        TAILQ_REMOVE(&s->ended, ties, walk);
        settle(s, ties->task, now);
    }
    s->settling = false;
}
